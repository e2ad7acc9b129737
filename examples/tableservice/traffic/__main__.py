"""Make traffic until a signal ends it: ``python -m tableservice.traffic --url http://127.0.0.1:8480 --rate 20``."""

from __future__ import annotations

import argparse
import contextlib
import queue
import random
import signal
import threading
from http.client import HTTPException

from tableservice.traffic.churn import come_and_go, prepare
from tableservice.traffic.client import Client
from tableservice.traffic.pace import gaps
from tableservice.traffic.visits import Visitor

VISITORS, WAITING = 16, 32
"""How many ask at a time, and how many requests wait for one of them; what comes then is not made."""


def main() -> None:
    """Prepare the tables, show every kind of request once, then go on at random."""
    parser = argparse.ArgumentParser(prog="python -m tableservice.traffic", description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8480")
    parser.add_argument("--rate", type=float, default=20.0, help="requests a second in steady times; default: %(default)s")
    given = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    print("traffic begins", flush=True)
    begin(given.url, ended)
    waiting: queue.Queue[None] = queue.Queue(WAITING)
    for _ in range(VISITORS):
        threading.Thread(target=visit, args=(Visitor(Client(given.url)), waiting), daemon=True).start()
    threading.Thread(target=come_and_go, args=(Client(given.url), ended), daemon=True).start()
    for gap in gaps(given.rate, random.Random()):  # noqa: S311 it is traffic, nothing secret
        if ended.wait(gap):
            return
        with contextlib.suppress(queue.Full):
            waiting.put_nowait(None)


def begin(url: str, ended: threading.Event) -> None:
    """Make the tables, and one request of every kind."""
    client = Client(url)
    prepare(client, ended)
    with contextlib.suppress(OSError, HTTPException):
        Visitor(client).tour()
    client.close()


def visit(visitor: Visitor, waiting: queue.Queue[None]) -> None:
    """Make a request for each that is waiting; one that fails ends only itself."""
    while True:
        waiting.get()
        with contextlib.suppress(OSError, HTTPException):
            visitor.visit()


if __name__ == "__main__":
    main()
