"""Measure how fast traces are read: ``python bench/traces.py [--spans N] [--traces N] [--foreign N] [--only NAME] [--write]``.

Each store that is installed gets one trace of many spans and many small traces. Then: its report as OSProfiler tells it, as
JSON; the newest 100 traces; all of them. Beside it the driver of the real OSProfiler, where `.cache/osprofiler` is an
environment with it, over the very Redis that ours has filled in OSProfiler's layout. ``--foreign`` puts keys of somebody else
into Redis first, as in a cache that is shared.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import machine
import redis as driver
from section import write

from nilometer.backends import memory, registry
from nilometer.core.traces.ids import uuid
from nilometer.core.traces.query import EVERYTHING
from nilometer.core.traces.span import Span
from nilometer.testing.missing import Missing
from nilometer.testing.mongodb import mongodb
from nilometer.testing.postgresql import postgresql
from nilometer.testing.redis import redis
from nilometer.testing.trace_examples import MS, START, number, request
from nilometer.traces.osprofiler import report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nilometer.core.capability import TraceStore

HERE = Path(__file__).parent
PEER = HERE.parent / ".cache/osprofiler/bin/python"
LARGE = "4e3e0ec6293840b1850409eb1d4b0dee"
BATCH, PAGE = 1000, 100
TIMES = 5
"""How often each question is asked; the median counts."""


class Found(NamedTuple):
    """Milliseconds of a report, of a page and of all traces, and spans written a second, None where that is another's."""

    report: float
    page: float | None
    all: float
    written: float | None


def large(count: int) -> Iterator[Span]:
    """Yield a trace of calls within calls, three each."""
    for nr in range(count):
        parent = number((nr - 1) // 3) if nr else ""
        told = {"db.query.text": f"row {nr} of the table"}
        end = START + (count * 2 - nr) * MS
        yield Span(
            LARGE, number(nr), parent, f"call{nr % 7}", START + nr * MS, end, service="tables", host="n", attributes=told
        )


def fill(store: TraceStore, options: argparse.Namespace) -> float:
    """Write all traces. Return how many spans a second that were."""
    spans = [span for nr in range(options.traces - 1) for span in request(nr, START + (nr + 1) * 1000 * MS)]
    spans += large(options.spans)
    begin = time.perf_counter()
    for at in range(0, len(spans), BATCH):
        store.write_spans(spans[at : at + BATCH])
    return len(spans) / (time.perf_counter() - begin)


def median(ask: Callable[[], int], expected: int) -> float:
    """Return the median of how many milliseconds a question takes that finds what is expected."""
    took = []
    for _ in range(TIMES):
        begin = time.perf_counter()
        found = ask()
        took.append((time.perf_counter() - begin) * 1000)
        if found != expected:
            message = f"{found} found, {expected} expected"
            raise ValueError(message)
    return statistics.median(took)


def ours(url: str, options: argparse.Namespace) -> Found:
    """Measure a store of ours."""
    store = registry.open(url, registry.TRACES)

    def told() -> int:
        spans = store.read_trace(LARGE)
        json.dumps(report(spans))
        return len(spans)

    def listed(limit: int) -> Callable[[], int]:
        return lambda: len(store.find_traces(EVERYTHING, limit).traces)

    with contextlib.closing(store):
        written = fill(store, options)
        page, everything = median(listed(PAGE), PAGE), median(listed(options.traces), options.traces)
        return Found(median(told, options.spans), page, everything, written)


def theirs(url: str, options: argparse.Namespace) -> Found:
    """Measure the driver of OSProfiler over a Redis that is filled."""
    command = [PEER, HERE / "traces_osprofiler.py", url, uuid(LARGE), str(TIMES)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    if (found["spans"], found["traces"]) != (options.spans, options.traces):
        message = f"OSProfiler found {found['spans']} spans, {found['traces']} traces"
        raise ValueError(message)
    return Found(statistics.median(found["report"]) * 1000, None, statistics.median(found["list"]) * 1000, None)


def foreign(url: str, count: int) -> None:
    """Put keys into Redis that are not ours."""
    client = driver.Redis.from_url(url)
    for at in range(0, count, 10_000):
        client.mset({f"cache:{nr}": "x" for nr in range(at, min(at + 10_000, count))})
    client.close()


def over_redis(layout: str, options: argparse.Namespace) -> Iterator[tuple[str, Found]]:
    """Measure a Redis of its own, and OSProfiler over the same where that is its layout."""
    with redis() as url:
        foreign(url, options.foreign)
        yield f"Redis, layout `{layout}`", ours(f"{url}?layout={layout}", options)
        if layout == "osprofiler" and PEER.exists():
            yield "Redis, by osprofiler 4.4.0 itself", theirs(url, options)


def cases(options: argparse.Namespace, folder: Path) -> dict[str, Callable[[], Iterator[tuple[str, Found]]]]:
    """Return what is measured, by a short name."""

    def at(name: str, url: str) -> Iterator[tuple[str, Found]]:
        yield name, ours(url, options)

    def over_postgresql() -> Iterator[tuple[str, Found]]:
        with postgresql() as url:
            yield "PostgreSQL", ours(url.replace("+psycopg", ""), options)

    def over_mongodb() -> Iterator[tuple[str, Found]]:
        with mongodb(folder) as url:
            yield "MongoDB's protocol (SecantusDB)", ours(url, options)

    def in_memory() -> Iterator[tuple[str, Found]]:
        yield from at("memory", "memory://bench-traces")
        memory.forget("bench-traces")  # or the collector of garbage goes through it while others are measured

    return {
        "memory": in_memory,
        "sqlite": lambda: at("SQLite", f"sqlite:///{folder}/traces.db"),
        "redis": lambda: over_redis("spans", options),
        "osprofiler": lambda: over_redis("osprofiler", options),
        "postgresql": over_postgresql,
        "mongodb": over_mongodb,
    }


def row(name: str, found: Found) -> str:
    """Return a row of the table."""
    cells = (found.report, found.page, found.all, found.written)
    return f"| {name} | " + " | ".join("–" if cell is None else f"{cell:,.0f}" for cell in cells) + " |"


def measure(options: argparse.Namespace) -> Iterator[str]:
    """Yield the lines of the table, store by store."""
    yield f"{dt.datetime.now(dt.UTC).date()}; {machine.described()}; {options.foreign:,} foreign keys in Redis."
    yield ""
    head = f"report of {options.spans:,} spans | newest {PAGE} traces | all {options.traces:,} traces"
    yield f"| ms, median of {TIMES} | {head} | spans written a second |"
    yield "|---" * 5 + "|"
    with tempfile.TemporaryDirectory() as folder:
        for name, run in cases(options, Path(folder)).items():
            if options.only and name not in options.only:
                continue
            try:
                yield from (row(*each) for each in run())
            except Missing as error:
                print(f"{name}: {error}", file=sys.stderr)


def main() -> None:
    """Measure, print, and write the page when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=10_000, help="spans of the large trace")
    parser.add_argument("--traces", type=int, default=10_000, help="traces in all")
    parser.add_argument("--foreign", type=int, default=0, help="keys of somebody else in Redis")
    parser.add_argument(
        "--only", action="append", help="measure this alone: memory, sqlite, redis, osprofiler, …; may be repeated"
    )
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    lines = []
    for line in measure(options):
        print(line, flush=True)
        lines.append(line)
    if options.write:
        write("traces", lines)


if __name__ == "__main__":
    main()
