"""Many rows in one statement to SQLite, without SQLAlchemy's look at each value: that would take longer than SQLite does.

A statement is made once and used again: to write it as text takes longer than SQLite does, too.
"""

from __future__ import annotations

from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import sqlalchemy as sa

SQLITE = sqlite.dialect()


class Compiled(NamedTuple):
    """The text of a statement, and what makes the values for it of a row."""

    text: str
    values: Callable[[Mapping[str, Any]], tuple[Any, ...]]


@lru_cache(64)
def _compiled(statement: sa.Insert, columns: tuple[str, ...]) -> Compiled:
    """Return a statement for SQLite; every one of ours has several values."""
    found: Any = statement.compile(dialect=SQLITE, column_keys=list(columns))
    return Compiled(str(found), itemgetter(*found.positiontup))


def execute(connection: sa.Connection, statement: sa.Insert, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute an insert for each of the rows; in SQLite, whose types need no conversion, by the driver itself."""
    if connection.dialect.name != "sqlite":
        connection.execute(statement, rows)
        return
    compiled = _compiled(statement, tuple(rows[0]))
    connection.exec_driver_sql(compiled.text, list(map(compiled.values, rows)))
