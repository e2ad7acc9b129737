"""OSProfiler's keys of traces in Redis; their rules are in `backends/redis.py`. Every method takes the driver's client."""

from __future__ import annotations

import itertools
import json
import threading
import time
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from nilometer.core.traces import ids
from nilometer.core.traces.span import NANO
from nilometer.core.traces.summary import summarise
from nilometer.core.wire import osprofiler as wire
from nilometer.core.wire.bounded_json import read_many
from nilometer.core.wire.span import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nilometer.core.traces.span import Span
    from nilometer.core.traces.summary import Summary

TRACE, ERROR = "osprofiler_opt:", "osprofiler_error:"
SCAN = 2.0
"""Seconds for which the names of keys are not gone through again."""
STEP = 5000
"""Keys gone through at a time."""
TOGETHER = 200
"""Traces read, or dropped, at a time."""


class OsprofilerKeys:
    """Reads and writes them. With `scan`, keys that others wrote are looked for."""

    def __init__(self, *, scan: bool) -> None:
        self._scan = scan
        self._lock = threading.Lock()
        self._scanned, self._known = float("-inf"), set[str]()
        self._summaries: dict[str, tuple[int, Summary, int]] = {}

    def write(self, client: Any, spans: Sequence[Span]) -> None:  # noqa: ANN401 the driver's client, here and below
        """Put the spans' notifications before those of their traces, all in one step."""
        pipe = client.pipeline()
        for trace, group in itertools.groupby(sorted(spans, key=attrgetter("trace")), attrgetter("trace")):
            base, own = ids.uuid(trace), list(group)
            pipe.lpush(TRACE + base, *(text(note) for span in own for note in wire.notes(span)))
            for span in own:
                if span.failed:
                    told = {"base_id": base, "timestamp": wire.timestamp(span.end)}
                    pipe.set(ERROR + base, json.dumps(told))
            self._remember(TRACE + base)
        pipe.execute()

    def _remember(self, key: str) -> None:
        with self._lock:
            self._known.add(key)

    def read(self, client: Any, trace: str) -> list[Span]:  # noqa: ANN401 see above
        """Return the spans of a trace, in order of arrival. Values that are none are left out."""
        return self._read(client, [TRACE + spelling for spelling in ids.spellings(trace)])[1]

    def _read(self, client: Any, keys: Sequence[str]) -> tuple[int, list[Span]]:  # noqa: ANN401 see above
        """Return how many documents the keys hold, and their spans."""
        pipe = client.pipeline(transaction=False)
        for key in keys:
            pipe.lrange(key, 0, -1)
        lists = [found if isinstance(found, list) else [] for found in pipe.execute(raise_on_error=False)]
        values = [value for found in lists for value in reversed(found)]
        return len(values), wire.spans(read_many(values)).spans

    def summaries(self, client: Any) -> dict[str, Summary]:  # noqa: ANN401 see above
        """Return the summaries of all traces; those that have grown are made anew."""
        keys = sorted(self._keys(client))
        found: dict[str, Summary] = {}
        for first in range(0, len(keys), TOGETHER):
            some = keys[first : first + TOGETHER]
            for key, size in zip(some, self._sizes(client, some), strict=True):
                summary = self._summary(client, key, size)
                if summary is not None:
                    found[summary.trace] = summary
        return found

    def _sizes(self, client: Any, keys: Sequence[str]) -> list[int]:  # noqa: ANN401 see above
        pipe = client.pipeline(transaction=False)
        for key in keys:
            pipe.llen(key)
        return [size if isinstance(size, int) else 0 for size in pipe.execute(raise_on_error=False)]

    def _summary(self, client: Any, key: str, size: int) -> Summary | None:  # noqa: ANN401 see above
        with self._lock:
            known = self._summaries.get(key)
        if known is None or known[0] != size:
            count, spans = self._read(client, [key])
            if not spans:
                return None
            known = (count, summarise(spans), max(span.start for span in spans))
            with self._lock:
                self._summaries[key] = known
        return known[1]

    def _keys(self, client: Any) -> set[str]:  # noqa: ANN401 see above
        """Return the names of all keys of traces, those of others as of `SCAN` seconds ago."""
        now = time.monotonic()
        if self._scan and now - self._scanned >= SCAN:
            found = {key.decode("utf-8", "replace") for key in client.scan_iter(match=f"{TRACE}*", count=STEP)}
            with self._lock:
                self._known, self._scanned = found, now
        with self._lock:
            return set(self._known)

    def before(self, client: Any, before: float) -> list[str]:  # noqa: ANN401 see above
        """Return some traces all of whose spans started before a time in seconds."""
        self.summaries(client)
        with self._lock:
            known = list(self._summaries.values())
        return [summary.trace for _, summary, last in known if last < before * NANO][:TOGETHER]

    def delete(self, client: Any, traces: Iterable[str]) -> int:  # noqa: ANN401 see above
        """Delete traces. Return how many were there."""
        spellings = [spelling for trace in traces for spelling in ids.spellings(trace)]
        if not spellings:
            return 0
        pipe = client.pipeline()
        pipe.unlink(*(TRACE + spelling for spelling in spellings))
        pipe.unlink(*(ERROR + spelling for spelling in spellings))
        gone = pipe.execute()[0]
        with self._lock:
            for spelling in spellings:
                self._known.discard(TRACE + spelling)
                self._summaries.pop(TRACE + spelling, None)
        return int(gone)
