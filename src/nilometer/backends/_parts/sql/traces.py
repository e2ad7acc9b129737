"""A store of traces in a database; `trace_tables` says how they lie there.

Rules:

* Spans are stored when `write_spans` returns, all of them or none. Writing only appends, so that several processes may write,
  to the same trace too, and may write the same again.
* What a trace's summary says is found out by the next who lists: the trace is read, and its row brought up to date, unless
  something was added meanwhile. So lists are right, and writing never reads.
* With ``layout=osprofiler`` spans go to OSProfiler's table `data`. What lies there, of whoever wrote it, is found by its
  numbers: only rows that are new since the last look, and some before them that may have been committed late, are looked at.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from nilometer.backends._parts.sql import trace_data
from nilometer.backends._parts.sql.layout import Tables
from nilometer.backends._parts.sql.many import execute
from nilometer.backends._parts.sql.trace_rows import SUMMARY, row, upsert
from nilometer.backends._parts.sql.trace_tables import LAYOUT, SPANS, TRACES
from nilometer.backends._parts.trace_list import page
from nilometer.core.errors import InputError
from nilometer.core.traces.ids import trace_id
from nilometer.core.traces.query import FoundTraces, behind, matches
from nilometer.core.traces.span import NANO, merge
from nilometer.core.traces.summary import Summary, summarise
from nilometer.core.wire import span as wire
from nilometer.core.wire.bounded_json import read_many

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nilometer.backends._parts.sql.database import Database
    from nilometer.core.cursor import Place
    from nilometer.core.traces.query import TraceQuery
    from nilometer.core.traces.span import Span

TOGETHER = 500
"""Traces that are looked at, brought up to date or deleted at a time."""
LARGEST = 1 << 24
"""Bytes of a summary, at most."""
FOREVER = (1 << 63) - 1
_T = TRACES.c


class SqlTraces:
    """Traces in a database. All methods may be called from any thread. `theirs`: write in OSProfiler's layout."""

    def __init__(self, database: Database, *, theirs: bool = False) -> None:
        self._database, self._theirs = database, theirs
        self._tables = Tables(database, LAYOUT)

    def write_spans(self, spans: Sequence[Span]) -> None:
        """Append the spans to their traces. Raise `Rejected`, `Unavailable`, `StoreError`."""
        if not spans:
            return
        with self._tables.writing() as connection:
            if self._theirs:
                trace_data.write(connection, spans)
            else:
                _append(connection, spans)

    def read_trace(self, trace: str, most: int = 100_000) -> list[Span]:
        """Return up to `most` spans of one trace, in order of start. Raise `TooSlow`, `Unavailable`."""
        with self._reading() as connection:
            if connection is not None:
                return merge(_spans(connection, trace))[:most]
        with _unless_absent(self._database) as connection:  # OSProfiler's table may be there alone
            return [] if connection is None else merge(trace_data.read(connection, trace))[:most]

    def find_traces(self, query: TraceQuery, limit: int = 100, cursor: str = "") -> FoundTraces:
        """Return up to `limit` traces, newest first, from `cursor` on. Raise `InputError` for a cursor that is none."""
        place, step = behind(cursor), max(limit + 1, TOGETHER)
        self._renew()
        found: list[Summary] = []
        with self._reading() as connection:
            if connection is not None:
                matching = (trace for trace in _traces(connection, query, place, step) if matches(query, trace))
                found = list(itertools.islice(matching, limit + 1))
        return page(found, limit)

    def delete_trace(self, trace: str) -> bool:
        """Delete a trace. Return whether there was one."""
        return self._changing(lambda connection: _delete(connection, [trace_id(trace)])) > 0

    def drop_traces(self, before: float) -> int:
        """Delete a part of the traces all of whose spans started before a time. Return how many; 0 once none is left."""
        self._renew()
        old = sa.select(_T.trace).where(_T.last < int(before * NANO)).limit(TOGETHER)
        return self._changing(lambda connection: _delete(connection, list(connection.execute(old).scalars())))

    def check(self) -> str:
        """Connect and say what there is. Raise `Unavailable`, `StoreError`."""
        with self._reading() as connection:
            if connection is None:
                return f"{self._database.place}: no traces yet, their tables are made with the first"
            count = connection.execute(sa.select(sa.func.count()).select_from(TRACES)).scalar()
        return f"{self._database.place}: {count} traces"

    def close(self) -> None:
        """Close the connections; what was written is stored."""
        self._database.close()

    def _reading(self) -> Any:  # noqa: ANN401 a context of a connection, or of None
        return self._tables.reading()

    def _changing(self, work: Any) -> int:  # noqa: ANN401 what is done with a connection
        """Do something where there are tables. Return what it says."""
        self._look()
        with self._reading() as connection:
            if connection is None:
                return 0
        with self._tables.writing() as connection:
            return int(work(connection))

    def _look(self) -> None:
        """Have a look at OSProfiler's table, where one is there and holds what was not looked at."""
        with _unless_absent(self._database) as connection:
            new = connection is not None and trace_data.news(connection)
        if new:
            with self._tables.writing() as connection:
                trace_data.note(connection)

    def _renew(self) -> None:
        """Bring the rows of those traces up to date to which something was added."""
        self._look()
        while True:
            with self._reading() as connection:
                found = [] if connection is None else _stale(connection)
            if not found:
                return
            with self._tables.writing() as connection:
                for trace, pieces, summary, last in found:
                    _settle(connection, trace, pieces, summary, last)
            if len(found) < TOGETHER:
                return


