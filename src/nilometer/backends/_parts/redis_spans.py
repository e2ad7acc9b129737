"""Our own keys of traces in Redis; their rules are in `backends/redis.py`. Every method takes the driver's client."""

from __future__ import annotations

import itertools
import json
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from nilometer.core.errors import InputError
from nilometer.core.traces.query import FOREVER, matches, place_of
from nilometer.core.traces.span import merge
from nilometer.core.traces.summary import Summary, summarise
from nilometer.core.wire import span as wire
from nilometer.core.wire.bounded_json import read

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from nilometer.core.cursor import Place
    from nilometer.core.traces.query import TraceQuery
    from nilometer.core.traces.span import Span

PREFIX = "nilometer:"
SPANS, TRACES, LAST = f"{PREFIX}spans:", f"{PREFIX}traces", f"{PREFIX}traces:last"
SUMMARY, CHANGED = f"{PREFIX}traces:summary", f"{PREFIX}traces:changed"
PAGE = 1000
"""Traces that are looked at, at a time."""
FAR = 1 << 62
"""Later than any time that Redis need know, in ns."""
TOGETHER = 500
"""Traces whose summaries are made anew, or that are dropped, at a time."""
LARGEST = 1 << 30
"""Bytes of all summaries, at most."""
APPEND = """
for at = 1, #ARGV, 5 do
  local trace = ARGV[at]
  local count = redis.call('RPUSH', KEYS[1] .. trace, ARGV[at + 1])
  redis.call('ZADD', KEYS[2], 'LT', ARGV[at + 2], trace)
  redis.call('ZADD', KEYS[3], 'GT', ARGV[at + 3], trace)
  if count == 1 then redis.call('HSET', KEYS[4], trace, ARGV[at + 4]) else redis.call('SADD', KEYS[5], trace) end
end
"""
"""Appends values to traces, and notes what has changed: of each trace its id, the value, first and last start, its summary."""
RENEW = """
for at = 1, #ARGV, 3 do
  if redis.call('LLEN', KEYS[1] .. ARGV[at]) == tonumber(ARGV[at + 1]) then
    redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 2])
    redis.call('SREM', KEYS[3], ARGV[at])
  end
end
"""
"""Stores summaries, of each trace its id, of how many values, and the text, where no value has come since."""


class SpanKeys:
    """Reads and writes them."""

    def write(self, client: Any, spans: Sequence[Span]) -> None:  # noqa: ANN401 the driver's client, here and below
        """Append spans to their traces, all in one step."""
        given: list[bytes | str | int] = []
        for trace, group in itertools.groupby(sorted(spans, key=attrgetter("trace")), attrgetter("trace")):
            own = list(group)
            starts = [span.start // 1000 for span in own]
            given += [trace, wire.encode(own), min(starts), max(starts), _told(summarise(merge(own)))]
        client.eval(APPEND, 5, SPANS, TRACES, LAST, SUMMARY, CHANGED, *given)

    def read(self, client: Any, trace: str) -> list[Span]:  # noqa: ANN401 see above
        """Return the spans of a trace, in order of arrival. Values that are none are left out."""
        if client.type(SPANS + trace) != b"list":
            return []
        return list(itertools.chain.from_iterable(map(_spans, client.lrange(SPANS + trace, 0, -1))))

    def known(self, client: Any, traces: Iterable[str]) -> set[str]:  # noqa: ANN401 see above
        """Return those of the traces that are kept here, too."""
        some = list(traces)
        held = client.hmget(SUMMARY, some) if some else []
        return {trace for trace, found in zip(some, held, strict=True) if found is not None}

    def newest(self, client: Any, query: TraceQuery, place: Place | None, most: int, without: Container[str]) -> list[Summary]:  # noqa: ANN401 see above
        """Return the `most` newest traces behind a place that fit, and those that begin in the same µs as the last of them."""
        self._renew(client)
        found: list[Summary] = []
        newest = min(query.until, FOREVER if place is None else int(place.time)) // 1000
        bounds = ("+inf" if newest >= FAR else newest, "-inf" if query.since <= -FAR else query.since // 1000)
        for offset in itertools.count(0, PAGE):
            names = client.zrevrangebyscore(TRACES, *bounds, start=offset, num=PAGE)
            held = [value for value in client.hmget(SUMMARY, names) if value is not None] if names else []
            traces = _summaries(held)
            found += [
                trace
                for trace in traces
                if trace.trace not in without and matches(query, trace) and (place is None or place_of(trace) < place)
            ]
            if len(names) < PAGE or (
                len(found) >= most and traces and traces[-1].start // 1000 < found[most - 1].start // 1000
            ):
                return found
        return found

    def _renew(self, client: Any) -> None:  # noqa: ANN401 see above
        """Make the summaries of those anew to which something was added."""
        changed = [trace.decode("utf-8", "replace") for trace in client.smembers(CHANGED)]
        for first in range(0, len(changed), TOGETHER):
            some = changed[first : first + TOGETHER]
            pipe = client.pipeline(transaction=False)
            for trace in some:
                pipe.lrange(SPANS + trace, 0, -1)
            given: list[str | int] = []
            for trace, values in zip(some, pipe.execute(raise_on_error=False), strict=True):
                spans = merge(itertools.chain.from_iterable(map(_spans, values))) if isinstance(values, list) else []
                if spans:
                    given += [trace, len(values), _told(summarise(spans))]
                else:  # somebody has put something else there
                    client.srem(CHANGED, trace)
            if given:
                client.eval(RENEW, 3, SPANS, SUMMARY, CHANGED, *given)

    def before(self, client: Any, before: float) -> list[str]:  # noqa: ANN401 see above
        """Return some traces all of whose spans started before a time in seconds."""
        found = client.zrangebyscore(LAST, "-inf", f"({before * 1e6:.0f}", start=0, num=TOGETHER)
        return [trace.decode("utf-8", "replace") for trace in found]

    def delete(self, client: Any, traces: Iterable[str]) -> int:  # noqa: ANN401 see above
        """Delete traces. Return how many were there."""
        some = list(traces)
        if not some:
            return 0
        pipe = client.pipeline()
        pipe.unlink(*(SPANS + trace for trace in some))
        pipe.hdel(SUMMARY, *some)
        pipe.srem(CHANGED, *some)
        for index in (TRACES, LAST):
            pipe.zrem(index, *some)
        return int(pipe.execute()[0])


def _spans(value: bytes) -> list[Span]:
    try:
        return wire.decode(value)
    except InputError:
        return []


def _told(trace: Summary) -> str:
    return json.dumps(trace, separators=(",", ":"))


def _summaries(values: Sequence[bytes]) -> list[Summary]:
    """Read all at once, which is quicker; one by one when one of them is none."""
    try:
        return [_summary(each) for each in read(b"[" + b",".join(values) + b"]", LARGEST)]
    except InputError:
        return [trace for value in values for trace in _one(value)]


def _one(value: bytes) -> list[Summary]:
    try:
        return [_summary(read(value, LARGEST))]
    except InputError:
        return []


def _summary(row: object) -> Summary:
    if not isinstance(row, list) or tuple(map(type, row)) != ROW:
        message = "this is no summary of a trace"
        raise InputError(message)
    return Summary(*row)


ROW = (str, int, int, str, str, str, int, int, str, bool, dict, dict)
