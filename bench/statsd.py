"""Measure StatsD servers side by side: ``make bench``, or ``python bench/statsd.py --help``.

For each server and load (one line a datagram or packed, 1 k or 100 k series) the highest rate without loss is searched for:
the offered rate is doubled until a line is missing in what the server flushed, then halved in between. CPU and memory are
those of the last run without loss. The table goes into docs/performance.md with the ratios, the date and the machine.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import machine
from peers import Peer, Recipe, recipes
from section import write

ROOT = Path(__file__).parents[1]
LOADS = {
    "apart 1 k": ["--apart", "--series=1000"],
    "single 1 k": ["--series=1000"],
    "packed 1 k": ["--packed", "--series=1000"],
    "single 100 k": ["--series=100000"],
    "packed 100 k": ["--packed", "--series=100000"],
}
"""What each asks of load.py."""
FIRST_RATE = 80_000.0
SLACK = 3.0
"""Seconds that a flush may come late."""


class Result(NamedTuple):
    """Thousand lines a second without loss, CPU seconds per million lines, memory in MB."""

    rate: float
    cpu: float
    rss: float

    def __str__(self) -> str:
        return f"{self.rate / 1000:,.0f} ({self.cpu:.2f}; {self.rss:.0f})"


class Trial(NamedTuple):
    """One run: lines a second really sent, how many counters were lost, CPU seconds per million lines."""

    rate: float
    lost: float
    cpu: float


def trial(peer: Peer, load: list[str], rate: float, seconds: float, interval: float) -> Trial:
    """Send at a rate, wait for the flush that tells, compare."""
    before, cpu = peer.counted(), peer.cpu()
    command = [sys.executable, str(ROOT / "bench/load.py"), "--port", str(peer.port), *load]
    command += ["--rate", str(rate), "--seconds", str(seconds)]
    sent = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    seen, grew = 0.0, time.monotonic()
    while seen < sent["counters"] and time.monotonic() < grew + interval + SLACK:
        time.sleep(0.5)
        now = peer.counted() - before
        seen, grew = (now, time.monotonic()) if now > seen else (seen, grew)
    return Trial(sent["lines"] / sent["seconds"], sent["counters"] - seen, (peer.cpu() - cpu) / sent["lines"] * 1e6)


def search(recipe: Recipe, load: list[str], options: argparse.Namespace) -> Result:
    """Return the highest rate without loss: double until lines are lost, then bisect."""
    peer = Peer(recipe, options.interval)
    try:
        low, high, best = 0.0, float("inf"), Result(0, float("nan"), float("nan"))
        rate = FIRST_RATE
        for _ in range(options.trials):
            seen = trial(peer, load, rate, options.seconds, options.interval)
            show(f"    {recipe.name}: offered {rate / 1000:,.0f} k/s, sent {seen.rate / 1000:,.0f} k/s, lost {seen.lost:,.0f}")
            if seen.lost == 0:
                low, best = seen.rate, Result(seen.rate, seen.cpu, peer.rss())
            else:
                high = min(high, seen.rate)
            starved = seen.lost == 0 and seen.rate < rate * 0.9  # the sender can do no more
            if starved or high / max(low, 1) < options.precision:
                break
            rate = low * 2 if high == float("inf") else (low + high) / 2
        return best
    finally:
        peer.stop()


def show(text: str) -> None:
    """Print at once."""
    print(text, flush=True)


def table(results: dict[str, dict[str, Result]]) -> list[str]:
    """Return the table, then how many times more each server spends on a line than the first."""
    head = "| thousand lines/s (CPU s per million lines; MB) | " + " | ".join(LOADS) + " |"
    rows = [head, "|---" * (len(LOADS) + 1) + "|"]
    for name, row in results.items():
        rows.append(f"| {name} | " + " | ".join(str(row[load]) if load in row else "–" for load in LOADS) + " |")
    first, ours = next(iter(results.items()))
    rows += ["", f"| against {first}: rate, CPU per line | " + " | ".join(LOADS) + " |", "|---" * (len(LOADS) + 1) + "|"]
    for name, row in list(results.items())[1:]:
        cells = [ratio(ours[load], row[load]) if load in row and load in ours else "–" for load in LOADS]
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return rows


def ratio(ours: Result, theirs: Result) -> str:
    """Return their rate and CPU as multiples of ours."""
    if not ours.rate or not theirs.rate:
        return "–"
    return f"1/{ours.rate / theirs.rate:.1f} of the rate, {theirs.cpu / ours.cpu:.1f} × the CPU"


def main() -> None:
    """Measure every server with every load."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--peer", action="append", default=[], metavar="NAME=COMMAND", help="any other daemon; {port}, {carbon}, {folder}"
    )
    parser.add_argument("--only", action="append", default=[], help="only servers whose name starts so")
    parser.add_argument("--load", action="append", default=[], choices=list(LOADS))
    parser.add_argument("--seconds", type=float, default=10, help="length of a run")
    parser.add_argument("--interval", type=float, default=10, help="flush interval in seconds")
    parser.add_argument("--trials", type=int, default=12, help="runs at most for one cell")
    parser.add_argument("--precision", type=float, default=1.1, help="stop when the bounds are this close")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    size = machine.receive_buffer()
    results: dict[str, dict[str, Result]] = {}
    for recipe in recipes(options.peer):
        if options.only and not recipe.name.startswith(tuple(options.only)):
            continue
        if recipe.needs and not recipe.needs.exists():
            show(f"LEFT OUT {recipe.name}: {recipe.needs} is missing; cure: {recipe.cure}")
            continue
        for name in options.load or LOADS:
            show(f"{recipe.name}, {name}")
            results.setdefault(recipe.name, {})[name] = search(recipe, LOADS[name], options)
            show(f"  {results[recipe.name][name]}")
    today = dt.datetime.now(dt.UTC).date().isoformat()
    times = f"flush every {options.interval:g} s; runs of {options.seconds:g} s"
    note = f"{today}; {machine.described()}; receive buffer {size >> 10} KiB; {times}."
    lines = [note, "", *table(results)]
    show("\n".join(lines))
    if options.write:
        write("servers", lines)


if __name__ == "__main__":
    main()
