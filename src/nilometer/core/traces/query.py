"""What one asks a store of traces, and what it answers.

Rules:

* `matches` is what the conditions mean; a store that finds traces by other means finds the same.
* Traces are in order of their start, then of id, newest first, and so is the cursor (`core/cursor.py`, in ns).
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.cursor import NANOSECONDS, Place, cursor, place

if TYPE_CHECKING:
    from nilometer.core.traces.summary import Summary

FOREVER = 1 << 63
"""Later than any time, longer than any trace, in ns."""


@dataclass(frozen=True, slots=True)
class TraceQuery:
    """Which traces: all conditions hold together.

    `service` is a whole word, empty for all; `name` a glob, where ``*`` crosses everything: some span of the trace has them.
    `error` True asks for those with an error, False for those without. ``shortest <= duration <= longest``, of the whole trace;
    ``since <= start < until``; all in ns. `project` is that of the root.
    """

    service: str = ""
    name: str = "*"
    project: str = ""
    error: bool | None = None
    shortest: int = 0
    longest: int = FOREVER
    since: int = -FOREVER
    until: int = FOREVER


EVERYTHING = TraceQuery()


class FoundTraces(NamedTuple):
    """One page of traces, newest first, and the cursor of the next, empty at the end."""

    traces: list[Summary]
    cursor: str


def matches(query: TraceQuery, trace: Summary) -> bool:
    """Return whether the trace is one of those that are asked for."""
    return (
        query.since <= trace.start < query.until
        and query.shortest <= trace.duration <= query.longest
        and (query.error is None or query.error == bool(trace.errors))
        and (not query.service or query.service in trace.services)
        and query.project in ("", trace.project)
        and (query.name == "*" or any(fnmatch.fnmatchcase(name, query.name) for name in trace.names))
    )


def place_of(trace: Summary) -> Place:
    """Return where a trace stands in the order of all, its time in ns."""
    return Place(trace.start, trace.trace)


def cursor_of(trace: Summary) -> str:
    """Return the cursor behind a trace."""
    return cursor(*place_of(trace), NANOSECONDS)


def behind(text: str) -> Place | None:
    """Return the place that a cursor tells, None for the empty one. Raise `InputError` for one that is none."""
    return place(text, NANOSECONDS)
