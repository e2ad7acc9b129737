"""Measure what each plugin of statistics costs: ``python bench/plugins.py [--messages 5000] [--store URL] [--write]``.

Each plugin is run by itself, in all its windows, over an inbox that holds made messages, one a second, in the batches that the
program takes when it lags behind. *Process* is the plugin's own code alone; *all of it*, with the tally, the rows and the
offsets committed, is beyond what it takes to read the inbox for a plugin that counts nothing. Then all plugins together, as
they run. Of several rounds the fastest counts.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import machine
from bus import records
from section import write

from nilometer.backends import registry
from nilometer.core import url as urls
from nilometer.core.wire import messages
from nilometer.statistics import catalog
from nilometer.statistics.kinds import Count
from nilometer.statistics.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from nilometer.core.capability import StatisticsStore
    from nilometer.core.statistics import Message
    from nilometer.statistics.plugin import Statistic

BEGIN = 1_790_000_000
BATCH = 500
SMALL = 2.0
"""Microseconds below which plugins share a row."""


class Nothing(Count):
    """A plugin for which no message counts."""

    name = "nothing"
    summary = description = "nothing"

    def wants(self, message: Message) -> bool:
        """Take none."""
        del message
        return False


def fill(store: StatisticsStore, count: int) -> list[Message]:
    """Put messages into the inbox, and return them as they are read there."""
    found = (messages.from_object(record, time=0, id="") for record in records(count, BEGIN))
    while batch := [event for _, event in zip(range(BATCH), found, strict=False)]:
        store.take_in(batch, arrived=batch[-1].time, source="bench")
    read: list[Message] = []
    while part := store.read_inbox(read[-1].number if read else 0, BATCH):
        read += part
    return read


def families(statistics: Iterable[Statistic]) -> dict[str, list[Statistic]]:
    """Return statistics by their plugin, by its name."""
    found: dict[str, list[Statistic]] = {}
    for each in statistics:
        found.setdefault(each.plugin.name, []).append(each)
    return found


def processing(statistic: Statistic, read: Sequence[Message]) -> float:
    """Return what a plugin's own code takes for a message, in microseconds."""
    process, begin = statistic.plugin.process, time.perf_counter()
    for message in read:
        deque(process(message), 0)
    return (time.perf_counter() - begin) / len(read) * 1e6


def run(store: StatisticsStore, statistics: Sequence[Statistic], read: Sequence[Message]) -> float:
    """Have statistics see the whole inbox, and forget it; return what the former takes for a message, in microseconds."""
    runner = Runner(store, statistics, lambda _: None)
    runner.look()
    begin = time.perf_counter()
    while runner.step():
        pass
    took = time.perf_counter() - begin
    for each in statistics:
        store.forget(each.ident)
    return took / len(read) * 1e6


def fastest(rounds: int, measured: Callable[..., float], *arguments: object) -> float:
    """Return the least of several rounds: what else the machine does only adds to it."""
    return min(measured(*arguments) for _ in range(rounds))


def measure(store: StatisticsStore, count: int, rounds: int) -> Iterator[str]:
    """Yield rows, those plugins first that cost most."""
    read, found = fill(store, count), catalog.statistics()
    alone = fastest(rounds, run, store, Nothing().statistics(), read)
    rows, small = [], []
    for name, family in families(found).items():
        print(f"{name} …", file=sys.stderr, flush=True)
        cost = max(fastest(rounds, run, store, family, read) - alone, 0.0)
        windows = len([each for each in family if each.windowed]) or "–"
        rows.append((cost, f"| {name} | {windows} | {fastest(rounds, processing, family[0], read):,.1f} | {cost:,.1f} |"))
    every = fastest(rounds, run, store, found, read)
    yield "| plugin | windows | process, µs a message | all of it, µs a message |"
    yield "|---" * 4 + "|"
    yield f"| reading the inbox | – | – | {alone:,.1f} |"
    yield from (row for cost, row in sorted(rows, reverse=True) if cost >= SMALL or small.append(cost))
    if small:
        yield f"| {len(small)} others, each | – | – | below {SMALL:g} |"
    yield f"| all {len(families(found))} together, with reading | {len(found)} statistics | – | {every:,.1f} |"


def main() -> None:
    """Measure, print, and write the page when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3, help="the fastest counts")
    parser.add_argument("--store", help="an empty store of statistics; by default a file of SQLite in a folder of its own")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = urls.parse(options.store or f"sqlite:///{Path(folder)}/statistics.db")
        store = registry.open(place, registry.STATISTICS)
        lines = [f"{dt.datetime.now(dt.UTC).date().isoformat()}; {machine.described()}.", ""]
        lines += measure(store, options.messages, options.rounds)
        store.close()
    print("\n".join(lines))
    if options.write:
        write("plugins", lines)


if __name__ == "__main__":
    main()
