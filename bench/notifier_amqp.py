"""Measure what a caller of the notifier waits while RabbitMQ works, is frozen, is down: ``python bench/notifier_amqp.py``.

A real broker is started (Debian's rabbitmq-server), frozen (SIGSTOP), stopped (SIGTERM) and started again, while one thread
emits events at a steady rate. Figures are of single calls, in microseconds, by the clock. The end tells how long the rest took
to arrive, and what was lost.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from nilometer import Notifier
from nilometer.testing.rabbitmq import rabbitmq

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENT = "magnetodb.table.create.end"
PAYLOAD = {"table_name": "Thread", "table_uuid": "3c1f", "index_count": 1}
PATIENCE = 60.0


def emit(notifier: Notifier, count: int, rate: float) -> list[float]:
    """Emit so many events, so many in a second. Return how long each call took, in seconds, shortest first."""
    took = list[float]()
    begin = time.perf_counter()
    for number in range(count):
        time.sleep(max(begin + number / rate - time.perf_counter(), 0))
        before = time.perf_counter()
        notifier.info(EVENT, PAYLOAD, tenant="acme")
        took.append(time.perf_counter() - before)
    return sorted(took)


def row(name: str, took: list[float]) -> str:
    """Return a row of the table."""
    p50, p99 = (took[int(len(took) * part)] for part in (0.5, 0.99))
    return f"| {name} | {p50 * 1e6:,.0f} | {p99 * 1e6:,.0f} | {took[-1] * 1e6:,.0f} |"


def rows(folder: Path, count: int, rate: float) -> Iterator[str]:
    """Yield the table's rows, then what became of the events."""
    yield "| the broker | median µs | p99 µs | longest µs |"
    yield "|---" * 4 + "|"
    with rabbitmq(folder) as server:
        notifier = Notifier(f"{server.url}?durable=true&timeout=1s&hold={4 * count}", publisher="magnetodb.host1")
        yield row("works", emit(notifier, count, rate))
        server.freeze()
        yield row("is frozen", emit(notifier, count, rate))
        server.thaw()
        server.stop()
        yield row("is down", emit(notifier, count, rate))
        server.start()
        yield row("is back", emit(notifier, count, rate))
        begin = time.perf_counter()
        delivered = notifier.flush(PATIENCE)
        yield f"\n{'all delivered' if delivered else 'NOT delivered'} {time.perf_counter() - begin:.1f} s later"
        notifier.close()
        yield f"lost: {sum(notifier.losses().values())} of {4 * count}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000, help="events in each state of the broker")
    parser.add_argument("--rate", type=float, default=2_000, help="events in a second")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for line in rows(Path(folder), options.events, options.rate):
            print(line, flush=True)


if __name__ == "__main__":
    main()
