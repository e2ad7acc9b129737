"""Measure answers over many rows: ``python bench/rows.py [--rows 1000000] [--requests 300] [--write]``.

One statistic of minutes, 25 users in each, in a file of SQLite, served by ``nilometer statistics serve``; one client asks,
over one connection, and waits for each answer. Where pages, times and users are chosen, each request has others. Told is also
how much memory the program took.
"""

from __future__ import annotations

import argparse
import datetime as dt
import http.client
import json
import random
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import machine
from made import milliseconds, spread
from section import write

from nilometer.backends import registry
from nilometer.core import url as urls
from nilometer.core.statistics import Kind, Tally
from nilometer.core.statistics.change import Amount
from nilometer.testing.ports import free_port
from nilometer.testing.serving import statistics_served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IDENT = "volume-by-user-1m"
USERS = 25
END = 1_790_000_040
"""The end of the last minute."""
MINUTE, HOUR, DAY = 60, 3600, 86_400
AT_A_TIME = 1000
"""Minutes that are written at a time."""
PAGE = 100
LIFE = 60.0
"""Seconds for which a connection is used; the server ends one after 120."""
OLD, NEW = f"/api/{IDENT}", f"/api/v1/statistics/{IDENT}"


class Span(NamedTuple):
    """The time that there are rows of, and how many rows there are."""

    begin: int
    rows: int


def fill(url: str, rows: int) -> Span:
    """Make a store with so many rows."""
    minutes = rows // USERS
    with closing(registry.open(urls.parse(url), registry.STATISTICS)) as store:
        store.register(IDENT, Kind.SUM, 1)
        for first in range(0, minutes, AT_A_TIME):
            labels = [END - minute * MINUTE for minute in range(first, min(first + AT_A_TIME, minutes))]
            tally = Tally(
                sums={(slot, (f"user{user}",)): Amount(user + 1, slot - 1) for slot in labels for user in range(USERS)}
            )
            store.apply({IDENT: tally}, 0, 0)
    return Span(END - minutes * MINUTE, minutes * USERS)


class Client:
    """Asks over one connection at a time, and takes a new one before the server ends it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._connection, self._end = http.client.HTTPConnection(*address, timeout=60), 0.0

    def _connected(self) -> None:
        if time.monotonic() > self._end:
            self._connection.close()
            self._connection.connect()
            self._end = time.monotonic() + LIFE

    def ask(self, target: str) -> tuple[float, bytes]:
        """Return in how many milliseconds an answer came, and what it says."""
        self._connected()
        begin = time.perf_counter()
        self._connection.request("GET", target, headers={"Accept": "*/*"})
        answer = self._connection.getresponse()
        text = answer.read()
        took = milliseconds(begin)
        if answer.status != http.client.OK:
            message = f"{target}: {answer.status} {text[:500]!r}"
            raise RuntimeError(message)
        return took, text

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def questions(span: Span) -> dict[str, Callable[[], str]]:
    """Return what is asked, by what it is called: each makes a target."""
    chance = random.Random(1)  # noqa: S311 not a secret

    def some(length: int) -> int:
        return chance.randrange(span.begin, max(END - length, span.begin + 1))

    def between(path: str, length: int, names: tuple[str, str], more: str = "") -> str:
        begin = some(length)
        return f"{path}?{names[0]}={begin}&{names[1]}={begin + length}{more}"

    last = ("since", "until")
    return {
        "statscache's: the newest rows": lambda: OLD,
        "statscache's: any page of all": lambda: f"{OLD}?page={chance.randrange(1, span.rows // PAGE + 1)}",
        "statscache's: an hour": lambda: between(OLD, HOUR, ("start", "stop")),
        "own: the newest rows": lambda: NEW,
        "own: rows until some time": lambda: f"{NEW}?until={some(0)}",
        "own: rows of one user": lambda: f"{NEW}?key=user%3Duser{chance.randrange(USERS)}&until={some(0)}",
        "own: the 3 largest of each minute": lambda: between(NEW, HOUR, last, "&top=3"),
        "chart of an hour, JSON": lambda: between(f"{NEW}/chart", HOUR, last),
        "chart of an hour, SVG": lambda: between(f"{NEW}/chart", HOUR, last, "&format=svg"),
        "chart of a day by the hour, SVG": lambda: between(f"{NEW}/chart", DAY, last, "&group=1h&format=svg&style=bars"),
    }


def pages(client: Client, count: int) -> list[float]:
    """Return the milliseconds of pages, each asked for by the cursor of the one before, from the newest rows on."""
    took, cursor = [], ""
    for _ in range(count + 1):
        milliseconds_, text = client.ask(f"{NEW}?cursor={cursor}")
        took.append(milliseconds_)
        cursor = json.loads(text)["cursor"] or ""
    return took[1:]


def measure(folder: Path, rows: int, count: int) -> Iterator[str]:
    """Yield the lines of the page."""
    url = f"sqlite:///{folder}/statistics.db"
    begin = time.perf_counter()
    span = fill(url, rows)
    made = time.perf_counter() - begin
    bus = f"amqp://127.0.0.1:{free_port()}"
    yield "| answers of 100 rows, or a chart, ms | median | 99 % | worst |"
    yield "|---" * 4 + "|"
    with statistics_served("--bus", bus, "--store", url, "--plugins", IDENT, state=folder / "state") as server:
        with closing(Client(server.interface("HTTP interface"))) as client:
            for name, made_target in questions(span).items():
                print(f"{name} …", file=sys.stderr, flush=True)
                client.ask(made_target())
                yield f"| {name} | {spread([client.ask(made_target())[0] for _ in range(count)])} |"
            yield f"| own: page after page, by cursor | {spread(pages(client, count))} |"
        memory = machine.peak_memory(server.process.pid)
    size = Path(folder, "statistics.db").stat().st_size / 1e6
    yield ""
    yield f"{span.rows:,} rows, written in {made:.0f} s, {size:,.0f} MB on disk; the program took {memory:,.0f} MB of memory."


def main() -> None:
    """Measure, print, and write the page when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=300, help="of each question")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    lines = [f"{dt.datetime.now(dt.UTC).date().isoformat()}; {machine.described()}.", ""]
    with tempfile.TemporaryDirectory() as folder:
        lines += measure(Path(folder), options.rows, options.requests)
    print("\n".join(lines))
    if options.write:
        write("rows", lines)


if __name__ == "__main__":
    main()
