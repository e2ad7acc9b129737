"""Spans of the statements of an engine of SQLAlchemy, by its events. Parameters are not told.

A connection that could not be made has no span, so its failure ends no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nilometer.emit import tracer as tracers

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.emit.tracer import Active, Tracer

OPEN = "nilometer.spans"
"""What a connection remembers the spans of its statements under, the innermost last."""
LONGEST = 8192


def trace(engine: Any, tracer: Tracer | None = None) -> Callable[[], None]:  # noqa: ANN401 an engine, plain or asynchronous
    """Trace the statements of an engine from now on. Return what ends it. Raise ImportError without the library."""
    from sqlalchemy import event  # noqa: PLC0415 only an application that has it calls this

    engine = getattr(engine, "sync_engine", engine)
    system = str(engine.dialect.name)

    def before(link: Any, _: Any, statement: str, *__: Any) -> None:  # noqa: ANN401 SQLAlchemy's
        verb = statement.lstrip()[:20].partition(" ")[0].upper() or "SQL"
        told = {"db.system.name": system, "db.query.text": statement[:LONGEST], "db.operation.name": verb}
        span = (tracer or tracers.default()).span(verb, "client").update(told)
        link.info.setdefault(OPEN, []).append(span.start())

    def after(link: Any, *_: Any) -> None:  # noqa: ANN401 see above
        span = _last(link)
        if span is not None:
            span.end()

    def failed(context: Any) -> None:  # noqa: ANN401 see above
        span = None if context.connection is None else _last(context.connection)
        if span is not None:
            span.fail(context.sqlalchemy_exception or context.original_exception).end()

    heard = (("before_cursor_execute", before), ("after_cursor_execute", after), ("handle_error", failed))
    for name, listener in heard:
        event.listen(engine, name, listener)

    def undo() -> None:
        for name, listener in heard:
            if event.contains(engine, name, listener):
                event.remove(engine, name, listener)

    return undo


def _last(link: Any) -> Active | None:  # noqa: ANN401 a connection
    found = link.info.get(OPEN)
    return found.pop() if found else None
