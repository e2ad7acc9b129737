"""The changes of a batch, made to the rows of a statistic in the transaction that moves its offset.

Rules:

* Sums are added up, the latest is replaced by a later one, sketches are merged, members are counted when they are new: whatever
  the order of batches is, the rows are the same.
* Rows are written in order of slot and key, so that two processes never wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from nilometer.backends._parts.sql import many
from nilometer.backends._parts.sql.statistics.inbox import parts
from nilometer.backends._parts.sql.statistics.tables import MEMBERS, ROWS
from nilometer.core.sketch import Sketch
from nilometer.core.statistics.change import Amount, storable
from nilometer.core.wire.event import text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nilometer.core.statistics import Latest, Tally
    from nilometer.core.statistics.change import Key

C, M = ROWS.c, MEMBERS.c
COLUMNS = ("statistic", "slot", "key", "value", "newest", "text", "source", "sketch")
WHOLE = ("statistic", "slot", "key")
Insert = sqlite.Insert | postgresql.Insert
Changes = Callable[[Insert], dict[str, Any]]
Where = Callable[[Insert], sa.ColumnElement[bool]]
COUNTED = sa.insert(MEMBERS)


def make(connection: sa.Connection, statistic: int, tally: Tally) -> None:
    """Make the changes of a batch to one statistic's rows."""
    _add(connection, statistic, tally.sums)
    if tally.members:
        _count(connection, statistic, tally.members)
    if tally.sketches:
        _merge(connection, statistic, tally.sketches)
    if tally.latest:
        _replace(connection, statistic, tally.latest)


@lru_cache(1 << 14)
def key_text(key: Key) -> str:
    """Return a key as it is stored: a list of words as JSON."""
    return text(list(key)).decode()


def _add(connection: sa.Connection, statistic: int, sums: Mapping[tuple[int, Key], Amount]) -> None:
    rows = [_row(statistic, slot, key, each.newest, value=float(each.amount)) for (slot, key), each in sums.items()]
    _write(connection, rows, _more)


def _more(added: Insert) -> dict[str, Any]:
    return {"value": C.value + added.excluded.value, "newest": _later(added)}


def _replace(connection: sa.Connection, statistic: int, latest: Mapping[Key, Latest]) -> None:
    rows = [
        _row(statistic, 0, key, each.time, text=storable(each.value), source=storable(each.id)) for key, each in latest.items()
    ]
    _write(connection, rows, _other, _is_later)


def _other(added: Insert) -> dict[str, Any]:
    return {name: added.excluded[name] for name in ("newest", "text", "source")}


def _is_later(added: Insert) -> sa.ColumnElement[bool]:
    new = added.excluded
    return sa.or_(new.newest > C.newest, sa.and_(new.newest == C.newest, new.source > C.source))


def _merge(connection: sa.Connection, statistic: int, sketches: Mapping[tuple[int, Key], tuple[Sketch, float]]) -> None:
    held, rows = _sketches(connection, statistic, [(slot, key_text(key)) for slot, key in sketches]), []
    for (slot, key), (sketch, newest) in sketches.items():
        before = held.get((slot, key_text(key)))
        whole = Sketch.decode(before) if before else Sketch()
        whole.merge(sketch)
        rows.append(_row(statistic, slot, key, newest, value=float(whole.count), sketch=whole.encode()))
    _write(connection, rows, _merged)


def _merged(added: Insert) -> dict[str, Any]:
    return {"value": added.excluded.value, "sketch": added.excluded.sketch, "newest": _later(added)}


def _sketches(connection: sa.Connection, statistic: int, places: Sequence[tuple[int, str]]) -> dict[tuple[int, str], bytes]:
    """Return the sketches that are there, by slot and key."""
    place, asked = sa.tuple_(C.slot, C.key), sa.select(C.slot, C.key, C.sketch).where(C.statistic == statistic)
    found = (connection.execute(asked.where(place.in_(part))) for part in parts(places))
    return {(row.slot, row.key): row.sketch for rows in found for row in rows}


def _count(connection: sa.Connection, statistic: int, members: Mapping[tuple[int, Key, str], float]) -> None:
    """Add the members that are new, and how many they are to the rows."""
    places = sorted((slot, key_text(key), member) for slot, key, member in members)
    counted = _counted(connection, statistic, places)
    new = [place for place in places if place not in counted]
    if new:
        rows = [{"statistic": statistic, "slot": slot, "key": key, "member": member} for slot, key, member in new]
        many.execute(connection, COUNTED, rows)
    sums: dict[tuple[int, Key], Amount] = {}
    for (slot, key, member), newest in members.items():
        amount, before = sums.get((slot, key), (0, newest))
        sums[slot, key] = Amount(amount + ((slot, key_text(key), member) not in counted), max(before, newest))
    _add(connection, statistic, sums)


def _counted(connection: sa.Connection, statistic: int, places: Sequence[tuple[int, str, str]]) -> set[tuple[int, str, str]]:
    """Return those of the places, slot, key and member each, that were counted before."""
    place, asked = sa.tuple_(M.slot, M.key, M.member), sa.select(M.slot, M.key, M.member).where(M.statistic == statistic)
    found = (connection.execute(asked.where(place.in_(part))) for part in parts(places))
    return {(row.slot, row.key, row.member) for rows in found for row in rows}


def _row(  # noqa: PLR0913 the columns
    statistic: int,
    slot: int,
    key: Key,
    newest: float,
    *,
    value: float = 0.0,
    text: str | None = None,
    source: str | None = None,
    sketch: bytes | None = None,
) -> dict[str, Any]:
    return {
        "statistic": statistic,
        "slot": slot,
        "key": key_text(key),
        "value": value,
        "newest": newest,
        "text": text,
        "source": source,
        "sketch": sketch,
    }


def _later(added: Insert) -> sa.ColumnElement[float]:
    return sa.case((added.excluded.newest > C.newest, added.excluded.newest), else_=C.newest)


def _write(connection: sa.Connection, rows: list[dict[str, Any]], changes: Changes, where: Where | None = None) -> None:
    """Insert rows; those that are there are changed instead, as `changes` says, if `where` holds."""
    if not rows:
        return
    rows.sort(key=lambda row: (row["slot"], row["key"]))
    postgres = connection.dialect.name == "postgresql"
    statement = _statement(changes, where, postgres=postgres)
    if postgres:
        connection.execute(statement, {f"all_{name}": [row[name] for row in rows] for name in COLUMNS})
    else:
        many.execute(connection, statement, rows)


@lru_cache(16)
def _statement(changes: Changes, where: Where | None, *, postgres: bool) -> Insert:
    added: Insert = _all_at_once() if postgres else sqlite.insert(ROWS)
    return added.on_conflict_do_update(
        index_elements=list(WHOLE), set_=changes(added), where=None if where is None else where(added)
    )


def _all_at_once() -> postgresql.Insert:
    """Return PostgreSQL's insert of arrays: a statement for each row would be a round trip for each."""
    types = {name: postgresql.ARRAY(_plain(C[name].type)) for name in COLUMNS}
    arrays = [sa.func.unnest(sa.bindparam(f"all_{name}", type_=types[name])).label(name) for name in COLUMNS]
    return postgresql.insert(ROWS).from_select(list(COLUMNS), sa.select(*arrays))


def _plain(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    """Return the type of an array's elements: texts need no collation there."""
    return sa.Text() if isinstance(kind, sa.types.TypeDecorator) else kind
