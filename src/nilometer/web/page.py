"""The page: the files that ``make page`` builds, as they are.

Rules:

* No token is needed: these files are the same for everyone, and hold nothing of the server's.
* A name under ``/assets/`` holds a hash of its content, so a browser may keep it for good; the page itself is asked for each
  time, and answered 304 while it is the same.
* The page brings all of its scripts and styles in these files: it stands the strict policy of `web.headers`.
* Files are read once, at the first request; only what was found then is ever served.

Source: RFC 9110 (conditional requests), RFC 9111 (caching), RFC 8246 (immutable).
"""

from __future__ import annotations

import functools
import gzip
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

if TYPE_CHECKING:
    from starlette.requests import Request

    from nilometer.web.parts import Parts

STATIC = Path(__file__).parent / "static"
NOT_BUILT = "The page is not built. Run `make page`, which needs node and npm, and start the server again.\n"
NO_FILE = "There is no such file.\n"
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
FOR_GOOD = "public, max-age=31536000, immutable"
ASK = "no-cache"


class File(NamedTuple):
    """A file as it is sent: its content, also compressed, and its headers."""

    content: bytes
    packed: bytes
    headers: dict[str, str]


def router(parts: Parts) -> APIRouter:
    """Return the routes of the built page."""
    del parts  # it is the same for every server
    return of_folder(STATIC)


def of_folder(folder: Path) -> APIRouter:
    """Return the routes of the files in a folder; without a built page, ``/`` tells how to build it."""
    files = functools.cache(lambda: read(folder))
    found = APIRouter()

    def page(request: Request) -> Response:
        there = files()
        file = there.get(request.url.path.removeprefix("/") or "index.html")
        if file is not None:
            return _sent(file, request)
        return PlainTextResponse(NO_FILE if there else NOT_BUILT, 404 if there else 503)

    for path in ("/", "/favicon.svg", "/assets/{name}"):
        found.add_route(path, page, include_in_schema=False)
    return found


def read(folder: Path) -> dict[str, File]:
    """Return the files below a folder by their names in it; none when there is no page."""
    if not (folder / "index.html").is_file():
        return {}
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in TYPES)
    return {path.relative_to(folder).as_posix(): _file(path, folder) for path in found}


def _file(path: Path, folder: Path) -> File:
    content = path.read_bytes()
    headers = {
        "cache-control": FOR_GOOD if path.parent != folder else ASK,
        "etag": f'"{hashlib.sha256(content).hexdigest()[:32]}"',
        "vary": "accept-encoding",
        "content-type": f"{TYPES[path.suffix]}; charset=utf-8",
    }
    return File(content, gzip.compress(content, 9, mtime=0), headers)


def _sent(file: File, request: Request) -> Response:
    if file.headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=file.headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.packed, headers={**file.headers, "content-encoding": "gzip"})
    return Response(file.content, headers=file.headers)
