"""Measure what a call of a StatsD client costs: ``python bench/client.py [--write]``.

Nilometer's client beside those of the packages ``statsd`` and ``datadog``, in one run, in turns, so that whatever else the
machine does meets all of them. Each sends datagrams to a process of its own on this machine, which counts their lines.
A figure is the median over the turns, of one call: by the clock, and of CPU, all threads of the sender, with what still waits
sent at the end.
"""

from __future__ import annotations

import argparse
import datetime as dt
import socket
import statistics
import sys
import time
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, NamedTuple

import machine
from datadog.dogstatsd import DogStatsd
from section import write

from nilometer import StatsD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    Call = Callable[[int], object]

ROUNDS = 5
"""Turns that each client gets."""
WARM = 200
"""Calls that are not counted."""
QUIET_SECONDS = 0.05
"""So long after the last datagram no more is awaited."""
TAGS = {"route": "cart", "zone": "a"}
LISTED = ["route:cart", "zone:a"]


class Result(NamedTuple):
    """Nanoseconds of a call, by the clock and of CPU; lines that arrived in a hundred that were to be sent."""

    wall: float
    cpu: float
    arrived: float


def count_lines(pipe: Connection) -> None:
    """Receive datagrams; whenever asked, tell how many lines came since, once it is quiet."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, machine.RECEIVE_BUFFER)
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(QUIET_SECONDS)
        pipe.send(receiver.getsockname()[1])
        lines = 0
        while True:
            try:
                lines += len(receiver.recv(65_536).strip(b"\n").split(b"\n"))
            except TimeoutError:
                if pipe.poll():
                    if not pipe.recv():
                        return
                    pipe.send(lines)
                    lines = 0


def clients(port: int) -> dict[str, tuple[Any, Callable[[], object]]]:
    """Return clients by name, each with what sends what still waits."""
    sys.path.append(sys.path.pop(0))  # bench/statsd.py has the package's name
    from statsd import StatsClient  # noqa: PLC0415 found only now

    ours, each = StatsD(f"statsd://127.0.0.1:{port}"), StatsD(f"statsd://127.0.0.1:{port}?flush=0")
    dog = DogStatsd(host="127.0.0.1", port=port, disable_telemetry=True, disable_buffering=False)
    plain = DogStatsd(host="127.0.0.1", port=port, disable_telemetry=True)
    return {
        "Nilometer": (ours, ours.flush),
        "Nilometer, `flush=0`": (each, each.flush),
        "datadog, buffered": (dog, dog.flush),
        "datadog": (plain, plain.flush),
        "statsd": (StatsClient("127.0.0.1", port), int),
    }


def calls(client: Any) -> dict[str, Call]:  # noqa: ANN401 clients of three packages
    """Return what is measured, by name; a client without tags has no call with them."""
    if isinstance(client, DogStatsd):
        return {
            "incr": lambda _: client.increment("shop.orders"),
            "timing": lambda number: client.timing("shop.checkout", number * 0.37),
            "incr, two tags": lambda _: client.increment("shop.orders", tags=LISTED),
            "incr, rate 0.1": lambda _: client.increment("shop.orders", sample_rate=0.1),
        }
    plain: dict[str, Call] = {
        "incr": lambda _: client.incr("shop.orders"),
        "timing": lambda number: client.timing("shop.checkout", number * 0.37),
    }
    if isinstance(client, StatsD):
        plain["incr, two tags"] = lambda _: client.incr("shop.orders", tags=TAGS)
    return {**plain, "incr, rate 0.1": lambda _: client.incr("shop.orders", rate=0.1)}


def turn(call: Call, flush: Callable[[], object], count: int) -> tuple[float, float]:
    """Call so often, send the rest; return nanoseconds of a call, by the clock and of CPU."""
    clock, cpu = time.perf_counter_ns(), time.process_time_ns()
    for number in range(count):
        call(number)
    flush()
    return (time.perf_counter_ns() - clock) / count, (time.process_time_ns() - cpu) / count


def measure(count: int) -> dict[str, dict[str, Result]]:
    """Return results by call, then by client."""
    pipe, other = get_context("spawn").Pipe()
    receiver = get_context("spawn").Process(target=count_lines, args=(other,), daemon=True)
    receiver.start()
    made = clients(pipe.recv())
    found: dict[str, dict[str, list[Result]]] = {}
    for _ in range(ROUNDS):
        for name, (client, flush) in made.items():
            for what, call in calls(client).items():
                turn(call, flush, WARM)
                pipe.send("tell")
                pipe.recv()
                wall, cpu = turn(call, flush, count)
                pipe.send("tell")
                sent = count * (0.1 if "rate" in what else 1)
                found.setdefault(what, {}).setdefault(name, []).append(Result(wall, cpu, 100 * pipe.recv() / sent))
    pipe.send("")
    receiver.join()
    return {
        what: {name: Result(*map(statistics.median, zip(*turns, strict=True))) for name, turns in by.items()}
        for what, by in found.items()
    }


def table(results: dict[str, dict[str, Result]]) -> Iterator[str]:
    """Yield rows: each call with each client, and its costs as multiples of ours."""
    yield "| call | client | ns | CPU ns | against Nilometer: ns | CPU | lines arrived |"
    yield "|---" * 7 + "|"
    for what, by in results.items():
        ours = by["Nilometer"]
        for name, (wall, cpu, arrived) in by.items():
            ratios = f"{wall / ours.wall:.1f} × | {cpu / ours.cpu:.1f} ×"
            yield f"| {what} | {name} | {wall:,.0f} | {cpu:,.0f} | {ratios} | {arrived:.0f} % |"


def main() -> None:
    """Measure, print, and write the page when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=10_000, help="calls of each kind in a turn")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    machine.receive_buffer()
    lines = [f"{dt.datetime.now(dt.UTC).date().isoformat()}; {machine.described()}.", "", *table(measure(options.calls))]
    print("\n".join(lines))
    if options.write:
        write("client", lines)


if __name__ == "__main__":
    main()
