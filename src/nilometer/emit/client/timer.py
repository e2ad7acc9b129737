"""A timer: ``with statsd.timer("task"):``, ``@statsd.timer("task")`` over any function, or ``start`` and ``stop``."""

from __future__ import annotations

import functools
import inspect
from time import perf_counter
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.emit.client.line import Tags
    from nilometer.emit.client.methods import Methods

    Function = TypeVar("Function", bound=Callable[..., Any])
MS = 1000


class Timer:
    """Measures what happens between start and stop. ``ms``: what it was in milliseconds, None before the stop.

    As a decorator it measures each call on its own, so that calls may overlap. Raises RuntimeError where it is stopped before
    it is started, or sent twice: that is the programmer's mistake, and shows at the first try.
    """

    def __init__(self, client: Methods, stat: str, rate: float = 1, tags: Tags = None) -> None:
        self.client, self.stat, self.rate, self.tags = client, stat, rate, tags
        self.ms: float | None = None
        self._began: float | None = None
        self._sent = False

    def start(self) -> Self:
        """Start, or start anew."""
        self.ms, self._sent = None, False
        self._began = perf_counter()
        return self

    def stop(self, send: bool = True) -> Self:  # noqa: FBT001, FBT002 the signature that users of statsd know
        """Stop, and send unless told not to."""
        if self._began is None:
            message = "the timer was not started"
            raise RuntimeError(message)
        self.ms = (perf_counter() - self._began) * MS
        if send:
            self.send()
        return self

    def send(self) -> None:
        """Send what was measured."""
        if self.ms is None:
            message = "there is nothing to send: the timer was not stopped"
            raise RuntimeError(message)
        if self._sent:
            message = "the timer was sent already"
            raise RuntimeError(message)
        self._sent = True
        self.client.timing(self.stat, self.ms, self.rate, self.tags)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(self, *_: object) -> None:
        self.stop()

    def __call__(self, function: Function) -> Function:
        """Return the function, measured; a coroutine function stays one."""
        send = self.client.timing
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: object, **options: object) -> object:
                began = perf_counter()
                try:
                    return await function(*args, **options)
                finally:
                    send(self.stat, (perf_counter() - began) * MS, self.rate, self.tags)

            return cast("Function", awaited)

        @functools.wraps(function)
        def called(*args: object, **options: object) -> object:
            began = perf_counter()
            try:
                return function(*args, **options)
            finally:
                send(self.stat, (perf_counter() - began) * MS, self.rate, self.tags)

        return cast("Function", called)
