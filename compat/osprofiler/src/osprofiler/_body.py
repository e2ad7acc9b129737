"""The body of an answer, followed to its end."""

from __future__ import annotations

from contextvars import Context, copy_context
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


class Body:
    """Hands a body on, and calls `ended` once: when it is at its end, is closed, or fails (with the error).

    The server may ask for it in another context than the one in which the application was called: that one is kept for `ended`.
    """

    def __init__(self, body: Iterable[bytes], ended: Callable[[BaseException | None], None]) -> None:
        self._body, self._ended = body, ended
        self._iterator: Iterator[bytes] | None = None
        self._context: Context | None = copy_context()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            if self._iterator is None:
                self._iterator = iter(self._body)
            return next(self._iterator)
        except StopIteration:
            self._end(None)
            raise
        except BaseException as error:
            self._end(error)
            raise

    def close(self) -> None:
        """Close the body, as every server does."""
        close = getattr(self._body, "close", None)
        try:
            if close is not None:
                close()
        finally:
            self._end(None)

    def _end(self, error: BaseException | None) -> None:
        context, self._context = self._context, None
        if context is not None:
            context.run(self._ended, error)
