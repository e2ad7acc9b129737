"""Traces in Elasticsearch and OpenSearch: our own indices.

Rules:

* ``NAME-spans-YYYY.MM.DD`` hold spans by the day of their writing, ``NAME-traces`` one document a trace. Days are those of the
  clock here, so that no span, whatever its time, makes an index of its own. What was written again on another day is there
  twice, and read once.
* The mapping takes no field that it does not know: attributes stay in one text that is not searched.
* A span is created, or else updated: it keeps its `arrived`. The document of a trace is changed only in the version that was
  read; who was slower tries again.
* Retention deletes a day's index as a whole once no trace that may be in it is kept; documents one by one until then.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nilometer.backends._parts import span_document
from nilometer.backends._parts.document_traces import by_trace, widened
from nilometer.backends._parts.elastic import CONFLICT, MISSING, OSPROFILER
from nilometer.backends._parts.elastic_bulk import LENIENT, PAGE, Act, Asking
from nilometer.backends._parts.elastic_notes import NOTES, Notes
from nilometer.backends._parts.name_pattern import wildcard
from nilometer.backends._parts.span_document import HEAD, LAST, TraceRow, clean, digest, row_document
from nilometer.backends._parts.templates import traces_template
from nilometer.core.errors import Unavailable
from nilometer.core.traces.span import Span, merge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nilometer.backends._parts.elastic import Cluster, Login
    from nilometer.core.cursor import Place
    from nilometer.core.traces.query import TraceQuery

MARK = "seen-of-osprofiler"
TRIES = 100
"""How often a trace's document is tried to change, at most, while others change it."""
EVERY = 1 << 30
SORT = ({"start": {"order": "asc", "unmapped_type": "long"}}, {"key": {"order": "asc", "unmapped_type": "keyword"}})
NEWEST = ({"start": {"order": "desc", "unmapped_type": "long"}}, {"trace": {"order": "desc", "unmapped_type": "keyword"}})


