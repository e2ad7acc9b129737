"""The tables that hold traces: our own, and the one in which OSProfiler keeps its notifications.

Rules:

* `nilometer_spans` has a row for each writing of each trace: its spans as rows of JSON (`core/wire/span`), in order of arrival.
* `nilometer_traces` has a row for each trace: what is looked for as columns, the whole summary as JSON. `start` and `last`, the
  starts of its first and its last span in ns, are right at any time; the rest once `stale` is 0. `pieces` counts writings.
* `data` is OSProfiler's: a row for each notification, of which `data` is a text of JSON within JSON. It is not ours: it is made
  only by who writes in its layout.

Source of `data`: osprofiler 4.4.0, ``osprofiler/drivers/sqlalchemy_driver.py``.
"""

from __future__ import annotations

import sqlalchemy as sa

from nilometer.backends._parts.sql.layout import Layout, meta_table
from nilometer.backends._parts.sql.types import Document, Word

METADATA = sa.MetaData()
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""SQLite numbers rows by itself where the type is this one."""
SPANS = sa.Table(
    "nilometer_spans",
    METADATA,
    sa.Column("nr", NUMBER, primary_key=True, autoincrement=True),
    sa.Column("trace", Word, nullable=False),
    sa.Column("spans", Document, nullable=False),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
    mysql_row_format="DYNAMIC",
)
sa.Index("nilometer_spans_by_trace", SPANS.c.trace, SPANS.c.nr)
TRACES = sa.Table(
    "nilometer_traces",
    METADATA,
    sa.Column("trace", Word, primary_key=True),
    sa.Column("start", sa.BigInteger, nullable=False),
    sa.Column("last", sa.BigInteger, nullable=False),
    sa.Column("duration", sa.BigInteger, nullable=False),
    sa.Column("errors", sa.BigInteger, nullable=False),
    sa.Column("pieces", sa.BigInteger, nullable=False),
    sa.Column("stale", sa.SmallInteger, nullable=False),
    sa.Column("summary", Document, nullable=False),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
    mysql_row_format="DYNAMIC",
)
sa.Index("nilometer_traces_by_start", TRACES.c.start, TRACES.c.trace)
sa.Index("nilometer_traces_by_last", TRACES.c.last)
sa.Index("nilometer_traces_by_stale", TRACES.c.stale, TRACES.c.trace)
META = meta_table("nilometer_traces_meta", METADATA)
LAYOUT = Layout(METADATA, META, 1, "traces")

THEIRS = sa.MetaData()
DATA = sa.Table(
    "data",
    THEIRS,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("timestamp", sa.String(26), index=True),
    *(sa.Column(name, sa.String(255), index=True) for name in ("base_id", "parent_id", "trace_id")),
    *(sa.Column(name, sa.String(255), index=True) for name in ("project", "host", "service", "name")),
    sa.Column("data", sa.JSON),
    mysql_charset="utf8mb4",
)
