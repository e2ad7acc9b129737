"""Rows read, deleted, merged.

Rules:

* Rows of windows are in order of slot, then of key: the order of the table. Rows without windows are in order of the newest
  message, then of key.
* A cursor is the place of the last row given.
"""

from __future__ import annotations

import json
import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from nilometer.backends._parts.sql.statistics import changes
from nilometer.backends._parts.sql.statistics.inbox import TOGETHER
from nilometer.backends._parts.sql.statistics.tables import MEMBERS, ROWS
from nilometer.core import cursor as cursors
from nilometer.core.sketch import Sketch
from nilometer.core.statistics import Found, Kind, Row, Tally
from nilometer.core.statistics.change import Amount

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nilometer.core.statistics import RowQuery
    from nilometer.core.statistics.change import Key

C, M = ROWS.c, MEMBERS.c
DELETED = 5000
"""Rows that are deleted at a time, so that nobody waits for long."""
MERGED = 2000
"""Rows that are merged at a time."""
FARTHEST = float(1 << 62)
"""Labels lie nearer than this."""


def find(  # noqa: PLR0913 as the store is asked
    connection: sa.Connection, statistic: int, query: RowQuery, limit: int, *, cursor: str, offset: int
) -> Found:
    """Return up to `limit` rows, behind a cursor or an offset. Raise `InputError`."""
    behind = cursors.place(cursor)
    windowed = has_windows(connection, statistic)
    chosen = _chosen(connection, statistic, query, windowed=windowed)
    time, key = (chosen.c.slot if windowed else chosen.c.newest), chosen.c.key
    if behind is not None:
        place = sa.tuple_(time, key)
        value = sa.tuple_(sa.literal(int(behind.time) if windowed else behind.time), sa.literal(behind.id, C.key.type))
        chosen = sa.select(chosen).where(place > value if query.order == "asc" else place < value).subquery()
        time, key = (chosen.c.slot if windowed else chosen.c.newest), chosen.c.key
    order = (time.asc(), key.asc()) if query.order == "asc" else (time.desc(), key.desc())
    rows = connection.execute(sa.select(chosen).order_by(*order).limit(limit + 1).offset(offset)).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return Found([_row(row) for row in rows[:limit]], "" if last is None else _cursor(last, windowed=windowed))


def count(connection: sa.Connection, statistic: int, query: RowQuery) -> int:
    """Return how many rows there are."""
    chosen = _chosen(connection, statistic, query, windowed=has_windows(connection, statistic))
    return connection.scalar(sa.select(sa.func.count()).select_from(chosen)) or 0


def between(connection: sa.Connection, statistic: int, first: int, last: int) -> int:
    """Return how many rows have labels from `first` to `last`."""
    where = (C.statistic == statistic, C.slot >= first, C.slot <= last)
    return connection.scalar(sa.select(sa.func.count()).where(*where)) or 0


def labels(query: RowQuery) -> tuple[int, int]:
    """Return the first and the last label that a query asks for, where there are windows."""
    return math.ceil(max(query.start, -FARTHEST)), math.floor(min(query.stop, FARTHEST))


def has_windows(connection: sa.Connection, statistic: int) -> bool:
    """Return whether its rows are of windows."""
    return connection.scalar(sa.select(C.slot).where(C.statistic == statistic, C.slot == 0).limit(1)) is None


def _chosen(connection: sa.Connection, statistic: int, query: RowQuery, *, windowed: bool) -> sa.Subquery:
    """Return the rows that a query asks for."""
    time = C.slot if windowed else C.newest
    where = [C.statistic == statistic]
    if windowed:
        first, last = labels(query)
        where += [C.slot >= first, C.slot <= last]
    else:
        where += [C.slot == 0, C.newest >= max(query.start, -FARTHEST), C.newest <= min(query.stop, FARTHEST)]
    words = [_word(connection, place) for place, _ in query.words]
    where += [
        word.is_(None) if wanted is None else word == wanted for word, (_, wanted) in zip(words, query.words, strict=True)
    ]
    if not query.top:
        return sa.select(ROWS).where(*where).subquery()
    rank = sa.func.row_number().over(partition_by=time if windowed else None, order_by=(C.value.desc(), C.key)).label("rank")
    ranked = sa.select(ROWS, rank).where(*where).subquery()
    return sa.select(*(ranked.c[column.name] for column in ROWS.c)).where(ranked.c.rank <= query.top).subquery()


