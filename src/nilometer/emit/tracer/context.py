"""Where the code that runs is in a trace: a variable of the context, so that tasks, threads and greenlets each have their own.

A new thread stands nowhere; `carried` takes the place of whoever calls along, into a pool for example.
"""

from __future__ import annotations

import functools
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.emit.tracer.active import Active


class Remote(NamedTuple):
    """The span of another process from which a request came. `key` signed it, for OSProfiler's headers."""

    trace: str
    id: str
    sampled: bool | None = None
    state: str = ""
    key: str = ""


current: ContextVar[Active | Remote | None] = ContextVar("nilometer.span", default=None)


def carried(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function so that it runs, in whatever thread, where its caller stands now."""
    here = current.get()

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 whatever it takes and returns
        token = current.set(here)
        try:
            return function(*args, **kwargs)
        finally:
            current.reset(token)

    return call
