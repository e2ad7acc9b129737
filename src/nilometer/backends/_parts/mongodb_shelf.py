"""Traces in MongoDB: our own collections, and OSProfiler's.

Rules:

* Ours are ``nilometer_spans`` and ``nilometer_traces`` in the URL's database: documents as in `span_document.py`, one a part of
  a span and one a trace. Their indexes are made before the first use.
* OSProfiler's are ``profiler`` and ``profiler_error`` in the database ``osprofiler``. What others have written there is found
  by the ids of its documents, which begin with the time: each look reads on from where the last one ended, a minute earlier,
  and begins our document of each trace.
* Who may not read OSProfiler's database sees none of it.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from nilometer.backends._parts import notifications, span_document
from nilometer.backends._parts.document_traces import by_trace
from nilometer.backends._parts.mongodb import OSPROFILER
from nilometer.backends._parts.name_pattern import regular
from nilometer.backends._parts.span_document import HEAD, LAST, TraceRow, clean, digest, row_document
from nilometer.core.errors import Unavailable
from nilometer.core.traces.ids import spellings
from nilometer.core.traces.span import Span, merge
from nilometer.core.traces.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nilometer.backends._parts.mongodb import Connection
    from nilometer.core.cursor import Place
    from nilometer.core.traces.query import TraceQuery

SPANS, TRACES, MARKS = "nilometer_spans", "nilometer_traces", "nilometer_marks"
NOTES, ERRORS = "profiler", "profiler_error"
DUPLICATE, UNAUTHORIZED = 11000, 13
SLICE = 100_000
"""Notifications that one question of a look is about, at most."""
TOGETHER = 100
"""Traces that one question names, at most."""
OVERLAP = 60
"""Seconds by which clocks of those who write may differ."""
INDEXES: Mapping[str, Sequence[Sequence[tuple[str, int]]]] = {
    SPANS: ([("trace", 1), ("start", 1)],),
    TRACES: ([("start", -1), ("trace", -1)], [("services", 1), ("start", -1)], [("stale", 1), ("start", -1)], [("last", 1)]),
}


class MongoShelf:
    """The shelf of one database."""

    def __init__(self, connection: Connection, database: str, layout: str) -> None:
        self._connection, self._database = connection, database
        self._theirs = layout == OSPROFILER
        self._prepared = False
        self._indexed = False
        self.announce: Callable[[Sequence[TraceRow]], None] = lambda _: None

    def _ours(self, name: str, work: Callable[[Any], Any]) -> Any:  # noqa: ANN401 whatever the server answers
        """Ask about one of our collections."""
        if not self._prepared:
            self._connection.ask(lambda client: _prepare(client[self._database]))
            self._prepared = True
        return self._connection.ask(lambda client: work(client[self._database][name]))

    def _notes(self, work: Callable[[Any], Any], otherwise: Any, name: str = NOTES) -> Any:  # noqa: ANN401 as above
        """Ask about one of OSProfiler's collections; who may not, gets `otherwise`."""
        try:
            return self._connection.ask(lambda client: work(client[OSPROFILER][name]))
        except Unavailable as error:
            if getattr(error.__cause__, "code", 0) != UNAUTHORIZED or self._theirs:
                raise
            return otherwise

    # -- writing -------------------------------------------------------------------------------------------------------

    def put(self, spans: Sequence[Span]) -> None:
        """Store spans in the layout that was asked for."""
        if self._theirs:
            self._index()
            self._notes(lambda held: _replace(held, notifications.documents(spans)), None)
            self._notes(lambda held: _replace(held, notifications.errors(spans), "base_id"), None, ERRORS)
        else:
            self._ours(SPANS, lambda held: _replace(held, span_document.documents(spans)))

    def begin(self, rows: Sequence[TraceRow]) -> set[str]:
        """Store rows of traces that have none. Return the traces that had one."""
        from pymongo.errors import BulkWriteError  # noqa: PLC0415 a driver is imported where it is used

        made = [{"_id": _id(row), "version": 0, **row_document(row)} for row in rows]
        try:
            self._ours(TRACES, lambda held: held.insert_many(made, ordered=False))
        except Unavailable as error:
            faults = _duplicates(error.__cause__) if isinstance(error.__cause__, BulkWriteError) else None
            if faults is None:
                raise
            return {rows[fault].summary.trace for fault in faults}
        return set()

    def carry_on(self, rows: Sequence[TraceRow]) -> None:
        """Mark rows stale, and widen their times."""
        from pymongo import UpdateOne  # noqa: PLC0415 a driver is imported where it is used

        made = []
        for row in rows:
            told = row_document(row)
            wide = {"$min": {"start": told.pop("start")}, "$max": {name: told.pop(name) for name in ("end", "last")}}
            told.pop("stale")
            change = {**wide, "$set": {"stale": True}, "$inc": {"version": 1}, "$setOnInsert": told}
            made.append(UpdateOne({"_id": _id(row)}, change, upsert=True))
        if made:
            self._ours(TRACES, lambda held: held.bulk_write(made, ordered=False))

    def settle(self, rows: Iterable[tuple[TraceRow, TraceRow | None]]) -> None:
        """Store the second of each pair where the first is unchanged."""
        from pymongo import DeleteOne, UpdateOne  # noqa: PLC0415 a driver is imported where it is used

        made: list[Any] = []
        for before, after in rows:
            same = {"_id": _id(before), "version": before.version}
            if after is None:
                made.append(DeleteOne(same))
            else:
                made.append(UpdateOne(same, {"$set": row_document(after), "$inc": {"version": 1}}))
        if made:
            self._ours(TRACES, lambda held: held.bulk_write(made, ordered=False))

    # -- reading -------------------------------------------------------------------------------------------------------

    def spans(self, trace: str, most: int) -> list[Span]:
        """Return spans of a trace, at most some more than `most`."""
        limit = 2 * most + 2
        ours = self._ours(SPANS, lambda held: list(held.find({"trace": clean(trace)}).sort("start", 1).limit(limit)))
        return merge([*self._noted([trace], limit), *span_document.read(ours)])

    def _noted(self, traces: Sequence[str], limit: int = 0) -> list[Span]:
        bases = _bases(traces)
        found = self._notes(lambda held: list(held.find({"base_id": {"$in": bases}}).limit(limit)), [])
        return notifications.spans(found)

    def heads(self, traces: Sequence[str]) -> Mapping[str, list[Span]]:
        """Return the spans of some traces, as far as a summary needs them."""
        fields = {**dict.fromkeys(HEAD, 1), "arrived": 1}
        found: dict[str, list[Span]] = {}
        for part in _parts(traces):
            wanted = {"trace": {"$in": list(map(clean, part))}}
            ours = span_document.read(self._ours(SPANS, functools.partial(_found, wanted, fields)))
            found |= {trace: merge(group) for trace, group in by_trace([*self._noted(part), *ours]).items()}
        return found

    def rows(self, query: TraceQuery, place: Place | None, limit: int, *, stale: bool) -> list[TraceRow]:
        """Return rows that may be asked for, newest first."""
        asked = _asked(query, place, stale=stale)
        newest = [("start", -1), ("trace", -1)]
        found = self._ours(TRACES, lambda held: list(held.find(asked).sort(newest).limit(limit)))
        return [span_document.row(each, each.get("version")) for each in found]

    # -- what OSProfiler writes ----------------------------------------------------------------------------------------

    def look(self) -> None:
        """Begin or carry on the traces of notifications that others have written since the last look."""
        from bson import ObjectId  # noqa: PLC0415 a driver is imported where it is used

        mark = self._ours(MARKS, lambda held: held.find_one({"_id": OSPROFILER}))
        start = mark["seen"] if mark else ObjectId(b"\x00" * 12)
        while True:
            found = self._notes(functools.partial(_sliced, start), [])
            rows = [_noticed(each) for each in found]
            for first in range(0, len(rows), 1000):
                self.announce(rows[first : first + 1000])
            if not found:
                return
            self._index()
            last = max(each["seen"] for each in found)
            if sum(each["notes"] for each in found) < SLICE:
                self._mark(_earlier(last))
                return
            self._mark(last)
            start = last

    def _mark(self, seen: object) -> None:
        self._ours(MARKS, lambda held: held.update_one({"_id": OSPROFILER}, {"$set": {"seen": seen}}, upsert=True))

    def _index(self) -> None:
        if not self._indexed:
            self._notes(lambda held: held.create_index("base_id"), None)
            self._indexed = True

    # -- deleting ------------------------------------------------------------------------------------------------------

    def old(self, before: int, limit: int) -> list[str]:
        """Return traces whose last start is before a time in ns."""
        asked = {"last": {"$lt": max(min(before, LAST), -LAST)}}
        return [each["trace"] for each in self._ours(TRACES, lambda held: list(held.find(asked, {"trace": 1}).limit(limit)))]

    def remove(self, traces: Sequence[str]) -> bool:
        """Delete traces."""
        return sum(self._remove(part) for part in _parts(traces)) > 0

    def _remove(self, traces: Sequence[str]) -> bool:
        names = list(map(clean, traces))
        gone = self._ours(SPANS, lambda held: held.delete_many({"trace": {"$in": names}}).deleted_count)
        base = {"base_id": {"$in": _bases(traces)}}
        gone += self._notes(lambda held: held.delete_many(base).deleted_count, 0)
        self._notes(lambda held: held.delete_many(base), None, ERRORS)
        ids = [digest(name) for name in names]
        gone += self._ours(TRACES, lambda held: held.delete_many({"_id": {"$in": ids}}).deleted_count)
        return bool(gone)

    def tidy(self, before: int) -> None:
        """Do nothing: collections know no parts by time."""


