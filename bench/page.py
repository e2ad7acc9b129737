"""Measure ingest with people at the page: ``python bench/page.py [--users 50] [--seconds 40]``.

A server with its embedded store gets lines at a steady rate, first alone, then while users look: each has a stream of flushes
and asks a question every two seconds, as the page does. Told are the lines that the server took and lost, its CPU, how long
answers took, and how long after the end of its window a flush was there. Sender and users are processes on the same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import machine
from made import spread
from section import write
from users import Seen, look

from nilometer.testing.serving import Serving
from nilometer.testing.waiting import until

ROOT = Path(__file__).parents[1]
WARMED = 3.0
"""Flush intervals of load before anything is measured: series are there, and those of the server about itself."""
SERIES = 1000


class Run(NamedTuple):
    """What one run shows: lines a second taken, lines lost, CPU of the server and of what reads for it in % of a core."""

    rate: float
    lost: float
    server: float
    readers: float
    seen: Seen


class Server:
    """The server that is measured."""

    def __init__(self, state: Path, interval: float) -> None:
        options = ("--listen=udp://127.0.0.1:0", "--web-listen=http://127.0.0.1:0", f"--flush-interval={interval:g}s")
        self._serving = Serving(*options, sinks=(), state=state).ready()
        self.process = self._serving.process.pid
        self.udp = self._serving.address("udp")[1]
        self.http = self._serving.interface("HTTP interface")[1]

    def get(self, target: str) -> dict[str, Any]:
        """Return an answer of the interface."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/api/v1/{target}", timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def lines(self) -> int:
        """Return how many lines it took so far."""
        return int(self.get("stats")["totals"]["lines"])

    def cpu(self) -> tuple[float, float]:
        """Return the CPU seconds of the server, and of the processes that read for it."""
        return machine.cpu(self.process), sum(map(machine.cpu, machine.children(self.process)))

    def paths(self) -> list[str]:
        """Return series that the load makes."""
        found = self.get("series?match=stats.counters.bench.*.rate&limit=300")["series"]
        return [each["path"] for each in found]

    def close(self) -> None:
        """End it."""
        self._serving.kill()


def send(server: Server, rate: float, seconds: float) -> dict[str, float]:
    """Send lines, from a process of its own; return what was sent."""
    command = [sys.executable, str(ROOT / "bench/load.py"), "--port", str(server.udp), "--series", str(SERIES)]
    command += ["--rate", str(rate), "--seconds", str(seconds)]
    sent: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return sent


def run(server: Server, users: int, rate: float, seconds: float) -> Run:
    """Send for so many seconds while users look; return what that did."""
    paths = server.paths() if users else []
    before, cpu, begun = server.lines(), server.cpu(), time.monotonic()
    with ThreadPoolExecutor(1) as beside:
        sending = beside.submit(send, server, rate, seconds)
        seen = asyncio.run(look(users, server.http, paths, seconds))
        sent = sending.result()
    took, used = time.monotonic() - begun, [now - then for now, then in zip(server.cpu(), cpu, strict=True)]
    taken = server.lines() - before
    shares = [seconds / took * 100 for seconds in used]
    return Run(taken / sent["seconds"], sent["lines"] - taken, shares[0], shares[1], seen)


def table(runs: dict[str, Run], seen: Seen) -> list[str]:
    """Return what is written to the page."""
    rows = [
        "| | thousand lines/s | lines lost | CPU of the server, % of a core | CPU of reading, % of a core |",
        "|---|---|---|---|---|",
    ]
    for name, each in runs.items():
        rows.append(f"| {name} | {each.rate / 1000:.0f} | {each.lost:,.0f} | {each.server:.1f} | {each.readers:.1f} |")
    rows += ["", "| ms | median | 99 % | worst |", "|---|---|---|---|"]
    rows.append(f"| all answers | {spread([took for each in seen.answers.values() for took in each])} |")
    rows += [f"| {name} | {spread(took)} |" for name, took in seen.answers.items()]
    rows.append(f"| a flush on the stream, after its window's end | {spread(seen.delays)} |")
    answers = sum(map(len, seen.answers.values()))
    return [*rows, "", f"{answers:,} answers, {len(seen.delays):,} flushes received, {len(seen.errors)} errors."]


def main() -> None:
    """Measure and print, and write the page when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--rate", type=float, default=150_000, help="lines offered a second")
    parser.add_argument("--seconds", type=float, default=40, help="length of each of two runs")
    parser.add_argument("--interval", type=float, default=10, help="flush interval in seconds")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    options = parser.parse_args()
    machine.receive_buffer()
    with tempfile.TemporaryDirectory() as place, closing(Server(Path(place), options.interval)) as server:
        send(server, options.rate / 10, WARMED * options.interval)
        until(server.paths, "the store has series")
        runs = {
            name: run(server, users, options.rate, options.seconds)
            for name, users in (("nobody looks", 0), (f"{options.users} users", options.users))
        }
    seen = runs[f"{options.users} users"].seen
    for error in seen.errors[:5]:
        print(error, file=sys.stderr)
    lines = table(runs, seen)
    print("\n".join(lines))
    if options.write:
        write("page", lines)


if __name__ == "__main__":
    main()
