"""The body of a WSGI response: how much there is, how long the server takes to send it, whether it comes to its end.

Rules:

* The server sees the body that the application gave: as many parts, the same length, its attributes, closed when it closes it.
* The time between a part and the next question of the server, or its `close`, is the sending of that part.
* Sending failed when an exception is on its way while the body is closed, or when it is closed before its end, unless the
  announced length was reached or the response has no body.
* A file for ``sendfile`` stays the server's own object: only its `close` is noticed.
"""

from __future__ import annotations

import os
import sys
from time import perf_counter
from typing import TYPE_CHECKING, Any

from nilometer.emit.requests.endpoints import current
from nilometer.emit.requests.measure import announced
from nilometer.emit.requests.wsgi_input import is_timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from wsgiref.types import WSGIEnvironment

    from nilometer.emit.requests.measure import Exchange
    from nilometer.emit.requests.wsgi import Request

NO_BODY = frozenset({204, 304})


class Body:
    """What an application returned, watched while the server goes through it. `given`: when it got the last part."""

    __slots__ = ("_parts", "_request", "_result", "ended", "given")

    def __init__(self, result: Any, request: Request) -> None:  # noqa: ANN401 any iterable
        self._result, self._request = result, request
        self._parts: Parts | None = None
        self.given = perf_counter()
        self.ended = False

    def __iter__(self) -> Parts:
        return Parts(iter(self._result), self, self._request)

    def __next__(self) -> bytes:
        """Return the next part to who does not ask for an iterator first, as with a generator."""
        if self._parts is None:
            self._parts = iter(self)
        return next(self._parts)

    def close(self) -> None:
        """Close what the application returned, and tell of the request."""
        request, exchange = self._request, self._request.exchange
        if exchange.started_at is not None:
            exchange.sent(perf_counter() - self.given)
        _judge(request, sys.exc_info()[1], ended=self.ended)
        _close(getattr(self._result, "close", None), request)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 whatever the body has
        return getattr(self._result, name)


class Parts:
    """The parts of a body; the server that is done with them lets go of the application's, as without us."""

    __slots__ = ("_body", "_exchange", "_next", "_request")

    def __init__(self, parts: Iterator[bytes], body: Body, request: Request) -> None:
        self._next, self._body, self._request, self._exchange = parts.__next__, body, request, request.exchange

    def __iter__(self) -> Parts:
        return self

    def __next__(self) -> bytes:
        body, exchange = self._body, self._exchange
        if exchange.started_at is not None:
            exchange.sent(perf_counter() - body.given)
        token = current.set(exchange)
        try:
            part = self._next()
        except StopIteration:
            body.ended = True
            raise
        except BaseException as error:
            self._request.raised(error)
            raise
        finally:
            current.reset(token)
            body.given = perf_counter()
        if isinstance(part, bytes):
            exchange.send_bytes += len(part)
        return part


class SizedBody(Body):
    """A body whose number of parts is known: servers make a ``Content-Length`` of that."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self._result)


class Written:
    """The server's `write`, measured."""

    __slots__ = ("_exchange", "_write")

    def __init__(self, write: Callable[[bytes], object], exchange: Exchange) -> None:
        self._write, self._exchange = write, exchange

    def __call__(self, *data: Any) -> object:  # noqa: ANN401, D102 whatever the server takes
        began = perf_counter()
        try:
            return self._write(*data)
        except OSError as error:
            self._exchange.send_failed(timeout=is_timeout(error))
            raise
        finally:
            self._exchange.sent(perf_counter() - began, len(data[0]) if data and isinstance(data[0], bytes) else 0)


class File:
    """A file on its way through a server's ``wsgi.file_wrapper`` that is a function and gives back what it got."""

    __slots__ = ("_file", "close")

    def __init__(self, file: Any) -> None:  # noqa: ANN401 any file
        self._file = file
        self.close: Callable[[], object] = getattr(file, "close", lambda: None)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._file)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 whatever a file has
        return getattr(self._file, name)


def keep_files(environ: WSGIEnvironment) -> None:
    """Make files recognizable where the server's wrapper is no class, as uWSGI's."""
    wrapper = environ.get("wsgi.file_wrapper")
    if wrapper is not None and not isinstance(wrapper, type):
        environ["wsgi.file_wrapper"] = lambda file, *size: wrapper(File(file), *size)


def watch_file(file: Any, request: Request) -> Any:  # noqa: ANN401 a server's object
    """Return a file that goes to the server, its `close` noticed; where that cannot be, the request is over now."""
    exchange = request.exchange
    close = getattr(file, "close", None)
    given, exchange.send_bytes = perf_counter(), _size(file, request)

    def closing() -> None:
        exchange.sent(perf_counter() - given)
        _judge(request, sys.exc_info()[1], ended=True)
        _close(close, request)

    try:
        file.close = closing
    except (AttributeError, TypeError):
        request.end()
    return file


def _judge(request: Request, error: BaseException | None, *, ended: bool) -> None:
    """Note whether the response was sent to its end, as far as that can be known when it is closed."""
    exchange = request.exchange
    if exchange.exception:
        return
    empty = exchange.method == "HEAD" or exchange.status in NO_BODY
    if empty:
        exchange.send_bytes = 0
    if error is not None:
        exchange.send_failed(timeout=is_timeout(error))
    elif not (ended or empty):
        length = _announced(request)
        if length is None or exchange.send_bytes < length:
            exchange.send_failed()


def _announced(request: Request) -> int | None:
    """Return the length that the application announced, None without one or where the headers are none."""
    try:
        return next((announced(value) for name, value in request.headers if name.lower() == "content-length"), None)
    except (AttributeError, TypeError, ValueError):
        return None


def _size(file: Any, request: Request) -> int:  # noqa: ANN401 a server's object
    """Return the bytes that will be sent of a file: what was announced, else what is left of it."""
    length = _announced(request)
    if length is not None:
        return length
    inner = next((getattr(file, name) for name in ("filelike", "file", "_file") if hasattr(file, name)), None)
    try:
        return max(os.fstat(inner.fileno()).st_size - inner.tell(), 0) if inner is not None else 0
    except (AttributeError, OSError, ValueError):
        return 0


def _close(close: Callable[[], object] | None, request: Request) -> None:
    """Close what an application returned, and tell of the request whatever comes of that."""
    try:
        if close is not None:
            close()
    except BaseException as error:
        request.raised(error)
        raise
    request.end()
