"""Spans of the commands of redis-py, plain and asynchronous. Keys and values are not told, but for the command's own name."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from nilometer.emit import tracer as tracers
from nilometer.emit.tracer.libraries._patch import patched

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.emit.tracer import Active, Tracer


def trace(tracer: Tracer | None = None) -> Callable[[], None]:
    """Trace every command of this process from now on. Return what ends it. Raise ImportError without the library."""
    import redis  # noqa: PLC0415 only an application that has it calls this
    import redis.asyncio as later  # noqa: PLC0415 see above

    def span(arguments: tuple[Any, ...]) -> Active:
        name = str(arguments[0]) if arguments else "REDIS"
        told = {"db.system.name": "redis", "db.operation.name": name}
        return (tracer or tracers.default()).span(name, "client").update(told)

    def make(execute: Any) -> Any:  # noqa: ANN401 the library's own method
        @functools.wraps(execute)
        def traced(self: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401 see above
            with span(args):
                return execute(self, *args, **options)

        return traced

    def make_async(execute: Any) -> Any:  # noqa: ANN401 see above
        @functools.wraps(execute)
        async def traced(self: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401 see above
            with span(args):
                return await execute(self, *args, **options)

        return traced

    plain, asynchronous = patched(redis.Redis, "execute_command", make), patched(later.Redis, "execute_command", make_async)

    def undo() -> None:
        plain()
        asynchronous()

    return undo
