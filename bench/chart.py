"""Measure how long a chart takes: ``python bench/chart.py [--series 10000] [--hours 24]``.

Writes a day of flushes into the embedded store, then asks for charts over the whole day as the HTTP interface has them made:
in a process that reads, its answer sent back to this one. *First* is a chart that was not asked for before, *again* the same
once more.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from made import BEGIN, INTERVAL, SERVICES, STATISTICS, MeasuredClock, fill, flushes, milliseconds, percent
from section import write

from nilometer.core import url
from nilometer.core.chart import Look
from nilometer.history.store import Store
from nilometer.ingest import _kernel
from nilometer.query.table import Question
from nilometer.web.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable

    Call = tuple[str, tuple[Any, ...]]

CHARTS = 20
"""Different charts of each kind."""
AGAIN = 3
MOST = 60.0
POINTS = 1000
"""Values of a series that a chart on a screen asks for."""
TEN, GROUPED = 10, 4
"""Series of a chart; services whose hosts are put together in one."""
LOOK = Look(800, 300)


def _path(number: int) -> str:
    return f"stats.timers.service{number % SERVICES}.host{number // SERVICES}.request.mean"


def _asked(form: str, paths: tuple[str, ...], end: int) -> Call:
    question = Question(paths, BEGIN, end, 0, POINTS if form == "json" else 0, "mean")
    return f"nilometer.query.table:as_{form}", (question, LOOK) if form == "svg" else (question,)


def one(form: str, number: int, end: int) -> Call:
    """Ask for one series."""
    return _asked(form, (_path(number * 7),), end)


def ten(form: str, number: int, end: int) -> Call:
    """Ask for ten series."""
    return _asked(form, tuple(_path(number * TEN + place) for place in range(TEN)), end)


def grouped(form: str, number: int, end: int) -> Call:
    """Ask Graphite's language for the means of four services, some hundred series in all."""
    first = number * GROUPED % SERVICES
    services = ",".join(str(service) for service in range(first, first + GROUPED))
    statistic = STATISTICS[number * GROUPED // SERVICES]
    target = f"groupByNode(stats.timers.service{{{services}}}.*.request.{statistic},2,'average')"
    pairs = {"target": target, "from": BEGIN, "until": end, "now": end, "format": form, "maxDataPoints": POINTS, "width": 800}
    return "nilometer.query.answers:render", ([(name, str(value)) for name, value in pairs.items()],)


KINDS: dict[str, Callable[[str, int, int], Call]] = {"one series": one, "ten series": ten, "groupByNode": grouped}


def times(workers: Workers, calls: list[Call]) -> tuple[list[float], list[float]]:
    """Return the milliseconds of each call when it is made first, and again."""
    first: list[float] = []
    again: list[float] = []
    for function, arguments in calls:
        for turn in range(1 + AGAIN):
            start = time.perf_counter()
            workers.call(function, *arguments, seconds=MOST)
            (again if turn else first).append(milliseconds(start))
    return first, again


def table(file: Path, series: int, end: int) -> list[str]:
    """Ask for all charts; return the lines of the page."""
    rows = ["| chart, ms | first: median | 99 % | again: median | 99 % |", "|---|---|---|---|---|"]
    workers = Workers(url.parse(f"sqlite:///{file}"), most=1)
    try:
        for function, arguments in (one("json", 1, BEGIN + 60), one("svg", 1, BEGIN + 60), grouped("json", 1, BEGIN + 60)):
            workers.call(function, *arguments, seconds=MOST)  # imports what answers
        for kind, ask in KINDS.items():
            for form in ("json", "svg"):
                first, again = times(workers, [ask(form, number, end) for number in range(CHARTS)])
                cells = (f"{percent(took, share):.0f}" for took in (first, again) for share in (0.5, 0.99))
                rows.append(f"| {_told(kind, series)}, {form.upper()} | {' | '.join(cells)} |")
    finally:
        workers.close()
    return rows


def _told(kind: str, series: int) -> str:
    if kind != "groupByNode":
        return kind
    hosts = GROUPED * (series // len(STATISTICS) // SERVICES)
    return f"`{kind}` over {hosts} series"


def measure(file: Path, series: int, hours: float) -> list[str]:
    """Write, ask, and return the lines of the page."""
    _kernel.create()  # puts the native renderer in place, where there is one
    clock = MeasuredClock(BEGIN)
    count = round(hours * 3600 / INTERVAL)
    store = Store(url.parse(f"sqlite:///{file}"), clock)
    begun = time.monotonic()
    fill(store, clock, flushes(series // len(STATISTICS), count), count)
    store.close()
    took, points = time.monotonic() - begun, series * count
    made = f"{points / 1e6:.1f} million points, written in {took:.0f} s, {file.stat().st_size / 1e6:,.0f} MB."
    return [*table(file, series, BEGIN + count * INTERVAL), "", made]


def main() -> None:
    """Measure and print, and write the page when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        lines = measure(Path(place) / "history.db", options.series, options.hours)
    print("\n".join(lines))
    if options.write:
        write("chart", lines)


if __name__ == "__main__":
    main()
