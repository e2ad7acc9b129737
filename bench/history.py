"""Measure the embedded series store: ``python bench/history.py [--series 10000] [--hours 2.5]``.

Writes hours of flushes, ten seconds apart by a clock of its own, as fast as the store takes them: timers with ten statistics
each, every value a random walk with two decimals. Then prints how long a write took, those apart that also did a slice of
compaction, what a point takes
on disk, and how long it takes to read one series, also while flushes are written.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import tempfile
import time
from contextlib import closing
from itertools import islice
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from made import BEGIN, INTERVAL, STATISTICS, MeasuredClock, Write, fill, flushes, milliseconds, spread
from section import write as write_page

from nilometer.core import url
from nilometer.history.store import Store
from nilometer.ingest import _kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nilometer.core.record import Flush
    from nilometer.testing.clock import ManualClock

COMPACTION = "compact"
READS, BESIDE = 200, 60
"""Reads measured, and flushes written beside others."""


def read_times(store: Store, begin: float, end: float, more: Callable[[int], bool]) -> list[float]:
    """Return the milliseconds of reading one series at a time, as long as there is to be one more."""
    chance = random.Random(2)  # noqa: S311 not a secret
    paths = store.find("*.mean", limit=100_000)
    took: list[float] = []
    while more(len(took)):
        start = time.perf_counter()
        store.read([chance.choice(paths)], begin, end)
        took.append(milliseconds(start))
    return took


def read_while_writing(store: Store, clock: ManualClock, following: Iterable[Flush]) -> list[float]:
    """Return the milliseconds of reading one series, in a thread beside one that writes the flushes."""
    done = Event()

    def go() -> None:
        for flush in following:
            clock.advance(INTERVAL)
            store.write(flush)
        done.set()

    thread = Thread(target=go)
    end = clock.time()
    thread.start()
    took = read_times(store, BEGIN, end, lambda _: not done.is_set())
    thread.join()
    return took


def written(writes: Sequence[Write], points: int) -> list[str]:
    """Return rows on the writes: all, then by what they did besides."""
    compacting = [write.took for write in writes if COMPACTION in write.jobs]
    alone = [write.took for write in writes if COMPACTION not in write.jobs]
    return [
        f"| write a flush of {points:,} points | {spread([write.took for write in writes])} |",
        f"| … without compaction ({len(alone):,} writes) | {spread(alone)} |",
        f"| … with a slice of an hour's compaction ({len(compacting):,} writes) | {spread(compacting)} |",
    ]


def stored(file: Path) -> tuple[float, float]:
    """Return the bytes of a point in blocks of level 0, and in those of the roll-ups, counted with SQLite's own overhead."""
    with closing(sqlite3.connect(file)) as db:
        ((size, blocks),) = db.execute("SELECT sum(length(data) + 12), count(*) FROM history_blocks WHERE key < 1 << 56")
        ((rolled,),) = db.execute("SELECT sum(length(data) + 12) FROM history_blocks WHERE key >= 1 << 56")
    points = blocks * 3600 / INTERVAL
    return size / points, (rolled or 0) / points


def measure(file: Path, series: int, hours: float) -> list[str]:
    """Write, read, and return the lines of the page."""
    _kernel.create()  # puts the native renderer in place, where there is one
    clock = MeasuredClock(BEGIN)
    count = round(hours * 3600 / INTERVAL)
    source = flushes(series, count + BESIDE)
    store = Store(url.parse(f"sqlite:///{file}"), clock)
    writes = fill(store, clock, islice(source, count), count)
    reads = read_times(store, BEGIN, clock.time(), lambda done: done < READS)
    beside = read_while_writing(store, clock, source)
    store.close()
    point, rolled = stored(file)
    size = file.stat().st_size / 1e6
    span = f"one series, {hours:g} h"
    return [
        "| step, ms | median | 99 % | worst |",
        "|---|---|---|---|",
        *written(writes, series * len(STATISTICS)),
        f"| read {span} | {spread(reads)} |",
        f"| read {span}, while flushes are written | {spread(beside)} |",
        "",
        f"A point takes {point:.2f} bytes in its hour's block and {rolled:.2f} in roll-ups. The file has {size:,.0f} MB.",
    ]


def main() -> None:
    """Measure and print, and write the page when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=10_000, help="timers, of ten statistics each")
    parser.add_argument("--hours", type=float, default=2.5)
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        lines = measure(Path(place) / "history.db", options.series, options.hours)
    print("\n".join(lines))
    if options.write:
        write_page("history", lines)


if __name__ == "__main__":
    main()
