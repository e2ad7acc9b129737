"""The tables that hold events.

Rules:

* `nilometer_events` has a row for each event. Its words compare byte by byte in every database, as Python compares them, so
  all of them give the same events in the same order.
* Events are looked for by time, and by one word and time: each has an index that ends in the order of events. SQLite's index
  by time holds all that events are counted by.
* `nilometer_events_meta` holds the version of the layout (`layout`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from nilometer.backends._parts.sql.layout import Layout, meta_table
from nilometer.backends._parts.sql.types import Document, Word

if TYPE_CHECKING:
    from collections.abc import Callable

VERSION = 1
METADATA = sa.MetaData()
EVENTS = sa.Table(
    "nilometer_events",
    METADATA,
    sa.Column("id", Word, primary_key=True),
    sa.Column("time", sa.Double, nullable=False),
    sa.Column("type", Word, nullable=False),
    sa.Column("publisher", Word, nullable=False),
    sa.Column("priority", Word, nullable=False),
    sa.Column("tenant", Word, nullable=False),
    sa.Column("payload", Document, nullable=False),
    sa.Column("context", Document, nullable=False),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
    mysql_row_format="DYNAMIC",
)
WORDS = ("type", "publisher", "priority", "tenant")
_C = EVENTS.c
sa.Index("nilometer_events_by_time", _C.time, _C.id).ddl_if(
    dialect=("postgresql", "mysql")  # type: ignore[arg-type]  # it takes several, as its documentation says
)
sa.Index("nilometer_events_by_time", _C.time, _C.id, *(_C[name] for name in WORDS)).ddl_if(dialect="sqlite")
for _name in WORDS:
    sa.Index(f"nilometer_events_by_{_name}", _C[_name], _C.time, _C.id)
META = meta_table("nilometer_events_meta", METADATA)
UPGRADES: dict[int, Callable[[sa.Connection], None]] = {}
"""What brings the tables of each earlier version one version further."""
LAYOUT = Layout(METADATA, META, VERSION, "events", UPGRADES)
