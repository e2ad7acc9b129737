"""The kernel itself: the table, its lock, what is counted, and the receivers that feed it.

Rules:

* One lock guards the table, the tally and the refused lines. `flush` holds it only to swap the window, and computes the
  statistics after that.
* Events and service checks pass by the table; what is kept of them has bounds.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections import Counter, deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nilometer.core.record import Block, Kind, block
from nilometer.ingest._reference import peek, top
from nilometer.ingest._reference.explain import explained
from nilometer.ingest._reference.limits import SERIES
from nilometer.ingest._reference.line import read
from nilometer.ingest._reference.reading import CUT_OFF, TOO_LONG, Reading, Refusal
from nilometer.ingest._reference.receiver import Receiving
from nilometer.ingest._reference.relay import ReferenceRouter
from nilometer.ingest._reference.table import Table
from nilometer.ingest._reference.tap import ReferenceTap
from nilometer.ingest._reference.timer import columns
from nilometer.ingest.inspection import Peeked, Top, Totals
from nilometer.ingest.kernel import (
    AUTO,
    MAX_NOTICE_BYTES,
    MAX_NOTICES,
    STATSD,
    Aggregates,
    Aggregation,
    BadLine,
    Histogram,
    Notice,
    Overflowed,
    Tally,
    understood,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nilometer.ingest._reference.reading import Sample
    from nilometer.ingest._reference.rules import Profile
    from nilometer.ingest._reference.table import Outcome, Window

MAX_BAD_LINES = 32
SHOWN_BYTES = 512


class ReferenceKernel(Receiving):
    """Aggregates lines into series, in Python. Any thread may call any method."""

    name = "reference"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._table = Table(Aggregation())
        self._tally: dict[str, int] = {}
        self._bad: deque[BadLine] = deque()
        self._notices = Notices()
        self._overflowed: deque[Overflowed] = deque()
        self._last_gauges: dict[str, float] = {}
        self._finished, self._talkers = top.Talkers(), top.Talkers()
        self._totals: Counter[str] = Counter()
        self._heard = time.monotonic()
        self._router: ReferenceRouter | None = None
        self._tap: ReferenceTap | None = None

    def configure(self, aggregation: Aggregation) -> None:
        """Use other settings: limits, cleaning and rules at once, the rest when the open window is flushed."""
        with self._lock:
            self._table.configure(aggregation)

    def feed(self, data: bytes, source: str = "", dialect: str = AUTO, *, packets: int = 1) -> None:
        """Count whole lines, separated by newlines; the last needs none. Raise ValueError for an unknown dialect."""
        understood(dialect)
        if (router := self._router) is not None:
            router.offer_lines(data)
        if (tap := self._tap) is not None:
            tap.offer(data)
        self._feed(data, source, dialect, packets)

    def feed_datagram(self, data: bytes, source: str, dialect: str, *, cut: bool) -> None:
        """Count the lines of a datagram; of one whose end was `cut` off the last line, which is not whole, as bad."""
        if (router := self._router) is not None:
            router.offer(data)
        if (tap := self._tap) is not None:
            tap.offer(data)
        if not cut:
            self._feed(data, source, dialect, 1)
            return
        whole, newline, rest = data.rpartition(b"\n")
        self._feed(whole + newline, source, dialect, 1)
        with self._lock:
            self._count("lines", 1)
            self._refuse(rest, source, Refusal("", CUT_OFF))

    def relay(self, streams: Sequence[bool], *, ring: bool, queue_bytes: int) -> ReferenceRouter:
        """Repeat what comes in from now on, before it is read."""

        def detach() -> None:
            if self._router is router:
                self._router = None

        self._router = router = ReferenceRouter(streams, ring=ring, queue_bytes=queue_bytes, detach=detach)
        return router

    def tap(self, queue_bytes: int) -> ReferenceTap:
        """Copy what comes in from now on, before it is read."""

        def detach() -> None:
            if self._tap is tap:
                self._tap = None

        self._tap = tap = ReferenceTap(queue_bytes, detach)
        return tap

    def _feed(self, data: bytes, source: str, dialect: str, packets: int) -> None:
        whole = list(filter(None, _lines(data, dialect)))
        with self._lock:
            self._heard = time.monotonic()
            self._count("packets", packets)
            self._count("bytes", len(data))
            self._count("lines", len(whole))
            for line in whole:
                self._line(line, source, dialect)
            if whole:
                self._talkers.sources.add(top.host(source), len(whole))

    def explain(self, data: bytes, dialect: str = AUTO) -> list[dict[str, Any]]:
        """Return what each line means, counting nothing. Raise ValueError for an unknown dialect."""
        rules, found = self._table.rules, []
        for number, line in enumerate(_lines(data, dialect), 1):
            if line:
                for each in explained(_read(line, dialect, rules)):
                    text = {"text": _cut(line)} if "error" in each else {}
                    found.append({"line": number} | each | text)
        return found

    def _line(self, raw: bytes, source: str, dialect: str) -> None:
        reading = _read(raw, dialect, self._table.rules)
        if reading.notice is not None:
            self._notices.add(Notice(source, reading.notice), len(raw))
        for value in reading.values:
            if isinstance(value, Refusal):
                self._refuse(raw, source, value)
            else:
                for sample in value.samples:
                    self._add(reading, sample, source)

    def _add(self, reading: Reading, sample: Sample, source: str) -> None:
        """Count a sample, or keep it for the time that came with it: what counters and gauges can be, other kinds cannot."""
        timestamp = reading.extras.get("timestamp")
        if timestamp is not None and sample.kind in {Kind.COUNTER, Kind.GAUGE}:
            outcome = self._table.time(timestamp, reading.key, sample, source)
        else:
            outcome = self._table.add(reading.key, sample, source)
        self._account(sample.kind, outcome, source)

    def _account(self, kind: Kind, outcome: Outcome, source: str) -> None:
        if outcome.series is not None:
            self._talkers.updates[kind, outcome.series] += 1
        if outcome.lost:
            self._count(outcome.lost, 1)
        if outcome.refused:
            self._count(outcome.refused, 1)
            if len(self._overflowed) < MAX_BAD_LINES:
                self._overflowed.append(Overflowed(source, _cut(outcome.wanted.encode()), kind, outcome.refused))

    def _refuse(self, raw: bytes, source: str, refusal: Refusal) -> None:
        self._count("bad_lines", 1)
        self._talkers.refused.add((top.host(source), refusal.reason), 1, _cut(raw))
        if len(self._bad) < MAX_BAD_LINES:
            fields = _cut(refusal.fields.encode())
            self._bad.append(BadLine(source, _cut(raw), fields, refusal.reason))

    def _count(self, field: str, number: int) -> None:
        self._tally[field] = self._tally.get(field, 0) + number

    def count_drops(self, number: int) -> None:
        """Count datagrams that the operating system dropped before a receiver saw them."""
        with self._lock:
            self._count("kernel_drops", number)

    def flush(self, seconds: float, *, last: bool = False) -> Aggregates:
        """Hand over the finished window; rates are per second over `seconds`. With `last`, nothing is held any longer."""
        with self._lock:
            start = time.perf_counter_ns()
            order, series, timed = list(peek.order(self._table)), len(self._table), tuple(self._table.timeline.values)
            rules, window, tally = self._table.rules, self._table.finish(seconds, last=last), self._tally
            self._tally, self._last_gauges = {}, self._table.gauges.copy()
            self._finished, self._talkers = self._talkers.finish(order), top.Talkers()
            self._totals.update(tally)
            pause = time.perf_counter_ns() - start
        tally |= {"series": series, "pause_ns": pause}
        return Aggregates(tuple(each for each in _blocks(window, rules) if each.count), Tally(**tally), timed)

    def notices(self) -> tuple[list[Notice], int]:
        """Return the events and service checks since the last call, and how many there were no room for."""
        with self._lock:
            taken, self._notices = self._notices, Notices()
        return taken.kept, taken.lost

    def bad_lines(self) -> list[BadLine]:
        """Return refused lines, at most 32 since the last call; the rest are only counted."""
        with self._lock:
            bad, self._bad = list(self._bad), deque()
        return bad

    def overflowed(self) -> list[Overflowed]:
        """Return keys that a limit refused, at most 32 since the last call; the rest are only counted."""
        with self._lock:
            overflowed, self._overflowed = list(self._overflowed), deque()
        return overflowed

    def gauges(self) -> tuple[Sequence[str], Sequence[float]]:
        """Return the gauges as of the last flush, to be kept over a restart."""
        with self._lock:
            return list(self._last_gauges), array("d", self._last_gauges.values())

    def restore_gauges(self, keys: Sequence[str], values: Sequence[float]) -> None:
        """Set gauges that have not been set since the start."""
        with self._lock:
            for key, value in zip(keys, values, strict=True):
                if not self._table.restore_gauge(key, value):
                    self._count(SERIES, 1)

    def peek(self, kind: Kind, most: int) -> Peeked:
        """Return the first `most` series of a kind as the open window has them; it is not disturbed."""
        with self._lock:
            return peek.peek(self._table, kind, most)

    def keys(self, kind: Kind, prefix: str, most: int) -> list[str]:
        """Return the first `most` keys of a kind that start with `prefix`, in order of first arrival."""
        with self._lock:
            return peek.keys(self._table, kind, prefix, most)

    def delete(self, kind: Kind, names: Sequence[str]) -> list[bool]:
        """Delete series by their keys, also from the open window. Return for each whether there was one."""
        with self._lock:
            return [self._delete(kind, name) for name in names]

    def _delete(self, kind: Kind, key: str) -> bool:
        self._talkers.updates.pop((kind, key), None)
        self._finished.updates.pop((kind, key), None)
        if kind is Kind.GAUGE:
            self._last_gauges.pop(key, None)
        return peek.delete(self._table, kind, key)

    def top(self, most: int) -> Top:
        """Return the `most` busiest names and sources, and of what was refused; see `Top` for how exact that is."""
        with self._lock:
            return top.top(self._finished, self._talkers, peek.order(self._table), most)

    def totals(self) -> Totals:
        """Return what was counted since the kernel was made."""
        with self._lock:
            counted = self._totals + Counter(self._tally)
            idle = time.monotonic() - self._heard
        return Totals(counted["packets"], counted["bytes"], counted["lines"], counted["bad_lines"], idle)


class Notices:
    """Events and service checks, as many as there is room for."""

    def __init__(self) -> None:
        self.kept: list[Notice] = []
        self.lost = self._size = 0

    def add(self, notice: Notice, size: int) -> None:
        """Keep a notice whose line has `size` bytes."""
        if len(self.kept) < MAX_NOTICES and self._size + size <= MAX_NOTICE_BYTES:
            self.kept.append(notice)
            self._size += size
        else:
            self.lost += 1


def _lines(data: bytes, dialect: str) -> list[bytes]:
    """Cut data into lines. Raise ValueError for an unknown dialect."""
    lines = data.split(b"\n")
    return lines if understood(dialect)[0] == STATSD else [line.removesuffix(b"\r") for line in lines]


def _read(line: bytes, dialect: str, rules: Aggregation) -> Reading:
    if len(line) > rules.max_line:
        return Reading(values=(Refusal("", TOO_LONG),))
    return read(line, dialect, sanitize=rules.sanitize)


def _cut(text: bytes) -> str:
    return text[:SHOWN_BYTES].decode("utf-8", "replace")


def _blocks(window: Window, rules: Aggregation) -> Iterator[Block]:
    counts = window.counters.values()
    spans = [window.spans[window.profile(Kind.COUNTER, key)] for key in window.counters]
    rates = [count / seconds for count, seconds in zip(counts, spans, strict=True) if seconds is not None]
    sizes = [0 if members is None else members.count() for members in window.sets.values()]
    yield block(Kind.COUNTER, {"rate": rates, "count": counts}, window.counters)
    yield from _timers(window, rules)
    yield block(Kind.GAUGE, {"value": window.gauges.values()}, window.gauges)
    yield block(Kind.SET, {"count": sizes}, window.sets)


def _timers(window: Window, rules: Aggregation) -> Iterator[Block]:
    """Yield the timers of each profile."""
    for number, (profile, seconds) in enumerate(zip(window.profiles, window.spans, strict=True)):
        timers = {key: samples for key, samples in window.timers.items() if window.profile(Kind.TIMER, key) == number}
        if timers and seconds is not None:
            own = _tailored(rules, profile)
            computed = columns(timers.items(), len(timers), own, seconds)
            sketches = tuple(samples.whole().encode() if samples else b"" for samples in timers.values()) if own.sketch else ()
            yield Block(Kind.TIMER, "\n".join(timers).encode(), len(timers), computed, sketches)


def _tailored(rules: Aggregation, profile: Profile) -> Aggregation:
    """Return the rules as a profile has them."""
    return replace(
        rules,
        percentiles=rules.percentiles if profile.percentiles is None else profile.percentiles,
        histograms=rules.histograms if profile.histogram is None else (Histogram("", profile.histogram),),
        cumulative=rules.cumulative if profile.cumulative is None else profile.cumulative,
        sketch=rules.sketch if profile.sketch is None else profile.sketch,
        timer_statistics=rules.timer_statistics if profile.statistics is None else profile.statistics,
    )
