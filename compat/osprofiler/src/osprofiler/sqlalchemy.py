"""Traces the statements of SQLAlchemy: a span for each, by the events of an engine. SQLAlchemy 1.4 and 2."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

from osprofiler import profiler

if TYPE_CHECKING:
    from collections.abc import Iterator

LOG = logging.getLogger(__name__)
OPEN = "osprofiler.open"
"""What a connection remembers of its open spans under, how many they are."""

_DISABLED = False


def disable() -> None:
    """Let `add_tracing` do nothing from now on."""
    global _DISABLED
    _DISABLED = True


def enable() -> None:
    """Let `add_tracing` do its work again."""
    global _DISABLED
    _DISABLED = False


def add_tracing(sqlalchemy: Any, engine: Any, name: str, hide_result: bool = True) -> None:
    """Trace what an engine executes from now on, as spans of this name. Results are told with `hide_result=False`."""
    if not _DISABLED:
        sqlalchemy.event.listen(engine, "before_cursor_execute", _before_cursor_execute(name))
        sqlalchemy.event.listen(engine, "after_cursor_execute", _after_cursor_execute(hide_result=hide_result))
        sqlalchemy.event.listen(engine, "handle_error", handle_error)


@contextlib.contextmanager
def wrap_session(sqlalchemy: Any, sess: Any) -> Iterator[Any]:
    """Trace what a session executes, as spans ``db``."""
    with sess as session:
        bind = session.bind
        if not getattr(bind, "traced", False):
            bind.traced = True
            add_tracing(sqlalchemy, bind, "db")
        yield session


def _before_cursor_execute(name: str) -> Any:
    def listen(conn: Any, cursor: Any, statement: Any, parameters: Any, context: Any, executemany: Any) -> None:
        del cursor, context, executemany
        conn.info[OPEN] = conn.info.get(OPEN, 0) + 1
        profiler.start(name, {"db": {"statement": statement, "params": parameters}})

    return listen


def _after_cursor_execute(hide_result: bool = True) -> Any:
    def listen(conn: Any, cursor: Any, statement: Any, parameters: Any, context: Any, executemany: Any) -> None:
        del statement, parameters, context, executemany
        if _closed(conn):
            profiler.stop(None if hide_result else {"db": {"result": _rows(cursor)}})

    return listen


def _closed(conn: Any) -> bool:
    """Return whether a connection had a span open, which it has no more."""
    count = conn.info.get(OPEN, 0)
    conn.info[OPEN] = max(count - 1, 0)
    return bool(count)


def _rows(cursor: Any) -> str:
    """Return rows that a driver has at hand already, as text; none must be fetched, for they are the application's."""
    return str(getattr(cursor, "_rows", f"{getattr(cursor, 'rowcount', -1)} rows"))


def handle_error(exception_context: Any) -> None:
    """Close the span of a statement that failed; a connection that could not be made has none."""
    conn = exception_context.connection
    if conn is None or not _closed(conn):
        return
    error = exception_context.original_exception
    told = {"original_exception": str(error), "chained_exception": str(getattr(exception_context, "chained_exception", None))}
    kind = type(exception_context.sqlalchemy_exception or error)
    profiler.stop({"etype": f"{kind.__module__}.{kind.__qualname__}", "message": str(error), "db": told})
