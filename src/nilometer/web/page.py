"""The page: the files that ``make page`` builds, as they are.

Rules:

* No token is needed: these files are the same for everyone, and hold nothing of the server's.
* A name under ``/assets/`` holds a hash of its content, so a browser may keep it for good; the page itself is asked for each time,
  and answered 304 while it is the same.
* The page runs its own scripts and styles alone, and talks to nobody but this server: `POLICY`.
* Files are read once, at the first request; only what was found then is ever served.

Source: W3C Content Security Policy Level 3; RFC 9111 (caching), RFC 8246 (immutable).
"""

from __future__ import annotations

import functools
import gzip
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

STATIC = Path(__file__).parent / "static"
NOT_BUILT = "The page is not built. Run `make page`, which needs node and npm, and start the server again.\n"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
FOR_GOOD = "public, max-age=31536000, immutable"
ASK = "no-cache"


class File(NamedTuple):
    """A file as it is sent: its content, also compressed, and its headers."""

    content: bytes
    packed: bytes
    headers: dict[str, str]


def routes(folder: Path = STATIC) -> list[BaseRoute]:
    """Return the routes of the files in a folder; without a built page, ``/`` tells how to build it."""
    files = functools.cache(lambda: read(folder))

    def page(request: Request) -> Response:
        file = files().get(request.url.path.removeprefix("/") or "index.html")
        if file is not None:
            return _sent(file, request)
        return PlainTextResponse(NOT_BUILT if not files() else "There is no such file.\n", 404 if files() else 503)

    return [Route(path, page) for path in ("/", "/favicon.svg", "/assets/{name}")]


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
        "content-security-policy": POLICY,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
    }
    return File(content, gzip.compress(content, 9, mtime=0), headers)


def _sent(file: File, request: Request) -> Response:
    if file.headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=file.headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.packed, headers={**file.headers, "content-encoding": "gzip"})
    return Response(file.content, headers=file.headers)
