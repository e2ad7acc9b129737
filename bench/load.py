"""Send StatsD lines at a steady rate: ``python bench/load.py --port 8125 --series 1000 --rate 100000 --seconds 5``.

60 % counters, 20 % timers, 10 % gauges, 10 % sets; every line has 41 bytes with its newline. The system cuts one large
buffer into datagrams (UDP_SEGMENT), because one call a datagram would measure the sender; ``--apart`` makes that call for
each, as most clients do. Prints what was sent as JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import struct
import time

UDP_SEGMENT = 103
LINE = 41
PACKED_LINES = 34
PACKED = 1432
SINGLE_BATCH, PACKED_BATCH = 64, 40
SHAPES = (("c", 0.6), ("t", 0.2), ("g", 0.1), ("s", 0.1))


def line(kind: str, number: int, value: int) -> bytes:
    """Return one line of `LINE` bytes, its newline included."""
    tail = {"c": ":1|c", "t": f":{value}|ms", "g": f":{value}|g", "s": f":u{value}|s"}[kind]
    name = f"bench.{kind}{number}."
    return (name.ljust(LINE - 1 - len(tail), "x") + tail + "\n").encode()


def lines(series: int, seed: int = 1) -> list[bytes]:
    """Return twice as many lines as series, in random order, each series at least once."""
    pick = random.Random(seed)  # noqa: S311 the load only has to be the same every time
    kinds = [kind for kind, share in SHAPES for _ in range(round(series * share))]
    made = [
        line(kind, number, pick.randrange(1000)) for kind in ("c", "t", "g", "s") for number in range(kinds.count(kind))
    ] * 2
    pick.shuffle(made)
    return made


def buffers(made: list[bytes], *, packed: bool, apart: bool) -> list[tuple[bytes, int, int]]:
    """Return ``(bytes for one call, lines in it, counters in it)``."""
    step = PACKED_LINES if packed else 1
    padding = b"\n" * (PACKED - PACKED_LINES * LINE) if packed else b""
    datagrams = [made[start : start + step] for start in range(0, len(made) - step + 1, step)]
    batch = 1 if apart else PACKED_BATCH if packed else SINGLE_BATCH
    result = []
    for start in range(0, len(datagrams), batch):
        group = datagrams[start : start + batch]
        data = b"".join(b"".join(datagram) + padding for datagram in group)
        result.append((data, sum(map(len, group)), sum(text.endswith(b"|c\n") for datagram in group for text in datagram)))
    return result


def send(port: int, calls: list[tuple[bytes, int, int]], segment: int, rate: float, seconds: float) -> dict[str, float]:
    """Send at `rate` lines a second for `seconds`, going round through `calls`. Return what was sent."""
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.connect(("127.0.0.1", port))
    ancillary = [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("H", segment))]
    sent = counters = turn = 0
    start = time.perf_counter()
    while (now := time.perf_counter() - start) < seconds:
        if sent > now * rate:
            time.sleep(min(0.001, sent / rate - now))
            continue
        data, count, counted = calls[turn % len(calls)]
        link.sendmsg([data], ancillary)
        sent, counters, turn = sent + count, counters + counted, turn + 1
    return {"lines": sent, "counters": counters, "seconds": time.perf_counter() - start}


def main() -> None:
    """Read the arguments and send."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--packed", action="store_true", help="1432 bytes a datagram instead of one line")
    parser.add_argument("--apart", action="store_true", help="one system call a datagram")
    parser.add_argument("--rate", type=float, required=True, help="lines a second")
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    calls = buffers(lines(options.series), packed=options.packed, apart=options.apart)
    segment = PACKED if options.packed else LINE
    print(json.dumps(send(options.port, calls, segment, options.rate, options.seconds)))


if __name__ == "__main__":
    main()
