"""Where traces are: a running server, a store by its URL, or a file. All are used as a store of traces is."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from nilometer.backends import registry
from nilometer.cli.asking import API, get, link_to, send
from nilometer.cli.trace.files import Filed, is_file
from nilometer.core.errors import InputError, Unavailable
from nilometer.core.traces.query import FOREVER, FoundTraces
from nilometer.core.traces.span import NANO
from nilometer.core.traces.summary import Summary
from nilometer.core.wire import span as wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nilometer.cli.link import Access
    from nilometer.core.capability import SpanSink, TraceStore
    from nilometer.core.traces.query import TraceQuery
    from nilometer.core.traces.span import Span

PAGE = 1000
MICRO, MS = 1000, 1_000_000
NOT_FOUND = 404


@contextlib.contextmanager
def opened(url: str, access: Access) -> Iterator[TraceStore]:
    """Open what a command was told. Raise `ConfigError`."""
    store: TraceStore
    if url.startswith(("http://", "https://")):
        store = Served(url, access)
    elif is_file(url):
        store = Filed(url)
    else:
        store = registry.open(url, registry.TRACES)
    with contextlib.closing(store):
        yield store


@contextlib.contextmanager
def sink(url: str, access: Access) -> Iterator[SpanSink]:
    """Open what spans go to; that need not be readable. Raise `ConfigError`."""
    found: SpanSink = Served(url, access) if url.startswith(("http://", "https://")) else registry.open(url, registry.SPANS)
    with contextlib.closing(found):
        yield found


def every(store: TraceStore, query: TraceQuery, limit: int) -> Iterator[Summary]:
    """Yield up to `limit` traces, newest first, page by page."""
    cursor = ""
    while limit > 0:
        found = store.find_traces(query, min(limit, PAGE), cursor)
        yield from found.traces
        limit -= len(found.traces)
        cursor = found.cursor
        if not cursor:
            return


class Served:
    """The store of a running server, over HTTP."""

    def __init__(self, url: str, access: Access) -> None:
        self._link = link_to(url, access)

    def find_traces(self, query: TraceQuery, limit: int = 100, cursor: str = "") -> FoundTraces:
        """Return a page of traces, newest first. Raise `Unavailable`."""
        found = get(self._link, "/traces?" + urlencode(_parameters(query) | {"limit": limit, "cursor": cursor}))
        try:
            return FoundTraces([_summary(each) for each in found["traces"]], str(found["cursor"] or ""))
        except (KeyError, TypeError, ValueError) as error:
            raise self._no_nilometer() from error

    def read_trace(self, trace: str, most: int = 100_000) -> list[Span]:
        """Return the spans of a trace, none for an unknown one. Raise `Unavailable`."""
        answer = self._link.send("GET", f"{API}/traces/{quote(trace, safe='')}?format=spans")
        if answer.status == NOT_FOUND:
            return []
        if answer.status != 200:  # noqa: PLR2004 what every good answer has
            get(self._link, f"/traces/{quote(trace, safe='')}?format=spans")
        try:
            return [wire.from_object(each) for each in json.loads(answer.body)][:most]
        except (ValueError, TypeError, InputError) as error:
            raise self._no_nilometer() from error

    def write_spans(self, spans: Sequence[Span]) -> None:
        """Hand spans over. Raise `Unavailable`."""
        send(self._link, "POST", "/traces", [json.loads(wire.text(wire.as_object(span))) for span in spans])

    def delete_trace(self, trace: str) -> bool:
        """Delete a trace. Return whether there was one. Raise `Unavailable`."""
        answer = self._link.send("DELETE", f"{API}/traces/{quote(trace, safe='')}")
        if answer.status not in (200, NOT_FOUND):
            send(self._link, "DELETE", f"/traces/{quote(trace, safe='')}")
        return answer.status != NOT_FOUND

    def drop_traces(self, before: float) -> int:
        """Retention is the server's own."""
        del before
        return 0

    def close(self) -> None:
        """Nothing is held between two requests."""

    def _no_nilometer(self) -> Unavailable:
        return Unavailable(f"{self._link.url}: what answers is no Nilometer")


def _parameters(query: TraceQuery) -> dict[str, Any]:
    found: dict[str, Any] = {"service": query.service, "name": query.name, "project": query.project}
    if query.error is not None:
        found["error"] = str(query.error).lower()
    if query.shortest > 0:
        found["shortest"] = query.shortest / MS
    if query.longest < FOREVER:
        found["longest"] = query.longest / MS
    if query.since > -FOREVER:
        found["since"] = query.since / NANO
    if query.until < FOREVER:
        found["until"] = query.until / NANO
    return found


def _summary(told: dict[str, Any]) -> Summary:
    start = int(told["start"]) * MICRO
    return Summary(
        str(told["trace"]),
        start,
        start + round(float(told["duration"]) * MICRO),
        str(told["name"]),
        str(told["service"]),
        str(told["project"]),
        int(told["spans"]),
        int(told["errors"]),
        str(told["error"]),
        bool(told["rooted"]),
        {str(name): int(count) for name, count in told["services"].items()},
    )