def _id(row: TraceRow) -> str:
    return digest(clean(row.summary.trace))


def _parts(traces: Sequence[str]) -> list[Sequence[str]]:
    return [traces[first : first + TOGETHER] for first in range(0, len(traces), TOGETHER)]


def _found(wanted: Mapping[str, Any], fields: Mapping[str, int], held: Any) -> list[dict[str, Any]]:  # noqa: ANN401 the driver's collection
    return list(held.find(wanted, fields))


def _bases(traces: Sequence[str]) -> list[str]:
    return [clean(spelling) for trace in traces for spelling in spellings(trace)]


def _replace(held: Any, made: Mapping[str, Mapping[str, Any]], key: str = "_id") -> None:  # noqa: ANN401 the driver's collection
    """Store documents by their ids; what is there already keeps its `arrived`."""
    from pymongo import UpdateOne  # noqa: PLC0415 a driver is imported where it is used
    from pymongo.errors import BulkWriteError  # noqa: PLC0415 see above

    changes = []
    for name, document in made.items():
        told = dict(document)
        once = {"arrived": told.pop("arrived")} if "arrived" in told else {}
        wanted = {"_id": name} if key == "_id" else {key: told.pop(key)}
        changes.append(UpdateOne(wanted, {"$set": told} | ({"$setOnInsert": once} if once else {}), upsert=True))
    if not changes:
        return
    try:
        held.bulk_write(changes, ordered=False)
    except BulkWriteError as error:
        if _duplicates(error) is None:
            raise
        held.bulk_write(changes, ordered=False)


