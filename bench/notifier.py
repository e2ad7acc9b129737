"""Measure what emitting an event costs the caller: ``python bench/notifier.py [--oslo PYTHON] [--write]``.

Nilometer's notifier beside that of oslo.messaging, in turns, each in a process of its own; oslo.messaging runs under the Python
of an environment that has it (``.cache/oslo``, as the tests' set-up makes it), and is left out without one. The log goes to a
handler that keeps nothing. A figure is the median over the turns, of one call: by the clock, and of CPU, all threads, with
what still waits delivered at the end.
"""

from __future__ import annotations

import argparse
import datetime as dt
import logging
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import machine
from section import write

from nilometer import Notifier

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
OSLO = HERE.parent / ".cache/oslo/bin/python"
ROUNDS = 5
WARM = 200
EVENT = "table.create.end"
PAYLOAD = {
    "tenant_id": "acme",
    "user_id": "ann",
    "table_name": "Thread",
    "table_schema": "{}",
    "state": "active",
    "disk_gb": 0.5,
    "message": "created",
}
AWAY = "statsd+unix:///nowhere/at/all?timeout=1s&hold=1000000"


class Case(NamedTuple):
    """One way to emit: who does it, what is measured, and the driver."""

    name: str
    what: str
    driver: str


class Result(NamedTuple):
    """Nanoseconds of a call, by the clock and of CPU."""

    wall: float
    cpu: float


OURS = (
    Case("Nilometer", "nowhere", "null:"),
    Case("Nilometer", "switched off", ""),
    Case("Nilometer", "the log", "log:"),
    Case("Nilometer", "a server that is away, with a spool", AWAY),
)
THEIRS = (Case("oslo.messaging", "nowhere", "noop"), Case("oslo.messaging", "the log", "log"))


def turn(case: Case, count: int) -> Result:
    """Emit so often, deliver the rest. Return what a call costs."""
    with tempfile.TemporaryDirectory() as folder:
        spool = folder if case.driver == AWAY else ""
        notifier = Notifier(case.driver or "null:", publisher="magnetodb.host1", spool=spool, enabled=bool(case.driver))
        for _ in range(WARM):
            notifier.info(EVENT, PAYLOAD, tenant="acme")
        clock, cpu = time.perf_counter_ns(), time.process_time_ns()
        for _ in range(count):
            notifier.info(EVENT, PAYLOAD, tenant="acme")
        wall = time.perf_counter_ns() - clock
        notifier.close(10)
        return Result(wall / count, (time.process_time_ns() - cpu) / count)


def turn_apart(case: Case, count: int, oslo: Path) -> Result:
    """Measure one turn in a process of its own."""
    if case in THEIRS:
        command = [str(oslo), str(HERE / "notifier_oslo.py"), case.driver, str(count)]
    else:
        command = [sys.executable, str(HERE / "notifier.py"), "--turn", str(OURS.index(case)), "--calls", str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Result(*map(float, done.stdout.split()))


def measure(count: int, oslo: Path) -> dict[Case, Result]:
    """Return what each case costs; those of oslo.messaging where that can be had."""
    cases = [*OURS, *(THEIRS if oslo.exists() else ())]
    found: dict[Case, list[Result]] = {case: [] for case in cases}
    for _ in range(ROUNDS):
        for case in cases:
            found[case].append(turn_apart(case, count, oslo))
    return {case: Result(*map(statistics.median, zip(*turns, strict=True))) for case, turns in found.items()}


def table(results: dict[Case, Result]) -> Iterator[str]:
    """Yield rows."""
    yield "| to | notifier | ns | CPU ns |"
    yield "|---" * 4 + "|"
    for case, (wall, cpu) in sorted(results.items(), key=lambda each: each[0].what):
        yield f"| {case.what} | {case.name} | {wall:,.0f} | {cpu:,.0f} |"


def main() -> None:
    """Measure, print, and write the page when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=5_000, help="calls of each kind in a turn")
    parser.add_argument("--oslo", type=Path, default=OSLO, help="a Python that has oslo.messaging")
    parser.add_argument("--turn", type=int, help="measure this case alone, and print its two figures")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    logging.getLogger().addHandler(logging.NullHandler())
    logging.getLogger().setLevel(logging.INFO)
    if options.turn is not None:
        print(*turn(OURS[options.turn], options.calls))
        return
    results = measure(options.calls, options.oslo)
    lines = [f"{dt.datetime.now(dt.UTC).date().isoformat()}; {machine.described()}.", "", *table(results)]
    print("\n".join(lines))
    if options.write:
        write("notifier", lines)


if __name__ == "__main__":
    main()
