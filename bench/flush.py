"""Measure one flush of many series in process: ``python bench/flush.py [--series 100000]``.

Feeds the kernel, flushes, lays the flush out as Graphite text and as points, and prints the median of several rounds. The
pause is the longest time for which ingest stood still for a flush.
"""

from __future__ import annotations

import argparse
import statistics
import time

import load
from made import milliseconds
from section import write

from nilometer.core.naming import Naming
from nilometer.core.record import Flush, Window
from nilometer.core.wire import render
from nilometer.ingest import _kernel
from nilometer.ingest.kernel import Aggregation


def rounds(series: int, repeats: int, samples: int) -> dict[str, list[float]]:
    """Return the times of each step in milliseconds, one a round."""
    kernel = _kernel.create()
    kernel.configure(Aggregation())
    text = b"".join(load.lines(series))
    naming = Naming()
    seen: dict[str, list[float]] = {"merge": [], "text": [], "points": [], "pause": [], "lines": []}
    for turn in range(repeats):
        for _ in range(samples):
            kernel.feed(text)
        start = time.perf_counter()
        done = kernel.flush(10.0)
        seen["merge"].append(milliseconds(start))
        flush = Flush(Window(0.0, 10.0 * (turn + 1), 10.0), done.blocks)
        start = time.perf_counter()
        lines = render.lines(flush, naming)
        seen["text"].append(milliseconds(start))
        start = time.perf_counter()
        render.points(flush, naming)
        seen["points"].append(milliseconds(start))
        seen["pause"].append(done.tally.pause_ns / 1e3)
        seen["lines"].append(lines.count(b"\n"))
    return seen


def main() -> None:
    """Measure and print, and write the page when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--samples", type=int, default=5, help="times that every line is fed in a round")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    seen = rounds(options.series, options.rounds, options.samples)
    middle = {name: statistics.median(values) for name, values in seen.items()}
    rows = [
        "| step | median ms | worst ms |",
        "|---|---|---|",
        *(f"| {name} | {middle[name]:.1f} | {max(seen[name]):.1f} |" for name in ("merge", "text", "points")),
        f"| pause of ingest | {middle['pause'] / 1e3:.4f} | {max(seen['pause']) / 1e3:.4f} |",
        "",
        f"{options.series:,} series, {middle['lines']:,.0f} lines of text: {middle['merge'] + middle['text']:.0f} ms in all.",
    ]
    print("\n".join(rows))
    if options.write:
        write("flush", rows)


if __name__ == "__main__":
    main()
