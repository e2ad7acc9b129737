"""The body of a WSGI request: how long it is waited for, how much of it comes, whether it comes to its end.

Rules:

* Every call goes to the server's object with the same arguments; what that returns or raises is returned or raised.
* Whatever else the server's object has is found here, too.
* A body is short when the last read got less than it asked for. Whether that is an error, says its announced length.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nilometer.emit.requests.measure import Exchange

KILLED = 1
"""The exit status that gunicorn's workers raise when their time is over."""


def is_timeout(error: BaseException) -> bool:
    """Tell whether a failed read is the server giving up to wait, rather than a client that left."""
    if isinstance(error, SystemExit):
        return error.code == KILLED
    return isinstance(error, TimeoutError) or "timeout" in f"{type(error).__name__} {error}".lower()


class Input:
    """``wsgi.input``, measured. `short`: whether its end was met in the last read."""

    __slots__ = ("_exchange", "_stream", "short")

    def __init__(self, stream: Any, exchange: Exchange) -> None:  # noqa: ANN401 each server has its own
        self._stream, self._exchange = stream, exchange
        self.short = False

    def read(self, *size: int) -> bytes:
        """Read as the server's object does."""
        data: bytes = self._timed(self._stream.read, *size)
        self.short = _size(data) < _wanted(size)
        return data

    def readline(self, *size: int) -> bytes:
        """Read a line as the server's object does."""
        data: bytes = self._timed(self._stream.readline, *size)
        self.short = _size(data) < _wanted(size) and not (isinstance(data, bytes) and data.endswith(b"\n"))
        return data

    def readlines(self, *hint: int) -> list[bytes]:
        """Read lines as the server's object does."""
        lines: list[bytes] = self._timed(self._stream.readlines, *hint)
        self.short = _size(lines) < _wanted(hint)
        return lines

    def __iter__(self) -> Iterator[bytes]:
        return Lines(self, iter(self._stream))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 whatever the server's object has
        found = getattr(self._stream, name)
        return self._into(found) if name in ("readinto", "readinto1") else self._some(found) if name == "read1" else found

    def next_line(self, lines: Iterator[bytes]) -> bytes:
        """Return the next of the server's lines."""
        self.short = True
        line: bytes = self._timed(next, lines, ended=StopIteration)
        self.short = False
        return line

    def _some(self, read: Callable[..., bytes]) -> Callable[..., bytes]:
        """Measure a read that may return less than is there."""

        def some(*size: int) -> bytes:
            data: bytes = self._timed(read, *size)
            self.short = not data and _wanted(size) > 0
            return data

        return some

    def _into(self, read: Callable[[Any], int]) -> Callable[[Any], int]:
        """Measure a read into a buffer."""

        def into(buffer: Any) -> int:  # noqa: ANN401 any buffer
            count: int = self._timed(read, buffer)
            self.short = not count
            return count

        return into

    def _timed(self, function: Callable[..., Any], *args: Any, ended: type[BaseException] = StopIteration) -> Any:  # noqa: ANN401 of any read
        """Return what a read returns, its time, size and failure noted; `ended` is no failure."""
        began = perf_counter()
        try:
            found = function(*args)
        except ended:
            self._exchange.received(perf_counter() - began, 0)
            raise
        except BaseException as error:
            self._exchange.received(perf_counter() - began, 0)
            self._exchange.receive_failed(timeout=is_timeout(error))
            raise
        self._exchange.received(perf_counter() - began, _size(found))
        return found


class Lines:
    """The lines of a body, measured one by one."""

    __slots__ = ("_input", "_lines")

    def __init__(self, measured: Input, lines: Iterator[bytes]) -> None:
        self._input, self._lines = measured, lines

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> bytes:
        return self._input.next_line(self._lines)


def _wanted(size: tuple[int | None, ...]) -> float:
    """Return how many bytes a read asks for, infinite when it asks for all."""
    return float("inf") if not size or size[0] is None or size[0] < 0 else size[0]


def _size(found: object) -> int:
    """Return how many bytes a read got, 0 for what no server should return."""
    if isinstance(found, bytes):
        return len(found)
    return sum(map(_size, found)) if isinstance(found, list) else found if isinstance(found, int) else 0