class ElasticShelf:
    """The shelf of one cluster."""

    def __init__(self, cluster: Cluster, name: str, options: Login) -> None:
        self._asking, self._options = Asking(cluster, options), options
        self._notes = Notes(self._asking)
        self._name, self._spans, self._traces = name, f"{name}-spans-*", f"{name}-traces"
        self._theirs = options.layout == OSPROFILER
        self._prepared = False
        self.announce: Callable[[Sequence[TraceRow]], None] = lambda _: None

    def _prepare(self) -> None:
        """Make the template, once, when there is none."""
        if self._prepared:
            return
        path = f"/_index_template/{self._name}-traces"
        if self._options.template and self._asking.ask("GET", path, passing=(MISSING,)) is None:
            self._asking.ask("PUT", path, traces_template(self._name))
        self._prepared = True

    def _refresh(self, *indices: str) -> None:
        self._asking.ask("POST", f"/{','.join(indices)}/_refresh?{LENIENT}")

    # -- writing -------------------------------------------------------------------------------------------------------

    def put(self, spans: Sequence[Span]) -> None:
        """Store spans in the layout that was asked for."""
        self._prepare()
        if self._theirs:
            self._notes.put(spans)
            return
        index = f"{self._name}-spans-{datetime.now(UTC):%Y.%m.%d}"
        made = [(name, {**body, "key": name}) for name, body in span_document.documents(spans).items()]
        statuses = self._asking.bulk([Act("create", index, name, body) for name, body in made])
        again = [pair for pair, status in zip(made, statuses, strict=True) if status == CONFLICT]
        for _, body in again:
            del body["arrived"]
        self._asking.bulk([Act("update", index, name, {"doc": body}) for name, body in again])

    def begin(self, rows: Sequence[TraceRow]) -> set[str]:
        """Store rows of traces that have none. Return the traces that had one."""
        self._prepare()
        statuses = self._asking.bulk([Act("create", self._traces, _id(row), row_document(row)) for row in rows])
        return {row.summary.trace for row, status in zip(rows, statuses, strict=True) if status == CONFLICT}

    def carry_on(self, rows: Sequence[TraceRow]) -> None:
        """Mark rows stale, and widen their times."""
        left = list(rows)
        for _ in range(TRIES):
            if not left:
                return
            said = self._asking.ask("POST", f"/{self._traces}/_mget", {"ids": [_id(row) for row in left]}) or {}
            acts = [_carried(self._traces, row, found) for row, found in zip(left, said.get("docs") or [], strict=True)]
            left = [row for row, status in zip(left, self._asking.bulk(acts), strict=True) if status in (CONFLICT, MISSING)]
        message = f"the documents of {len(left)} traces are changed by others all the time"
        raise Unavailable(message)

    def settle(self, rows: Iterable[tuple[TraceRow, TraceRow | None]]) -> None:
        """Store the second of each pair where the first is unchanged."""
        acts = [
            Act("delete", self._traces, _id(before), version=before.version)
            if after is None
            else Act("index", self._traces, _id(before), row_document(after), before.version)
            for before, after in rows
        ]
        self._asking.bulk(acts, refresh=True)

    # -- reading -------------------------------------------------------------------------------------------------------

    def spans(self, trace: str, most: int) -> list[Span]:
        """Return spans of a trace, at most some more than `most`."""
        if self._options.refresh:
            self._refresh(self._spans, NOTES)
        limit = 2 * most + 2
        body = {"query": {"term": {"trace": clean(trace)}}, "sort": SORT}
        ours = span_document.read(each["_source"] for each in self._asking.pages(self._spans, body, limit))
        return merge([*self._notes.read([trace], limit).get(trace, []), *ours])

    def heads(self, traces: Sequence[str]) -> Mapping[str, list[Span]]:
        """Return the spans of some traces, as far as a summary needs them."""
        self._refresh(self._spans, NOTES)
        query = {"terms": {"trace": list(map(clean, traces))}}
        body = {"query": query, "sort": SORT, "_source": [*HEAD, "arrived"]}
        ours = span_document.read(each["_source"] for each in self._asking.pages(self._spans, body, EVERY))
        noted = [span for group in self._notes.read(traces, EVERY).values() for span in group]
        return {trace: merge(group) for trace, group in by_trace([*noted, *ours]).items()}

    def rows(self, query: TraceQuery, place: Place | None, limit: int, *, stale: bool) -> list[TraceRow]:
        """Return rows that may be asked for, newest first."""
        body: dict[str, Any] = {"query": _asked(query, stale=stale), "sort": NEWEST, "seq_no_primary_term": True}
        if place is not None:
            body["search_after"] = [int(place.time), place.id]
        found = self._asking.hits(self._traces, {**body, "size": min(limit, 2 * PAGE)})
        return [span_document.row(each["_source"], (each["_seq_no"], each["_primary_term"])) for each in found]

    def look(self) -> None:
        """Begin or carry on the traces of notifications that others have written since the last look."""
        self._prepare()
        if self._options.refresh:
            self._refresh(self._traces, NOTES)
        told = self._asking.ask("GET", f"/{self._traces}/_doc/{MARK}", passing=(MISSING,)) or {}
        since = latest = int(told.get("_source", {}).get("seen", 0))
        for rows, last in self._notes.seen(since):
            self.announce(rows)
            latest = max(latest, last)
        if latest > since:
            self._asking.bulk([Act("index", self._traces, MARK, {"seen": latest})])
            self._refresh(self._traces)

    # -- deleting ------------------------------------------------------------------------------------------------------

    def old(self, before: int, limit: int) -> list[str]:
        """Return traces whose last start is before a time in ns."""
        query = {"range": {"last": {"lt": max(-LAST, min(before, LAST))}}}
        found = self._asking.hits(self._traces, {"query": query, "size": limit, "_source": ["trace"]})
        return [each["_source"]["trace"] for each in found]

    def remove(self, traces: Sequence[str]) -> bool:
        """Delete traces."""
        names = list(map(clean, traces))
        self._refresh(self._spans, NOTES)
        path = f"/{self._spans}/_delete_by_query?conflicts=proceed&refresh=true&{LENIENT}"
        said = self._asking.ask("POST", path, {"query": {"terms": {"trace": names}}}) or {}
        gone = int(said.get("deleted", 0)) + self._notes.remove(traces)
        statuses = self._asking.bulk([Act("delete", self._traces, digest(name)) for name in names], refresh=True)
        return bool(gone) or any(status != MISSING for status in statuses)

    def tidy(self, before: int) -> None:
        """Delete the indices of the first days, as far as no trace is kept that began before their last span."""
        listed = self._asking.ask("GET", f"/_cat/indices/{self._spans}?format=json&h=index") or []
        today = f"{self._name}-spans-{datetime.now(UTC):%Y.%m.%d}"
        for index in sorted(each["index"] for each in listed):
            if index >= today or not self._over(index, before):
                return
            self._asking.ask("DELETE", f"/{index}", passing=(MISSING,))

    def _over(self, index: str, before: int) -> bool:
        """Return whether all spans of an index belong to traces that ended before a time."""
        newest = self._asking.hits(index, {"size": 1, "sort": [NEWEST[0]], "_source": ["start"]})
        last = newest[0]["_source"]["start"] if newest else -LAST
        kept = [{"range": {"start": {"lte": last}}}, {"range": {"last": {"gte": before}}}]
        return last < before and not self._asking.hits(self._traces, {"size": 1, "query": {"bool": {"filter": kept}}})


def _id(row: TraceRow) -> str:
    return digest(clean(row.summary.trace))


def _carried(index: str, row: TraceRow, found: Mapping[str, Any]) -> Act:
    if not found.get("found"):
        return Act("create", index, _id(row), row_document(row._replace(stale=True)))
    version = (found["_seq_no"], found["_primary_term"])
    wide = widened(span_document.row(found["_source"], version), row)
    ends = {"start": wide.summary.start, "end": wide.summary.end, "last": wide.last}
    return Act("index", index, _id(row), {**found["_source"], **ends, "stale": True}, version)


def _asked(query: TraceQuery, *, stale: bool) -> dict[str, Any]:
    when: dict[str, int] = {"gte": query.since}
    if query.until <= LAST:
        when["lt"] = query.until
    unsettled: dict[str, Any] = {"term": {"stale": True}}
    state = unsettled if stale else {"bool": {"should": [unsettled, {"bool": {"filter": _conditions(query)}}]}}
    return {"bool": {"filter": [{"range": {"start": when}}, state]}}


def _conditions(query: TraceQuery) -> list[dict[str, Any]]:
    longest, shortest = (max(-LAST, min(value, LAST)) for value in (query.longest, query.shortest))
    found: list[dict[str, Any]] = [{"term": {"stale": False}}, {"range": {"duration": {"gte": shortest, "lte": longest}}}]
    if query.service:
        found.append({"term": {"services": clean(query.service)}})
    if query.project:
        found.append({"term": {"project": clean(query.project)}})
    if query.error is not None:
        found.append({"term": {"failed": query.error}})
    if query.name != "*":
        found.append({"wildcard": {"names": {"value": wildcard(query.name)}}})
    return found