def _word(connection: sa.Connection, place: int) -> sa.ColumnElement[Any]:
    """Return a word of the key, by its place."""
    if connection.dialect.name == "postgresql":
        return sa.cast(C.key, sa.dialects.postgresql.JSONB).op("->>")(sa.literal(int(place), sa.Integer))
    return sa.func.json_extract(C.key, f"$[{int(place)}]")


@lru_cache(1 << 14)
def _key(text: str) -> Key:
    """Return a key as `changes.key_text` wrote it."""
    return tuple(json.loads(text))


def _row(row: sa.Row[Any]) -> Row:
    time = float(row.slot or row.newest)
    return Row(time, _key(row.key), row.value, row.text, bytes(row.sketch or b""), row.newest)


def _cursor(row: sa.Row[Any], *, windowed: bool) -> str:
    return cursors.cursor(float(row.slot) if windowed else row.newest, row.key)


def drop(connection: sa.Connection, statistic: int, before: float) -> int:
    """Delete a part of the rows whose time is before, with their members."""
    windowed = has_windows(connection, statistic)
    old = C.slot < before if windowed else sa.and_(C.slot == 0, C.newest < before)
    found = connection.execute(sa.select(C.slot, C.key).where(C.statistic == statistic, old).limit(DELETED)).all()
    return _delete(connection, statistic, found)


def _delete(connection: sa.Connection, statistic: int, found: Sequence[Any]) -> int:
    rows = [{"of": statistic, "at": row.slot, "named": row.key} for row in found]
    if rows:
        for table in (ROWS, MEMBERS):
            c = table.c
            same = (c.statistic == sa.bindparam("of"), c.slot == sa.bindparam("at"), c.key == sa.bindparam("named"))
            connection.execute(sa.delete(table).where(*same), rows)
    return len(rows)


def roll_up(connection: sa.Connection, statistic: int, kind: Kind, before: float, slot: Callable[[int], int]) -> int:
    """Merge a part of the rows of windows before a time into those that `slot` says."""
    labels = connection.scalars(sa.select(C.slot).where(C.statistic == statistic, C.slot != 0, C.slot < before).distinct())
    moving = sorted(label for label in labels if slot(label) != label)[:MERGED]
    if not moving:
        return 0
    where = (C.statistic == statistic, C.slot >= moving[0], C.slot <= moving[-1], C.slot.in_(moving[:TOGETHER]))
    rows = connection.execute(sa.select(ROWS).where(*where).order_by(C.slot, C.key).limit(MERGED)).all()
    tally = Tally()
    for row in rows:
        _move(connection, statistic, kind, row, slot(row.slot), tally)
    _delete(connection, statistic, rows)
    changes.make(connection, statistic, tally)
    return len(rows)


def _move(  # noqa: PLR0913, PLR0917 what a row is moved by
    connection: sa.Connection, statistic: int, kind: Kind, row: sa.Row[Any], label: int, tally: Tally
) -> None:
    """Note what a row adds to that of another window."""
    key = _key(row.key)
    if kind is Kind.DISTINCT:
        where = (M.statistic == statistic, M.slot == row.slot, M.key == row.key)
        for member in connection.scalars(sa.select(M.member).where(*where)):
            tally.members[label, key, member] = max(row.newest, tally.members.get((label, key, member), row.newest))
    elif kind is Kind.DISTRIBUTION:
        sketch, newest = tally.sketches.get((label, key), (Sketch(), row.newest))
        sketch.merge(Sketch.decode(row.sketch))
        tally.sketches[label, key] = (sketch, max(newest, row.newest))
    else:
        held = tally.sums.get((label, key), Amount(0, row.newest))
        tally.sums[label, key] = Amount(held.amount + row.value, max(held.newest, row.newest))
