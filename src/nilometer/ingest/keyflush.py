"""The log of the most frequent keys, `keyflush.*`, statsd's ``keyFlush``: lines ``<date> count=N key=K``, every so often.

Rules:

* Lines are counted, bad ones too, by the key that they begin with, cleaned as for a series; each interval begins anew.
* Counts are exact for the first `MOST_KEYS` keys of an interval as they were written; lines of further ones are told
  in the log.
* Lines are counted in Python: datagrams are then read in Python too, which takes several times longer. Who does not ask for
  it pays nothing.

Source: statsd's ``stats.js``.
"""

from __future__ import annotations

import logging
import math
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from nilometer.core.clock import SYSTEM
from nilometer.core.wire.key import clean
from nilometer.ingest._reference.reading import CUT_OFF
from nilometer.ingest._reference.receiver import Receiving
from nilometer.ingest.kernel import AUTO

if TYPE_CHECKING:
    from nilometer.core.clock import Clock
    from nilometer.core.sections import KeyflushSection
    from nilometer.ingest.kernel import Aggregates, Kernel

LOG = logging.getLogger(__name__)
MOST_KEYS = 100_000
ZONES = {"UTC": "Coordinated Universal Time"}
"""Node names zones at length."""


class KeyCounter:
    """Counts lines by their keys. Any thread may call any method."""

    def __init__(self, *, sanitize: bool) -> None:
        self._lock = threading.Lock()
        self._sanitize = sanitize
        self._counts: Counter[tuple[bytes, bytes]] = Counter()
        self._beyond = 0

    def count(self, data: bytes) -> None:
        """Count the lines, separated by newlines."""
        with self._lock:
            counts = self._counts
            for line in data.split(b"\n"):
                if line:
                    body, _, tags = line.partition(b"|#")
                    raw = body.partition(b":")[0], tags.partition(b"|#")[0]
                    if raw in counts or len(counts) < MOST_KEYS:
                        counts[raw] += 1
                    else:
                        self._beyond += 1

    def take(self) -> tuple[list[tuple[str, int]], int]:
        """Return keys and counts, the most frequent first, and how many lines had none of these; then begin anew."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            beyond, self._beyond = self._beyond, 0
        merged: Counter[str] = Counter()
        for (name, tags), number in counts.items():
            merged[self._key(name, tags)] += number
        return sorted(merged.items(), key=lambda item: -item[1]), beyond

    def _key(self, name: bytes, tags: bytes) -> str:
        key = name.decode("utf-8", "replace")
        if tags:
            written = tags.decode("utf-8", "replace").split(",")
            key += ";" + ";".join(tag.replace(";", "_", 1).replace(":", "=", 1) for tag in written)
        return clean(key) if self._sanitize else key


class CountingKernel(Receiving):
    """A kernel whose lines are counted on their way. What is not here is the kernel's own."""

    def __init__(self, kernel: Kernel, counter: KeyCounter) -> None:
        self._kernel, self._counter = kernel, counter
        self._lock = threading.Lock()
        self._drops = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._kernel, name)

    def feed(self, data: bytes, source: str = "", dialect: str = AUTO, *, packets: int = 1) -> None:
        """Count the lines and pass them on."""
        self._counter.count(data)
        self._kernel.feed(data, source, dialect, packets=packets)

    def feed_datagram(self, data: bytes, source: str, dialect: str, *, cut: bool) -> None:
        """Count the lines of a datagram and pass them on; of one whose end was `cut` off, for its last line one that is bad."""
        if not cut:
            self.feed(data, source, dialect)
            return
        whole, newline, _ = data.rpartition(b"\n")
        self.feed(whole + newline + CUT_OFF.replace(":", ",").encode(), source, dialect)

    def count_drops(self, number: int) -> None:
        """Count datagrams that the operating system dropped."""
        with self._lock:
            self._drops += number

    def flush(self, seconds: float, *, last: bool = False) -> Aggregates:
        """Hand over the finished window, drops included."""
        aggregates = self._kernel.flush(seconds, last=last)
        with self._lock:
            drops, self._drops = self._drops, 0
        tally = aggregates.tally
        return replace(aggregates, tally=replace(tally, kernel_drops=tally.kernel_drops + drops))


class KeyFlusher:
    """Writes the most frequent keys at each interval, from a thread of its own."""

    def __init__(self, wanted: KeyflushSection, *, sanitize: bool, clock: Clock = SYSTEM) -> None:
        self._wanted, self._clock = wanted, clock
        self._counter = KeyCounter(sanitize=sanitize)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="nilometer-keys", daemon=True)

    def around(self, kernel: Kernel) -> Kernel:
        """Return a kernel that counts the lines of `kernel`."""
        return cast("Kernel", CountingKernel(kernel, self._counter))

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        due = self._clock.monotonic()
        while True:
            due = max(due + self._wanted.interval, self._clock.monotonic())
            if self._clock.wait(self._stop, due - self._clock.monotonic()):
                return
            self.write()

    def write(self) -> None:
        """Write what was counted since the last time."""
        counted, beyond = self._counter.take()
        if beyond:
            LOG.warning("keyFlush: %d lines had keys beyond the first %d and are not counted", beyond, MOST_KEYS)
        shown = counted[: math.ceil(len(counted) * self._wanted.percent / 100)] if self._wanted.percent > 0 else []
        date = js_date(self._clock.time())
        self._put("".join(f"{date} count={number} key={key}\n" for key, number in shown))

    def _put(self, text: str) -> None:
        try:
            if self._wanted.log:
                with Path(self._wanted.log).expanduser().open("a", encoding="utf-8", errors="replace") as file:
                    file.write(text)
            else:
                sys.stdout.write(text)
                sys.stdout.flush()
        except OSError as error:
            LOG.warning("keyFlush: %s cannot be written: %s", self._wanted.log or "standard output", error)


def js_date(seconds: float) -> str:
    """Return a time as JavaScript's ``Date`` becomes text."""
    local = time.localtime(seconds)
    return time.strftime("%a %b %d %Y %H:%M:%S GMT%z ", local) + f"({ZONES.get(local.tm_zone, local.tm_zone)})"
