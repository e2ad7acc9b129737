"""OSProfiler's table `data`: notifications in rows. What a column has no room for stands in the JSON beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from nilometer.backends._parts.sql.layout import making
from nilometer.backends._parts.sql.trace_rows import remember, unknown, upsert
from nilometer.backends._parts.sql.trace_tables import DATA, META, THEIRS
from nilometer.core.errors import InputError
from nilometer.core.traces import ids
from nilometer.core.wire import osprofiler as wire
from nilometer.core.wire.bounded_json import read as read_json
from nilometer.core.wire.span import text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nilometer.core.traces.span import Span

SEEN = "osprofiler"
"""The name under which the number of the last row that was looked at is kept."""
LATE = 1000
"""Rows below that one which are looked at again: they may have been committed later."""
LONGEST = {"timestamp": 26}
USUAL = 255
WORDS = ("name", "base_id", "trace_id", "parent_id", "timestamp", "project", "service")
"""What a notification says besides its ``info``, a column for each."""


def is_there(connection: sa.Connection) -> bool:
    """Return whether the database has such a table."""
    inspector = sa.inspect(connection)
    if not inspector.has_table(DATA.name):
        return False
    return {column["name"] for column in inspector.get_columns(DATA.name)} >= {column.name for column in DATA.columns}


def write(connection: sa.Connection, spans: Sequence[Span]) -> None:
    """Add the notifications of spans; the table is made where there is none."""
    if not is_there(connection):
        with making(connection, DATA.name):
            THEIRS.create_all(connection)
    connection.execute(sa.insert(DATA), [_row(note, span) for span in spans for note in wire.notes(span)])
    note(connection)


def _row(document: dict[str, Any], span: Span) -> dict[str, Any]:
    rest = {name: value for name, value in document.items() if name not in WORDS}
    row: dict[str, Any] = {"host": _fit("host", span.host)}
    for name in WORDS:
        value = document.get(name)
        row[name] = None if value is None else _fit(name, str(value))
        if row[name] != value:
            rest[name] = value
    return {**row, "data": text(rest).decode()}


def _fit(name: str, value: str) -> str:
    return value.replace("\x00", "\ufffd")[: LONGEST.get(name, USUAL)]


def read(connection: sa.Connection, trace: str) -> list[Span]:
    """Return the spans of a trace, in order of arrival."""
    if not is_there(connection):
        return []
    columns = [*(DATA.c[name] for name in WORDS), sa.cast(DATA.c.data, sa.Text).label("data")]
    wanted = sa.select(*columns).where(DATA.c.base_id.in_(ids.spellings(trace))).order_by(DATA.c.id)
    return wire.spans(map(_document, connection.execute(wanted).mappings())).spans


def _document(row: Mapping[Any, Any]) -> object:
    held: object = row["data"]
    try:
        for _ in range(2):  # a text of JSON within JSON
            held = read_json(held.encode()) if isinstance(held, str) else held
    except InputError:
        return None
    return {name: row[name] for name in WORDS} | (held if isinstance(held, dict) else {})


def news(connection: sa.Connection) -> bool:
    """Return whether there are rows that were not looked at."""
    if not is_there(connection):
        return False
    newest = connection.execute(sa.select(sa.func.max(DATA.c.id))).scalar() or 0
    return bool(newest > (_seen(connection) if sa.inspect(connection).has_table(META.name) else 0))


def _seen(connection: sa.Connection) -> int:
    return int(connection.execute(sa.select(META.c.value).where(META.c.name == SEEN)).scalar() or 0)


def note(connection: sa.Connection) -> None:
    """Note of the traces of new rows that something was added; those that are not known get a row."""
    seen = _seen(connection)
    newest = connection.execute(sa.select(sa.func.max(DATA.c.id))).scalar() or 0
    wanted = sa.select(DATA.c.base_id).where(DATA.c.id > max(seen - LATE, 0), DATA.c.id <= newest).distinct()
    traces = sorted({ids.trace_id(base) for base in connection.execute(wanted).scalars() if base})
    if traces:
        connection.execute(upsert(connection.dialect.name), [unknown(trace) for trace in traces])
    connection.execute(remember(connection.dialect.name), {"name": SEEN, "value": newest})


def delete(connection: sa.Connection, traces: Sequence[str]) -> None:
    """Delete the rows of traces."""
    if is_there(connection):
        spellings = [spelling for trace in traces for spelling in ids.spellings(trace)]
        connection.execute(sa.delete(DATA).where(DATA.c.base_id.in_(spellings)))
