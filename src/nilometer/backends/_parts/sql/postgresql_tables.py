"""What PostgreSQL knows of its tables and indexes.

* Sizes are those of the files now, exact: a table's without its indexes, which are rows of their own; ``total_bytes`` is both.
* Rows are an estimate, as the planner makes it: as many a page as ANALYZE or VACUUM found, on the pages that there are now.
  Where neither came by yet, it is what the statistics have counted, ``n_live_tup``; nothing counted yet: missing. A table
  whose file is empty has no rows, exactly.
* A partitioned table has no figures of its own: its partitions have them, each once.
* The size of a table that somebody holds locked is asked for by itself, so that it alone is a fault.

Source: https://www.postgresql.org/docs/current/monitoring-stats.html, https://www.postgresql.org/docs/current/catalog-pg-class.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from nilometer.core.errors import NilometerError
from nilometer.core.table import ITEMS, SIZE, Fault, Figure, Quality, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nilometer.backends._parts.sql.database import Database

RELATIONS = sa.text("""
SELECT c.oid AS oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind,
       c.reltuples AS reltuples, c.relpages AS pages,
       s.n_live_tup AS live, s.n_dead_tup AS dead, s.n_tup_ins AS inserted, s.n_tup_upd AS updated, s.n_tup_del AS deleted,
       s.seq_scan AS seq_scans, s.idx_scan AS index_scans
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid = c.oid
WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 2, 3 LIMIT :most
""")
INDEXES = sa.text("""
SELECT i.indexrelid AS oid, x.relname AS name, i.indisvalid AS valid, s.idx_scan AS scans, s.idx_tup_read AS read
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
LEFT JOIN pg_catalog.pg_stat_all_indexes s ON s.indexrelid = i.indexrelid
WHERE i.indrelid = :oid AND x.relkind = 'i' ORDER BY 2
""")
SIZES = sa.text(
    "SELECT pg_catalog.pg_table_size(:oid) AS own, pg_catalog.pg_total_relation_size(:oid) AS total, "
    "pg_catalog.pg_relation_size(:oid) AS heap"
)
LOCKED = sa.text("SET LOCAL lock_timeout = '1s'")
EVENTS = {"dead": "dead_rows", "inserted": "inserted", "updated": "updated", "deleted": "deleted", "seq_scans": "seq_scans"}
EVENTS |= {"index_scans": "index_scans"}
"""Columns of the statistics, and our names of figures."""
PARTITIONED = "partitioned"
PAGE = 8192
"""Bytes in a page, of every server that was not built otherwise."""


def read(database: Database, wanted: Callable[[str, str], bool], most: int) -> Iterator[Table | Fault]:
    """Yield the tables, each followed by its indexes. Raise `Unavailable` when not even their list can be had."""
    with database.connected() as connection:
        relations = connection.execute(RELATIONS, {"most": most}).all()
    for relation in relations:
        if not wanted(relation.schema, relation.name):
            continue
        try:
            yield from _table(database, relation)
        except NilometerError as error:
            yield Fault(relation.schema, relation.name, str(error))


def _table(database: Database, relation: Any) -> list[Table]:  # noqa: ANN401 a row
    """Return a table and its indexes; nothing when it is gone. Raise `NilometerError`."""
    if relation.kind == "p":
        return [Table(relation.schema, relation.name, status=PARTITIONED)]
    with database.connected() as connection:
        connection.execute(LOCKED)
        size = connection.execute(SIZES, {"oid": relation.oid}).one()
        if size.own is None:
            return []
        indexes = [
            (index, connection.execute(SIZES, {"oid": index.oid}).one().heap)
            for index in connection.execute(INDEXES, {"oid": relation.oid}).all()
        ]
    figures = {SIZE: Figure(size.own), "total_bytes": Figure(size.total), **_rows(relation, size.heap)}
    figures |= {ours: Figure(value) for theirs, ours in EVENTS.items() if (value := getattr(relation, theirs)) is not None}
    return [
        Table(relation.schema, relation.name, status="active", figures=figures),
        *(_index(relation, index, bytes_) for index, bytes_ in indexes if bytes_ is not None),
    ]


def _rows(relation: Any, heap: int) -> dict[str, Figure]:  # noqa: ANN401 a row
    if heap == 0:
        return {ITEMS: Figure(0)}
    if relation.reltuples >= 0 and relation.pages > 0:
        return {ITEMS: Figure(float(round(relation.reltuples / relation.pages * heap / PAGE)), Quality.ESTIMATE)}
    return {ITEMS: Figure(float(relation.live), Quality.ESTIMATE)} if relation.live else {}


def _index(relation: Any, index: Any, size: int) -> Table:  # noqa: ANN401 rows
    figures = {SIZE: Figure(size)}
    figures |= {
        name: Figure(value) for name, value in (("index_scans", index.scans), ("entries_read", index.read)) if value is not None
    }
    return Table(relation.schema, relation.name, index.name, "active" if index.valid else "invalid", figures)
