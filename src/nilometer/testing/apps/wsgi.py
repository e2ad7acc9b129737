"""The WSGI application of tests, bare: `plain`."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, cast

from nilometer.emit.requests.endpoints import endpoint
from nilometer.testing.apps.paths import CHUNK, DISPATCH, PIECE, PROCESSING, RESPONDING, Asked, announce, asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import InputStream, StartResponse, WSGIEnvironment

    Handler = Callable[[Asked, WSGIEnvironment, StartResponse], Iterable[bytes]]

TEXT = ("Content-Type", "text/plain")


def plain(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Do what the path says."""
    request = asked(environ["PATH_INFO"], environ.get("QUERY_STRING", ""))
    handler = HANDLERS.get(request.what, missing)
    return handler(request, environ, start_response)


def text(start_response: StartResponse, body: bytes, status: str = "200 OK") -> Iterable[bytes]:
    """Answer with a short text."""
    start_response(status, [TEXT, ("Content-Length", str(len(body)))])
    return [body]


def read(environ: WSGIEnvironment) -> int:
    """Read the body to its end; return how many bytes it had."""
    body, total = cast("InputStream", environ["wsgi.input"]), 0
    left = int(environ.get("CONTENT_LENGTH") or 1 << 62)
    while left and (data := body.read(min(PIECE, left))):
        total += len(data)
        left -= len(data)
    return total


def hello(_: Asked, __: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer ``hello``."""
    return text(start_response, b"hello\n")


def echo(request: Asked, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer how many bytes the body had."""
    announce(request)
    return text(start_response, b"%d\n" % read(environ))


def slow(request: Asked, _: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer after ``seconds``."""
    announce(request)
    time.sleep(request.number("seconds"))
    return text(start_response, b"slept\n")


def timed(request: Asked, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Spend known times on dispatch, on the request and on the response."""
    time.sleep(DISPATCH)
    return endpoint_of_timed(request, environ, start_response)


@endpoint("timed")
def endpoint_of_timed(request: Asked, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Read the body, then answer in two pieces."""
    announce(request)
    read(environ)
    time.sleep(PROCESSING)
    start_response("200 OK", [TEXT])
    return slowly(2, RESPONDING)


def slowly(count: int, pause: float) -> Iterator[bytes]:
    """Make pieces, a pause of so many seconds before each."""
    for _ in range(count):
        time.sleep(pause)
        yield b"piece\n"


def stream(request: Asked, _: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer in ``count`` pieces of unknown length."""
    start_response("200 OK", [TEXT])
    return slowly(int(request.number("count", 3)), request.number("pause"))


def big(request: Asked, _: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with ``chunks`` of 64 KiB, their length announced."""
    chunks = int(request.number("chunks", 256))
    announce(request)
    start_response("200 OK", [TEXT, ("Content-Length", str(chunks * len(CHUNK)))])
    return (CHUNK for _ in range(chunks))


def boom_before(_: Asked, __: WSGIEnvironment, ___: StartResponse) -> Iterable[bytes]:
    """Raise before the answer starts."""
    message = "before the answer"
    raise RuntimeError(message)


def boom_body(_: Asked, __: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Raise within the answer."""
    start_response("200 OK", [TEXT])
    yield b"half\n"
    message = "within the answer"
    raise RuntimeError(message)


def fail(_: Asked, __: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer 503."""
    return text(start_response, b"down\n", "503 Service Unavailable")


def refuse(_: Asked, __: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer 403, without a look at the body."""
    return text(start_response, b"no\n", "403 Forbidden")


def missing(_: Asked, __: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer 404."""
    return text(start_response, b"nothing here\n", "404 Not Found")


def unchanged(_: Asked, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer 304 to who has it already."""
    if environ.get("HTTP_IF_NONE_MATCH") == '"1"':
        start_response("304 Not Modified", [("ETag", '"1"')])
        return []
    start_response("200 OK", [TEXT, ("ETag", '"1"'), ("Content-Length", "4")])
    return [b"new\n"]


def head(_: Asked, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer HEAD without a body, everything else with 12 bytes."""
    start_response("200 OK", [TEXT, ("Content-Length", "12")])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [b"twelve bytes"]


def file(_: Asked, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer with this file, by the server's ``wsgi.file_wrapper`` where it has one."""
    start_response("200 OK", [TEXT, ("Content-Length", str(os.path.getsize(__file__)))])  # noqa: PTH202 what the answer is about
    opened = open(__file__, "rb")  # noqa: PTH123, SIM115 the server closes it
    wrapper: Callable[..., Iterable[bytes]] = environ.get(
        "wsgi.file_wrapper", lambda found, size: iter(lambda: found.read(size), b"")
    )
    return wrapper(opened, PIECE)


def process(_: Asked, __: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer the number of the process."""
    return text(start_response, b"%d" % os.getpid())


HANDLERS: dict[str, Handler] = {
    "hello": hello, "echo": echo, "slow": slow, "timed": timed, "stream": stream, "big": big, "boom-before": boom_before,
    "boom-body": boom_body, "fail": fail, "refuse": refuse, "unchanged": unchanged, "head": head, "file": file,
    "process": process,
}  # fmt: skip