def _unless_absent(database: Database) -> Any:  # noqa: ANN401 a context of a connection, or of None
    return contextlib.nullcontext() if database.absent else database.connected()


# -- writing -----------------------------------------------------------------------------------------------------------


def _append(connection: sa.Connection, spans: Sequence[Span]) -> None:
    pieces, rows = [], []
    for trace, group in itertools.groupby(sorted(spans, key=attrgetter("trace")), attrgetter("trace")):
        own = list(group)
        pieces.append({"trace": trace, "spans": wire.encode(own).decode()})
        rows.append(row(summarise(merge(own)), max(span.start for span in own)))
    execute(connection, upsert(connection.dialect.name), rows)
    execute(connection, sa.insert(SPANS), pieces)


# -- reading -----------------------------------------------------------------------------------------------------------


def _spans(connection: sa.Connection, trace: str) -> list[Span]:
    """Return the spans of a trace, in order of arrival. Rows that hold none are left out."""
    wanted = sa.select(SPANS.c.spans).where(SPANS.c.trace == trace_id(trace)).order_by(SPANS.c.nr)
    ours = itertools.chain.from_iterable(map(_decoded, connection.execute(wanted).scalars()))
    return [*trace_data.read(connection, trace), *ours]


def _decoded(text: str) -> list[Span]:
    try:
        return wire.decode(text.encode())
    except InputError:
        return []


def _stale(connection: sa.Connection) -> list[tuple[str, int, Summary | None, int]]:
    """Return some traces to which something was added: how many pieces they have, what they are now, and their last start."""
    wanted = sa.select(_T.trace, _T.pieces).where(_T.stale == 1).order_by(_T.trace).limit(TOGETHER)
    found: list[tuple[str, int, Summary | None, int]] = []
    for trace, pieces in connection.execute(wanted).all():
        spans = merge(_spans(connection, trace))
        found.append((trace, pieces, summarise(spans) if spans else None, spans[-1].start if spans else 0))
    return found


def _settle(connection: sa.Connection, trace: str, pieces: int, summary: Summary | None, last: int) -> None:
    """Bring a trace's row up to date, unless something was added meanwhile; take it out where nothing is left of the trace."""
    same = (_T.trace == trace) & (_T.pieces == pieces)
    if summary is None:
        connection.execute(sa.delete(TRACES).where(same))
    else:
        values = row(summary, last)
        connection.execute(sa.update(TRACES).where(same).values(**{**values, "trace": trace, "pieces": pieces}))


def _traces(connection: sa.Connection, query: TraceQuery, place: Place | None, step: int) -> Iterator[Summary]:
    """Yield the traces that may be asked for, newest first; what columns cannot tell is left to `matches`."""
    wanted = sa.select(_T.trace, _T.start, _T.summary).where(*_conditions(query)).order_by(_T.start.desc(), _T.trace.desc())
    at: tuple[int, str] | None = None if place is None else (int(place.time), place.id)
    while True:
        rest = wanted if at is None else wanted.where((_T.start < at[0]) | ((_T.start == at[0]) & (_T.trace < at[1])))
        rows = connection.execute(rest.limit(step)).all()
        yield from _summaries([found.summary for found in rows])
        if len(rows) < step:
            return
        at = (rows[-1].start, rows[-1].trace)


def _conditions(query: TraceQuery) -> list[Any]:
    found: list[Any] = [_T.start >= max(query.since, -FOREVER), _T.start < min(query.until, FOREVER)]
    if query.shortest > 0:
        found.append(_T.duration >= query.shortest)
    if query.longest < FOREVER:
        found.append(_T.duration <= query.longest)
    if query.error is not None:
        found.append(_T.errors > 0 if query.error else _T.errors == 0)
    words = [word for word in (query.service, query.project) if word]
    if not set("*?[") & set(query.name):
        words.append(query.name)
    return found + [_holds(word) for word in words]


def _holds(word: str) -> Any:  # noqa: ANN401 a condition
    """Return the condition that the summary's text holds a word, as JSON writes it; what holds it elsewhere is no harm."""
    return sa.func.length(sa.func.replace(_T.summary, json.dumps(word), "")) < sa.func.length(_T.summary)


def _summaries(texts: Sequence[str]) -> Iterator[Summary]:
    """Yield the summaries that texts hold, many at once; those that are none are left out."""
    for found in read_many([text.encode() for text in texts], LARGEST):
        if isinstance(found, list) and tuple(map(type, found)) == SUMMARY:
            yield Summary._make(found)


# -- deleting ----------------------------------------------------------------------------------------------------------


def _delete(connection: sa.Connection, traces: Sequence[str]) -> int:
    """Delete traces. Return how many were there."""
    if not traces:
        return 0
    gone = connection.execute(sa.delete(TRACES).where(_T.trace.in_(traces))).rowcount
    connection.execute(sa.delete(SPANS).where(SPANS.c.trace.in_(traces)))
    trace_data.delete(connection, traces)
    return int(gone)
