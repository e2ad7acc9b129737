"""An engine of SQLAlchemy: its pool, on the poller's timer, and its statements, as they come.

    poller.add(sqlalchemy.pool(engine))
    stop = sqlalchemy.statements(engine, client)

======================  ====  ========================================================================================
metric                  kind  what it is
======================  ====  ========================================================================================
``pool.used``           g     connections that are checked out now
``pool.idle``           g     connections that wait in the pool
``pool.overflow``       g     connections beyond the pool's size
``pool.size``           g     the pool's size; each of these only where the pool has such a number
``VERB.timing``         ms    each statement, from its hand-over to the driver's answer; ``VERB`` is ``select``,
                              ``insert``, ``update``, ``delete``, ``begin`` … or ``other``
``VERB.errors``         c     statements that the driver refused
``connects``            c     connections opened
``invalidations``       c     connections thrown away because they broke
``held.timing``         ms    from a connection's check-out to its return
======================  ====  ========================================================================================

Rules: SQLAlchemy's own events and counts only. A statement's text and its values never leave the process. An asynchronous
engine is heard through its ``sync_engine``.

Source: https://docs.sqlalchemy.org/en/20/core/events.html, https://docs.sqlalchemy.org/en/20/core/pooling.html
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from nilometer.core.template import template
from nilometer.emit.drivers.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nilometer.emit.drivers.sample import Source
    from nilometer.emit.emitter import Emitter

MS = 1000
NAME = "sqlalchemy.{metric}"
COUNTS = {"used": "checkedout", "idle": "checkedin", "overflow": "overflow", "size": "size"}
"""Our word for a number of the pool, and the pool's method."""
VERBS = frozenset(
    {
        *("select", "insert", "update", "delete", "merge", "replace", "with", "call", "copy"),
        *("begin", "commit", "rollback", "savepoint", "release", "set", "show", "explain"),
        *("create", "drop", "alter", "truncate", "pragma", "analyze", "vacuum"),
    }
)
BEGAN, HELD = "nilometer_began", "nilometer_held"
"""Where a statement's and a check-out's moment are kept, in what SQLAlchemy has for such notes."""
FIRST_WORD = 40
"""Characters of a statement that are looked at."""


def pool(engine: Any, *, name: str = NAME) -> Source:  # noqa: ANN401 SQLAlchemy's Engine or AsyncEngine
    """Return a source of an engine's pool. Raises ValueError for a wrong template."""
    engine, named = getattr(engine, "sync_engine", engine), template("name", name, "metric")

    def read() -> Iterator[Sample]:
        for metric, method in COUNTS.items():
            count = getattr(engine.pool, method, None)
            if callable(count):  # some pools have no such number, or keep another one under that name
                yield Sample("g", named(metric=f"pool.{metric}"), max(count(), 0))

    return read


def statements(engine: Any, client: Emitter, *, name: str = NAME) -> Callable[[], None]:  # noqa: ANN401 likewise
    """Send what an engine's statements and connections do, until what is returned is called. Raises ValueError."""
    from sqlalchemy import event  # noqa: PLC0415 the application's library

    engine, hooks = getattr(engine, "sync_engine", engine), Hooks(client, template("name", name, "metric"))
    pairs: list[tuple[str, Callable[..., None]]] = [
        ("before_cursor_execute", hooks.before),
        ("after_cursor_execute", hooks.after),
        ("handle_error", hooks.error),
        ("connect", hooks.connect),
        ("invalidate", hooks.invalidate),
        ("checkout", hooks.checkout),
        ("checkin", hooks.checkin),
    ]
    for identifier, hook in pairs:
        event.listen(engine, identifier, hook)

    def stop() -> None:
        for identifier, hook in pairs:
            event.remove(engine, identifier, hook)

    return stop


def verb(statement: str) -> str:
    """Return the first word of a statement when it is a known one, else ``other``."""
    word = statement[:FIRST_WORD].lstrip(" \t\r\n(").partition(" ")[0].rstrip(";").lower()
    return word if word in VERBS else "other"


class Hooks:
    """What SQLAlchemy's events call."""

    def __init__(self, client: Emitter, named: Callable[..., str]) -> None:
        self._client, self._named = client, named
        self.failures = 0

    def before(self, connection: Any, _cursor: object, statement: str, *_: object) -> None:  # noqa: ANN401, ARG002 SQLAlchemy's
        """Note when a statement goes to the driver."""
        connection.info.setdefault(BEGAN, []).append(perf_counter())

    def after(self, connection: Any, _cursor: object, statement: str, *_: object) -> None:  # noqa: ANN401 SQLAlchemy's
        """Send what a statement took."""
        began = connection.info.get(BEGAN)
        if began:
            self._send("ms", f"{verb(statement)}.timing", (perf_counter() - began.pop()) * MS)

    def error(self, context: Any) -> None:  # noqa: ANN401 SQLAlchemy's
        """Count a statement that was refused; its time is no statement's."""
        connection = context.connection
        if connection is not None and not connection.closed and not connection.invalidated and connection.info.get(BEGAN):
            connection.info[BEGAN].pop()
        self._send("c", f"{verb(context.statement or '')}.errors", 1)

    def connect(self, *_: object) -> None:
        """Count a connection that was opened."""
        self._send("c", "connects", 1)

    def invalidate(self, *_: object) -> None:
        """Count a connection that was thrown away."""
        self._send("c", "invalidations", 1)

    def checkout(self, _connection: object, record: Any, _proxy: object) -> None:  # noqa: ANN401 SQLAlchemy's
        """Note when a connection leaves the pool."""
        record.info[HELD] = perf_counter()

    def checkin(self, _connection: object, record: Any) -> None:  # noqa: ANN401 SQLAlchemy's
        """Send how long a connection was out."""
        began = record.info.pop(HELD, None)
        if began is not None:
            self._send("ms", "held.timing", (perf_counter() - began) * MS)

    def _send(self, kind: str, metric: str, value: float) -> None:
        try:
            self._client.emit(kind, self._named(metric=metric), value)
        except Exception:  # noqa: BLE001 whatever a client does, the statement goes on
            self.failures += 1
