"""OSProfiler's indices in Elasticsearch and OpenSearch: read whoever wrote them, written for its readers.

Rules:

* ``osprofiler-notifications`` holds a document a notification, ``osprofiler-notifications-error`` one a trace with an error.
  Where they are not there, they are made so that nothing in ``info`` becomes a field.
* Documents of ours have `ARRIVED`; those without are others'. A look asks for the traces of those whose time is after the last
  look's, less `OVERLAP`.

Source: osprofiler 4.4.0, ``osprofiler/drivers/elasticsearch_driver.py``
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from nilometer.backends._parts import notifications
from nilometer.backends._parts.document_traces import by_trace
from nilometer.backends._parts.elastic_bulk import LENIENT, Act
from nilometer.backends._parts.span_document import TraceRow, arrivals, clean, digest
from nilometer.core.traces.ids import spellings
from nilometer.core.traces.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nilometer.backends._parts.elastic_bulk import Asking
    from nilometer.core.traces.span import Span

NOTES, ERRORS = "osprofiler-notifications", "osprofiler-notifications-error"
ARRIVED = "nilometer_arrived"
OVERLAP = 300
"""Seconds by which clocks of those who write, and their delay, may differ."""
SCROLLED, GROUPS = 1000, 1000
MISSING, BAD = 404, 400
MILLI = 1_000_000
KEYWORD = {"type": "keyword", "ignore_above": 8191}
MAPPINGS = {
    "dynamic": False,
    "properties": {
        **dict.fromkeys(("name", "base_id", "trace_id", "parent_id", "project", "service"), KEYWORD),
        "timestamp": {"type": "date", "ignore_malformed": True},
        "info": {"type": "object", "enabled": False},
        ARRIVED: {"type": "long"},
    },
}


class Notes:
    """OSProfiler's indices in one cluster."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._made = False

    def put(self, spans: Sequence[Span]) -> None:
        """Store the notifications of spans."""
        if not self._made:
            for index in (NOTES, ERRORS):
                self._asking.ask("PUT", f"/{index}", {"mappings": MAPPINGS}, passing=(BAD,))
            self._made = True
        made = notifications.documents(spans)
        acts = [
            Act("index", NOTES, name, {**body, ARRIVED: arrived})
            for (name, body), arrived in zip(made.items(), arrivals(len(made)), strict=False)
        ]
        acts += [Act("index", ERRORS, digest(trace), body) for trace, body in notifications.errors(spans).items()]
        self._asking.bulk(acts)

    def read(self, traces: Sequence[str], most: int) -> dict[str, list[Span]]:
        """Return the spans of some traces, of up to `most` documents."""
        found = sorted(self._scroll(_of(traces), most), key=_order)
        return by_trace(notifications.spans({name: each[name] for name in each if name != ARRIVED} for each in found))

    def _scroll(self, query: object, most: int) -> Iterator[dict[str, Any]]:
        body = {"size": SCROLLED, "sort": ["_doc"], "query": query}
        said = self._asking.ask("POST", f"/{NOTES}/_search?scroll=1m&{LENIENT}", body)
        scroll = said.get("_scroll_id") if isinstance(said, dict) else None
        try:
            while (found := self._asking.listed(said)) and most > 0:
                yield from (each["_source"] for each in found[:most])
                most -= len(found)
                if len(found) < SCROLLED or not scroll:
                    break
                said = self._asking.ask("POST", "/_search/scroll", {"scroll": "1m", "scroll_id": scroll})
        finally:
            if scroll:
                self._asking.ask("DELETE", "/_search/scroll", {"scroll_id": scroll}, passing=(MISSING,))

    def seen(self, since: int) -> Iterator[tuple[list[TraceRow], int]]:
        """Yield stale rows of traces of others' notifications after a time in ms, and the last time among them, not to come."""
        field = self._base()
        after, now = None, int(time.time() * 1000)
        while field:
            found = self._asking.search(NOTES, _groups(field, since - OVERLAP * 1000, after))
            groups = found.get("aggregations", {}).get("traces", {}) if isinstance(found, dict) else {}
            buckets = groups.get("buckets") or []
            if buckets:
                rows = [_noticed(each) for each in buckets]
                yield rows, min(now, max(row.last for row in rows) // MILLI)
            after = groups.get("after_key")
            if len(buckets) < GROUPS or not after:
                return

    def _base(self) -> str:
        """Return the field that holds ``base_id`` as a whole, empty where there is none."""
        said = self._asking.ask("GET", f"/{NOTES}/_mapping", passing=(MISSING,)) or {}
        for index in said.values():
            told = index.get("mappings", {}).get("properties", {}).get("base_id", {})
            if told.get("type") == "keyword":
                return "base_id"
            if "keyword" in told.get("fields", {}):
                return "base_id.keyword"
        return ""

    def remove(self, traces: Sequence[str]) -> int:
        """Delete the notifications of some traces. Return how many."""
        path = f"/{NOTES},{ERRORS}/_delete_by_query?conflicts=proceed&refresh=true&{LENIENT}"
        return int((self._asking.ask("POST", path, {"query": _of(traces)}) or {}).get("deleted", 0))


def _of(traces: Sequence[str]) -> dict[str, Any]:
    bases = [clean(spelling) for trace in traces for spelling in spellings(trace)]
    return {"bool": {"should": [{"terms": {field: bases}} for field in ("base_id", "base_id.keyword")]}}


def _order(document: dict[str, Any]) -> tuple[str, int]:
    arrived = document.get(ARRIVED)
    return str(document.get("timestamp")), arrived if isinstance(arrived, int) else 0


def _groups(field: str, since: int, after: object) -> dict[str, Any]:
    composite: dict[str, Any] = {"size": GROUPS, "sources": [{"base": {"terms": {"field": field}}}]}
    if after:
        composite["after"] = after
    ends = {name: {name: {"field": "timestamp"}} for name in ("min", "max")}
    new = {"range": {"timestamp": {"gte": max(0, since), "format": "epoch_millis"}}}
    query = {"bool": {"filter": [new], "must_not": [{"exists": {"field": ARRIVED}}]}}
    return {"size": 0, "query": query, "aggs": {"traces": {"composite": composite, "aggs": ends}}}


def _noticed(bucket: dict[str, Any]) -> TraceRow:
    first, last = int(bucket["min"]["value"]) * MILLI, int(bucket["max"]["value"]) * MILLI + MILLI - 1
    return TraceRow(Summary(notifications.trace_of(bucket["key"]["base"]), first, last), last, stale=True)
