"""Traces in Redis, in a layout of our own and in OSProfiler's.

Rules:

* Ours: ``nilometer:spans:TRACE`` is a list of values, each some spans of that trace as rows of JSON (`core/wire/span`);
  ``nilometer:traces`` and ``nilometer:traces:last`` are sorted sets of all traces, by the start of the first span and of the
  last, in µs; ``nilometer:traces:summary`` is a hash of their summaries. A summary comes with the first value of a trace; a
  later one puts the trace into ``nilometer:traces:changed``, and the next who lists makes the summary anew. So lists are right,
  whoever writes, and however often the same.
* OSProfiler's: ``osprofiler_opt:BASE_ID`` is a list of notifications, newest first, ``osprofiler_error:BASE_ID`` a notice of
  an error. It is always read; ``layout=osprofiler`` writes it, so that OSProfiler reads what we write. Such keys, of whoever
  wrote them, are found by going through the names of all keys, at most every few seconds; ``scan=false`` does without.
* Reading one trace asks for its keys by name: other keys cost nothing.

Source of OSProfiler's layout: osprofiler 4.4.0, ``osprofiler/drivers/redis_driver.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nilometer.backends._parts.redis_connection import Connection, ConnectionOptions
from nilometer.backends._parts.redis_osprofiler import OsprofilerKeys
from nilometer.backends._parts.redis_spans import SpanKeys
from nilometer.backends._parts.trace_list import LAYOUT, LAYOUTS, page_of_all
from nilometer.core.options import one_of, option
from nilometer.core.traces.ids import trace_id
from nilometer.core.traces.query import behind
from nilometer.core.traces.span import merge
from nilometer.core.traces.summary import summarise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.traces.query import FoundTraces, TraceQuery
    from nilometer.core.traces.span import Span
    from nilometer.core.traces.summary import Summary
    from nilometer.core.url import Url

SCHEMES = ("redis", "rediss", "redis+unix", "redis+sentinel", "rediss+sentinel", "redissentinel")
URL_EXAMPLES = (
    "redis://localhost:6379",
    "rediss://nilometer:secret@redis.example:6379/1?ca=/etc/ssl/redis.pem",
    "redis+unix:///run/redis/redis.sock",
    "redis+sentinel://one.example:26379,two.example:26379/0?service=mymaster",
    "redis://localhost:6379?layout=osprofiler",
)
EXTRA = "redis"


@dataclass(frozen=True, slots=True)
class Options(ConnectionOptions):
    """How to reach the server, and how traces lie there."""

    layout: str = option("spans", LAYOUT)
    scan: bool = option(default=True, text="whether lists show traces of which only OSProfiler knows; costs with every key")


class Redis:
    """Traces in one database of Redis. Safe to use from several threads."""

    def __init__(self, url: Url, options: Options) -> None:
        self._connection = Connection(url, options)
        self._ours, self._theirs = SpanKeys(), OsprofilerKeys(scan=options.scan)
        self._writer: SpanKeys | OsprofilerKeys = self._theirs if options.layout == "osprofiler" else self._ours

    def write_spans(self, spans: Sequence[Span]) -> None:
        """Append the spans to those of their traces, in one step. Raise `Unavailable`, `Rejected`."""
        if spans:
            with self._connection() as client:
                self._writer.write(client, spans)

    def read_trace(self, trace: str, most: int = 100_000) -> list[Span]:
        """Return up to `most` spans of one trace, in order of start. Raise `Unavailable`."""
        with self._connection() as client:
            found = self._theirs.read(client, trace) + self._ours.read(client, trace_id(trace))
        return merge(found)[:most]

    def find_traces(self, query: TraceQuery, limit: int = 100, cursor: str = "") -> FoundTraces:
        """Return up to `limit` traces, newest first, from `cursor` on. Raise `InputError` for a cursor that is none."""
        place = behind(cursor)
        with self._connection() as client:
            theirs = self._theirs.summaries(client)
            both = self._ours.known(client, theirs)
            for trace in both:
                theirs[trace] = self._both(client, trace)
            ours = self._ours.newest(client, query, place, limit + 1, without=both)
        return page_of_all([*theirs.values(), *ours], query, limit, cursor)

    def _both(self, client: object, trace: str) -> Summary:
        """Return the summary of a trace that lies in both layouts."""
        return summarise(merge(self._theirs.read(client, trace) + self._ours.read(client, trace)))

    def delete_trace(self, trace: str) -> bool:
        """Delete a trace. Return whether there was one."""
        with self._connection() as client:
            gone = self._theirs.delete(client, [trace])
            return bool(self._ours.delete(client, [trace_id(trace)]) or gone)

    def drop_traces(self, before: float) -> int:
        """Delete a part of the traces all of whose spans started before a time. Return how many that were."""
        with self._connection() as client:
            ours = set(self._ours.before(client, before))
            theirs = set(self._theirs.before(client, before))
            old = [
                trace for trace in ours | theirs if self._is_old(client, trace, before, both=trace in ours and trace in theirs)
            ]
            self._ours.delete(client, old)
            self._theirs.delete(client, old)
        return len(old)

    def _is_old(self, client: object, trace: str, before: float, *, both: bool) -> bool:
        """Return whether no layout has a later span of a trace."""
        if both:
            return True
        found = self._theirs.read(client, trace) + self._ours.read(client, trace)
        return all(span.start < before * 1e9 for span in found)

    def check(self) -> str:
        """Return the server's version. Raise `Unavailable`."""
        with self._connection() as client:
            told = client.info("server")
        return f"Redis {told.get('valkey_version') or told.get('redis_version', '?')}"

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def open(url: Url) -> Redis:  # noqa: A001 each backend has this name
    """Open ``redis://HOST[:PORT][/DB]`` or one of the others. Raise `UrlError` for a wrong part. Connects on first use."""
    options = url.options(Options)
    one_of(url, "layout", options.layout, LAYOUTS)
    return Redis(url, options)