def _duplicates(error: Any) -> list[int] | None:  # noqa: ANN401 the driver's error
    """Return the numbers of what was there already; None when that is not all that was wrong."""
    faults = error.details.get("writeErrors") or [{}]
    if error.details.get("writeConcernErrors") or any(fault.get("code") != DUPLICATE for fault in faults):
        return None
    return [fault["index"] for fault in faults]


def _asked(query: TraceQuery, place: Place | None, *, stale: bool) -> dict[str, Any]:
    every: list[dict[str, Any]] = [{"start": {"$gte": query.since}}]
    if query.until <= LAST:
        every.append({"start": {"$lt": query.until}})
    if place is not None:
        at = int(place.time)
        every.append({"$or": [{"start": {"$lt": at}}, {"start": at, "trace": {"$lt": place.id}}]})
    every.append({"stale": True} if stale else {"$or": [{"stale": True}, _conditions(query)]})
    return {"$and": every}


def _conditions(query: TraceQuery) -> dict[str, Any]:
    found: dict[str, Any] = {"stale": False}
    if query.service:
        found["services"] = clean(query.service)
    if query.project:
        found["project"] = clean(query.project)
    if query.error is not None:
        found["failed"] = query.error
    if query.name != "*":
        found["names"] = {"$regex": regular(query.name), "$options": "s"}
    found["duration"] = {"$gte": max(-LAST, min(query.shortest, LAST)), "$lte": max(-LAST, min(query.longest, LAST))}
    return found


def _prepare(database: Any) -> None:  # noqa: ANN401 the driver's database
    for name, indexes in INDEXES.items():
        for keys in indexes:
            database[name].create_index(keys)


def _sliced(start: object, held: Any) -> list[dict[str, Any]]:  # noqa: ANN401 the driver's collection
    return list(held.aggregate(_slice(start)))


def _slice(start: object) -> list[dict[str, Any]]:
    return [
        {"$match": {"_id": {"$gt": start}}},
        {"$sort": {"_id": 1}},
        {"$limit": SLICE},
        {
            "$group": {
                "_id": "$base_id",
                "first": {"$min": "$timestamp"},
                "last": {"$max": "$timestamp"},
                "seen": {"$max": "$_id"},
                "notes": {"$sum": 1},
            }
        },
    ]


def _noticed(found: Mapping[str, Any]) -> TraceRow:
    """Return the stale row of a trace of which notifications were seen."""
    seen = int(found["seen"].generation_time.timestamp() * 1_000_000_000)
    times = list(notifications.times(found.get("first"), found.get("last"))) or [seen]
    return TraceRow(Summary(notifications.trace_of(found["_id"]), min(times), max(times)), max(times), stale=True)


def _earlier(seen: Any) -> Any:  # noqa: ANN401 the driver's ids
    """Return the first id of the minute before."""
    from datetime import timedelta  # noqa: PLC0415 only here

    from bson import ObjectId  # noqa: PLC0415 a driver is imported where it is used

    return ObjectId.from_datetime(seen.generation_time - timedelta(seconds=OVERLAP))
