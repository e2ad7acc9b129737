"""Measure a store of events: ``python bench/events.py [URL] [--events 1000000]``.

Writes events as a service of tables tells them, in batches of 500, then asks what people ask: the newest, by type, tenant and
priority, a rare one, a text, one by its id, counts over time; and drops what is old. Prints how long each took. Without a URL
the store is a file of SQLite in a folder of its own.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from nilometer.backends import registry
from nilometer.core.errors import NilometerError
from nilometer.core.event_query import EventQuery
from nilometer.core.record import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nilometer.core.capability import EventStore

BATCH = 500
BEGIN = 1_700_000_000.0
DAY = 86_400.0
TYPES = ("data.putitem", "data.getitem", "data.query", "data.scan", "table.create.end", "table.delete.end", "table.usage")
PRIORITIES = ("info",) * 8 + ("debug", "error")
TENANTS = 200
RARE, RARELY = "table.rare.error", 250_000
"""A type, and how many events there are for one of it."""
TIMES = 5
"""How often each question is asked; the median counts."""


def events(count: int) -> Iterator[list[Event]]:
    """Yield batches of events spread over a month, in order of time."""
    chance = random.Random(1)  # noqa: S311 not a secret
    step = 30 * DAY / count
    for start in range(0, count, BATCH):
        yield [event(number, BEGIN + number * step, chance) for number in range(start, min(start + BATCH, count))]


def event(number: int, moment: float, chance: random.Random) -> Event:
    """Return one event."""
    kind = RARE if number % RARELY == RARELY // 2 else chance.choice(TYPES)
    payload = {
        "table_name": f"table{chance.randrange(1000)}",
        "rows": chance.randrange(100),
        "request": f"{chance.random():.16f}",
    }
    identity = f"{chance.getrandbits(128):032x}"
    host, tenant = f"magnetodb.host{chance.randrange(20)}", f"tenant{chance.randrange(TENANTS)}"
    return Event(identity, moment, kind, host, chance.choice(PRIORITIES), tenant, payload, {"request_id": f"req-{identity}"})


def questions(end: float) -> dict[str, Callable[[EventStore], object]]:
    """Return what is asked, by a name."""

    def find(limit: int = 100, **words: object) -> Callable[[EventStore], object]:
        return lambda store: store.find_events(EventQuery(**words), limit)  # type: ignore[arg-type]  # a condition each

    def count(since: float, step: float) -> Callable[[EventStore], object]:
        return lambda store: store.count_events(EventQuery(since=since), step, "type")

    return {
        "the newest 100": find(),
        "a type": find(type="data.scan"),
        "a glob of types": find(type="table.*"),
        "a rare type": find(type="*.rare.*"),
        "a tenant": find(tenant="tenant7"),
        "errors of a tenant": find(tenant="tenant7", priority="error"),
        "a tenant and a glob": find(tenant="tenant7", type="table.*"),
        "a frequent text": find(text='"table_name":"table7"'),
        "a text that is nowhere, in a day": find(text="nowhere", since=end - DAY),
        "a text that is nowhere": find(text="nowhere"),
        "an id": find(id="nobody"),
        "counts of a day by type": count(end - DAY, 3600),
        "counts of all by type": count(BEGIN, DAY),
    }


def measure(ask: Callable[[EventStore], object], store: EventStore) -> str:
    """Return the median of how long a question took."""
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        try:
            ask(store)
        except NilometerError as error:
            return f"after {time.perf_counter() - began:.1f} s: {type(error).__name__}"
        took.append(time.perf_counter() - began)
    return f"{statistics.median(took) * 1000:.1f} ms"


def write(store: EventStore, count: int) -> None:
    """Write the events, and print how fast that was."""
    took, began = [], time.perf_counter()
    for batch in events(count):
        start = time.perf_counter()
        store.write_events(batch)
        took.append(time.perf_counter() - start)
    slowest = f"slowest batch {max(took) * 1000:.0f} ms, median {statistics.median(took) * 1000:.1f} ms"
    print(f"{count:,} events written in {time.perf_counter() - began:.0f} s, {count / sum(took):,.0f} a second; {slowest}")


def drop(store: EventStore) -> None:
    """Drop a third, in parts, and print how long the parts took."""
    took, dropped = [], 0
    while True:
        start = time.perf_counter()
        part = store.drop_events(BEGIN + 10 * DAY)
        took.append(time.perf_counter() - start)
        if not part:
            break
        dropped += part
    print(f"{dropped:,} events dropped, {dropped / sum(took):,.0f} a second; slowest part {max(took) * 1000:.0f} ms")


def run(url: str, count: int) -> None:
    """Measure the store at a URL."""
    store = registry.open(url, registry.EVENT_STORE)
    write(store, count)
    for name, ask in questions(BEGIN + 30 * DAY).items():
        print(f"{name:<34} {measure(ask, store)}", flush=True)
    drop(store)
    store.close()


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("url", nargs="?")
    parser.add_argument("--events", type=int, default=1_000_000)
    options = parser.parse_args()
    if options.url:
        run(options.url, options.events)
        return
    with tempfile.TemporaryDirectory() as folder:
        run(f"sqlite:///{folder}/events.db", options.events)
        print(f"{Path(folder, 'events.db').stat().st_size / 1e6:,.0f} MB")


if __name__ == "__main__":
    main()
