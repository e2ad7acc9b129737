"""What MySQL and MariaDB know of their tables and indexes.

* Of InnoDB's tables rows are an estimate, and sizes are those of the last ANALYZE (``stale``), which the server does by itself
  now and then. Other engines count: theirs are exact.
* Sizes of InnoDB's indexes stand in ``mysql.innodb_index_stats``; without the right to read that, they are left out. The
  primary key is the table itself and no index here.
* A table that the server cannot open has a fault with what the server says about it.

Source: https://dev.mysql.com/doc/refman/8.4/en/information-schema-tables-table.html,
https://dev.mysql.com/doc/refman/8.4/en/innodb-persistent-stats.html
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from nilometer.core.errors import NilometerError
from nilometer.core.table import ITEMS, SIZE, Fault, Figure, Quality, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nilometer.backends._parts.sql.database import Database

TABLES = sa.text("""
SELECT TABLE_SCHEMA AS project, TABLE_NAME AS name, ENGINE AS engine, TABLE_ROWS AS items, DATA_LENGTH AS data,
       INDEX_LENGTH AS indexes, DATA_FREE AS free, TABLE_COMMENT AS comment
FROM information_schema.TABLES
WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')
  AND TABLE_SCHEMA NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')
ORDER BY 1, 2 LIMIT :most
""")
INDEXES = sa.text("""
SELECT database_name AS project, table_name AS name, index_name AS label, stat_value * @@innodb_page_size AS size
FROM mysql.innodb_index_stats
WHERE stat_name = 'size' AND index_name NOT IN ('PRIMARY', 'GEN_CLUST_INDEX') ORDER BY 1, 2, 3 LIMIT :most
""")
FRESH = sa.text("SET SESSION information_schema_stats_expiry = 0")
"""MySQL 8 otherwise tells figures of up to a day ago; MariaDB has no such setting."""
GUESSING = "InnoDB"


def read(database: Database, wanted: Callable[[str, str], bool], most: int) -> Iterator[Table | Fault]:
    """Yield the tables, each followed by its indexes. Raise `Unavailable` when not even their list can be had."""
    with database.connected() as connection:
        if "mariadb" not in str(connection.scalar(sa.text("SELECT VERSION()"))).lower():
            connection.execute(FRESH)
        tables = connection.execute(TABLES, {"most": most}).all()
    indexes = _indexes(database, most)
    for row in tables:
        if wanted(row.project, row.name):
            yield _table(row)
            yield from indexes.get((row.project, row.name), ())


def _table(row: Any) -> Table | Fault:  # noqa: ANN401 a row
    if row.engine is None or row.data is None:
        return Fault(row.project, row.name, row.comment or "the server tells nothing about it")
    guessed = row.engine == GUESSING
    stale, estimate = (Quality.STALE, Quality.ESTIMATE) if guessed else (Quality.EXACT, Quality.EXACT)
    known = ((ITEMS, row.items, estimate), (SIZE, row.data, stale), ("index_bytes", row.indexes, stale))
    figures = {name: Figure(float(value), quality) for name, value, quality in known if value is not None}
    if row.free is not None:
        figures["free_bytes"] = Figure(float(row.free), stale)
    return Table(row.project, row.name, status="active", figures=figures)


def _indexes(database: Database, most: int) -> dict[tuple[str, str], list[Table]]:
    found: dict[tuple[str, str], list[Table]] = {}
    with contextlib.suppress(NilometerError), database.connected() as connection:
        for row in connection.execute(INDEXES, {"most": most}).all():
            figures = {SIZE: Figure(float(row.size), Quality.STALE)}
            found.setdefault((row.project, row.name), []).append(Table(row.project, row.name, row.label, "active", figures))
    return found
