"""Measure what a middleware adds to a request: ``python bench/middleware.py [--write]``.

Nilometer's request metrics beside OpenTelemetry's and Prometheus' middlewares, in one run, in turns, so that whatever else the
machine does meets all of them. In process the application is called directly, and its thread's CPU time counts; under a server
(gunicorn with threads, uvicorn) one client sends requests over a connection that it keeps, and its waiting counts. Each figure
is the median, or the 99th percentile, of one request.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import http.client
import io
import os
import socket
import statistics
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from wsgiref.util import setup_testing_defaults

import machine
from applications import BODY, MAKERS
from section import write

from nilometer.testing.apps.paths import STATSD
from nilometer.testing.apps.server import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Drive = Callable[[int], list[int]]

SERVERS = {"wsgi": "gunicorn gthread", "asgi": "uvicorn"}
WARM = 500
"""Requests that are not counted."""
ROUNDS = 15
"""Turns that each middleware gets."""


class Result(NamedTuple):
    """Microseconds of one request: median and 99th percentile."""

    median: float
    worst: float

    @classmethod
    def of(cls, turns: list[list[int]]) -> Result:
        """Sum up the nanoseconds of requests: of each turn, then the median of those, so that no disturbed turn decides."""
        medians = [statistics.median(times) for times in turns]
        worst = [statistics.quantiles(times, n=100)[98] for times in turns]
        return cls(statistics.median(medians) / 1000, statistics.median(worst) / 1000)


def drive_wsgi(app: Callable[..., Any]) -> Drive:
    """Return what calls a WSGI application, reads its answer to the end, and closes it."""
    pattern: dict[str, Any] = {"PATH_INFO": "/hello", "REQUEST_METHOD": "GET", "REMOTE_ADDR": "127.0.0.1"}
    setup_testing_defaults(pattern)

    def start_response(*_: object) -> Callable[[bytes], object]:
        return lambda _: None

    def drive(count: int) -> list[int]:
        times = []
        for _ in range(count):
            environ = {**pattern, "wsgi.input": io.BytesIO()}
            begin = time.thread_time_ns()
            body = app(environ, start_response)
            for _ in body:
                pass
            getattr(body, "close", int)()
            times.append(time.thread_time_ns() - begin)
        return times

    return drive


def drive_asgi(app: Callable[..., Any]) -> Drive:
    """Return what calls an ASGI application in one loop."""
    pattern = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http"}
    pattern |= {"path": "/hello", "raw_path": b"/hello", "query_string": b"", "root_path": "", "headers": []}
    pattern |= {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80)}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_: dict[str, Any]) -> None:
        pass

    async def calls(count: int) -> list[int]:
        times = []
        for _ in range(count):
            scope = {**pattern, "state": {}}
            begin = time.thread_time_ns()
            await app(scope, receive, send)
            times.append(time.thread_time_ns() - begin)
        return times

    return lambda count: asyncio.run(calls(count))


def drive_server(port: int) -> Drive:
    """Return what asks a server over one connection."""

    def drive(count: int) -> list[int]:
        connection, times = http.client.HTTPConnection("127.0.0.1", port), []
        for _ in range(count):
            begin = time.perf_counter_ns()
            connection.request("GET", "/hello")
            assert connection.getresponse().read() == BODY  # noqa: S101 what is measured has to work
            times.append(time.perf_counter_ns() - begin)
        connection.close()
        return times

    return drive


def in_turns(drives: dict[str, Drive], count: int) -> dict[str, Result]:
    """Drive each in turn, several rounds."""
    times: dict[str, list[list[int]]] = {name: [] for name in drives}
    for drive in drives.values():
        drive(WARM)
    for _ in range(ROUNDS):
        for name, drive in drives.items():
            times[name].append(drive(count // ROUNDS))
    return {name: Result.of(found) for name, found in times.items()}


def in_process(interface: str, count: int) -> dict[str, Result]:
    """Call the applications of an interface directly."""
    drive = drive_wsgi if interface == "wsgi" else drive_asgi
    return in_turns({name: drive(make()) for name, make in MAKERS[interface].items()}, count)


def under_server(interface: str, count: int) -> dict[str, Result]:
    """Ask the applications of an interface under their server, all of them running."""
    path = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
    with ExitStack() as stack:
        drives = {}
        for number, name in enumerate(MAKERS[interface]):
            app = f"applications:app_{interface}_{number}"
            kind = SERVERS[interface]
            more = ["--no-access-log", "--log-level=warning"] if interface == "asgi" else []
            server = stack.enter_context(running(kind, app, os.environ[STATSD], *more, environment={"PYTHONPATH": path}))
            drives[name] = drive_server(server.port)
        return in_turns(drives, count)


def table(title: str, results: dict[str, Result]) -> Iterator[str]:
    """Yield rows: a request with each middleware, what it adds to the bare one, and that as a multiple of what ours adds."""
    yield f"| {title} | median µs | 99 % µs | added: median | 99 % | against Nilometer: median | 99 % |"
    yield "|---" * 7 + "|"
    bare, ours = results["bare"], results["Nilometer"]
    for name, result in results.items():
        added = [result.median - bare.median, result.worst - bare.worst]
        mine = [ours.median - bare.median, ours.worst - bare.worst]
        shown = [f"{result.median:,.1f}", f"{result.worst:,.1f}", *(f"{each:,.1f}" for each in added)]
        shown += [f"{each / base:.1f} ×" if min(each, base) > 0 else "–" for each, base in zip(added, mine, strict=True)]
        yield f"| {name} | " + " | ".join(shown if name != "bare" else [*shown[:2], "", "", "", ""]) + " |"
    yield ""


def main() -> None:
    """Measure, print, and write the page when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=20_000, help="requests in process, for each middleware")
    parser.add_argument("--served", type=int, default=5_000, help="requests under a server, for each middleware")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    options = parser.parse_args()
    lines = [f"{dt.datetime.now(dt.UTC).date().isoformat()}; {machine.described()}.", ""]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as statsd:
        statsd.bind(("127.0.0.1", 0))
        os.environ[STATSD] = f"statsd://127.0.0.1:{statsd.getsockname()[1]}"
        for interface, server in SERVERS.items():
            lines += table(f"{interface.upper()}, in process, CPU", in_process(interface, options.requests))
            lines += table(f"{interface.upper()}, under {server}", under_server(interface, options.served))
    print("\n".join(lines))
    if options.write:
        write("middleware", lines[:-1])


if __name__ == "__main__":
    main()
