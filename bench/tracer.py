"""Measure what a trace point costs who makes it: ``python bench/tracer.py [--points N] [--rounds N] [--write]``.

A point is one start and one stop within a trace, on the caller's thread: ours off, to nowhere and to a real Redis; the
package that stands in for osprofiler; beside them OSProfiler itself, where `.cache/osprofiler` is an environment with it, and
OpenTelemetry's SDK with its batches to nowhere.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import machine
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from section import write

from nilometer.emit.tracer import Tracer
from nilometer.testing.redis import redis

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HERE = Path(__file__).parent
PEER = HERE.parent / ".cache/osprofiler/bin/python"
STAND_IN = HERE.parent / "compat/osprofiler/src"
PAUSE = 0.3
"""Seconds between rounds, in which threads write what has come."""


class Found(NamedTuple):
    """Who was measured, and microseconds a point: the best round, and the median."""

    name: str
    best: float
    median: float


class Nowhere(SpanExporter):
    """Takes spans and drops them."""

    def export(self, spans: object) -> SpanExportResult:
        """Say that they have arrived."""
        del spans
        return SpanExportResult.SUCCESS


def measured(name: str, point: Callable[[], object], options: argparse.Namespace) -> Found:
    """Measure a point of this process."""
    took = []
    for _ in range(options.rounds):
        begin = time.perf_counter()
        for _ in range(options.points):
            point()
        took.append((time.perf_counter() - begin) / options.points * 1e6)
        time.sleep(PAUSE)
    return Found(name, min(took), statistics.median(took))


def ours(name: str, url: str, options: argparse.Namespace) -> Found:
    """Measure the tracer, within a span."""
    tracer = Tracer(url, service="bench", host="here")

    def point() -> None:
        with tracer.span("point"):
            pass

    root = tracer.span("root").start()
    found = measured(name, point, options)
    root.end()
    tracer.close()
    return found


def opentelemetry(options: argparse.Namespace) -> Found:
    """Measure OpenTelemetry's SDK, within a span."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    tracer = provider.get_tracer("bench")

    def point() -> None:
        with tracer.start_as_current_span("point"):
            pass

    with tracer.start_as_current_span("root"):
        found = measured("OpenTelemetry's SDK, batches to nowhere", point, options)
    provider.shutdown()
    return found


def osprofiler(name: str, options: argparse.Namespace, count: int, *url: str) -> Found:
    """Measure OSProfiler itself."""
    return asked(name, PEER, os.environ, options, count, *url)


def stand_in(name: str, options: argparse.Namespace, count: int, *url: str) -> Found:
    """Measure the package that stands in for osprofiler."""
    environment = os.environ | {"PYTHONPATH": str(STAND_IN)}
    return asked(name, Path(sys.executable), environment, options, count, *url)


def asked(name: str, python: Path, environment: Mapping[str, str], options: argparse.Namespace, count: int, *url: str) -> Found:
    """Measure what an interpreter imports as ``osprofiler``."""
    command = [python, HERE / "tracer_osprofiler.py", str(count), str(options.rounds), *url]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    took = json.loads(done.stdout)
    return Found(name, min(took) / 1000, statistics.median(took) / 1000)


def main() -> None:
    """Measure all, and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=5000, help="points of a round; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=9, help="default: %(default)s")
    parser.add_argument("--write", action="store_true", help="write the table into docs/performance.md")
    options = parser.parse_args()
    if not PEER.exists():
        sys.exit("osprofiler is not installed; type: python tests/servers/install.py --slow")
    with redis() as url:
        found = [
            ours("Nilometer, off", "", options),
            ours("Nilometer, to nowhere", "null://", options),
            ours("Nilometer, to Redis", url, options),
            opentelemetry(options),
            osprofiler("OSProfiler, to nowhere", options, options.points),
            osprofiler("OSProfiler, to Redis", options, max(options.points // 10, 1), url),
            stand_in("the stand-in for osprofiler, to nowhere", options, options.points),
            stand_in("the stand-in for osprofiler, to Redis", options, options.points, url),
        ]
    lines = [
        f"{dt.datetime.now(dt.UTC).date()}; {machine.described()}.",
        "",
        "| µs a point | best round | median |",
        "|---|---|---|",
        *(f"| {each.name} | {each.best:.1f} | {each.median:.1f} |" for each in found),
    ]
    print("\n".join(lines))
    if options.write:
        write("tracer", lines)


if __name__ == "__main__":
    main()
