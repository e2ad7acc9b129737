"""The page: the files that ``make page`` builds, as they are.

Rules:

* No token is needed: these files are the same for everyone, and hold nothing of the server's.
* A name under ``/assets/`` holds a hash of its content, so a browser may keep it for good; the page itself is asked for each
  time, and answered 304 while it is the same.
* Who is sent the page will ask for series soon: what answers is made ready.
* The page brings all of its scripts and styles in these files: it stands the strict policy of `web.headers`.
* Files are read at a request, again once they were built anew; while that goes on, those from before are served. Only what
  was found then is ever served.

Source: RFC 9110 (conditional requests), RFC 9111 (caching), RFC 8246 (immutable).
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from nilometer.web.errors import failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from nilometer.web.parts import Parts

STATIC = Path(__file__).parent / "static"
INDEX = "index.html"
NOT_BUILT = "The page is not built. Run `make page`, which needs node and npm.\n"
NO_FILE = "there is no such file of the page"
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
    return of_folder(STATIC, parts.reading.warm)


def of_folder(folder: Path, opened: Callable[[], None] = lambda: None) -> APIRouter:
    """Return the routes of the files in a folder; without a built page, ``/`` tells how to build it.

    `opened` is called when the page is sent, and returns at once.
    """
    built = Built(folder)
    found = APIRouter()

    def page(request: Request) -> Response:
        there = built.files()
        name = request.url.path.removeprefix("/") or INDEX
        file = there.get(name)
        if file is not None and name == INDEX:
            opened()
        if file is not None:
            return _sent(file, request)
        return failure(404, NO_FILE) if there else PlainTextResponse(NOT_BUILT, 503)

    for path in ("/", "/favicon.svg", "/assets/{name}"):
        found.add_route(path, page, include_in_schema=False)
    return found


class Built:
    """The files of a page as it was built last. May be used from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: tuple[dict[Path, tuple[int, int]], dict[str, File]] = {}, {}

    def files(self) -> dict[str, File]:
        """Return the files by their names in the folder; none before there is a page."""
        with contextlib.suppress(FileNotFoundError):  # it is being built
            there = {path: _state(path) for path in _files(self._folder)}
            if there != self._held[0] and self._folder / INDEX in there:
                self._held = there, read(self._folder)
        return self._held[1]


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in TYPES and path.is_file())


def read(folder: Path) -> dict[str, File]:
    """Return the files below a folder by their names in it; none when there is no page."""
    if not (folder / INDEX).is_file():
        return {}
    return {path.relative_to(folder).as_posix(): _file(path, folder) for path in _files(folder)}


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
