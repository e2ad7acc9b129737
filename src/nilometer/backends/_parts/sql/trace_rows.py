"""The rows of the table `nilometer_traces`: of a trace that is new, and of one to which something is added."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite

from nilometer.backends._parts.sql.trace_tables import META, TRACES

if TYPE_CHECKING:
    from nilometer.core.traces.summary import Summary

SUMMARY = (str, int, int, str, str, str, int, int, str, bool, dict, dict)
"""What a summary holds, by type."""
FOREVER = (1 << 63) - 1
_T = TRACES.c


def row(trace: Summary, last: int) -> dict[str, Any]:
    """Return the row of a trace of which nothing else is known."""
    return {
        "trace": trace.trace,
        "start": trace.start,
        "last": last,
        "duration": trace.duration,
        "errors": trace.errors,
        "pieces": 1,
        "stale": 0,
        "summary": _told(trace),
    }


def unknown(trace: str) -> dict[str, Any]:
    """Return the row of a trace of which only the id is known."""
    times = {"start": FOREVER, "last": -FOREVER, "duration": 0, "errors": 0}
    return {"trace": trace, **times, "pieces": 1, "stale": 1, "summary": "null"}


@lru_cache(4)
def upsert(dialect: str) -> sa.Insert:
    """Return the statement that adds a trace's row, or notes in the one that is there that something was added."""
    if dialect == "mysql":
        added: Any = mysql.insert(TRACES)
        new = added.inserted
    else:
        added = (postgresql if dialect == "postgresql" else sqlite).insert(TRACES)
        new = added.excluded
    least, most = ("min", "max") if dialect == "sqlite" else ("least", "greatest")
    changed = {
        "start": getattr(sa.func, least)(_T.start, new.start),
        "last": getattr(sa.func, most)(_T.last, new.last),
        "pieces": _T.pieces + sa.literal_column("1"),
        "stale": sa.literal_column("1"),
    }
    if dialect == "mysql":
        return added.on_duplicate_key_update(**changed)  # type: ignore[no-any-return]  # a statement of one dialect
    return added.on_conflict_do_update(index_elements=["trace"], set_=changed)  # type: ignore[no-any-return]  # as above


def _told(trace: Summary) -> str:
    return json.dumps(trace, separators=(",", ":"))


@lru_cache(4)
def remember(dialect: str) -> sa.Insert:
    """Return the statement that notes a number by its name, where it is larger than the one that is there."""
    if dialect == "mysql":
        added: Any = mysql.insert(META)
        return added.on_duplicate_key_update(value=sa.func.greatest(META.c.value, added.inserted.value))  # type: ignore[no-any-return]  # as above
    added = (postgresql if dialect == "postgresql" else sqlite).insert(META)
    most = sa.func.greatest if dialect == "postgresql" else sa.func.max
    larger = most(META.c.value, added.excluded.value)
    return added.on_conflict_do_update(index_elements=["name"], set_={"value": larger})  # type: ignore[no-any-return]  # as above
