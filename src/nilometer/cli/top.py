"""``nilometer top``: what a server takes in, loses and sends on, who talks most; live, from its HTTP interface.

Rules:

* On a terminal the view is drawn anew at each interval, until ``q``; elsewhere, and with ``--once``, it is plain text.
* A server that does not answer for a while is told of, and asked again; the first question must be answered.
* What peers sent is shown without control characters.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from nilometer.cli.asking import SERVER
from nilometer.cli.duration import DurationType
from nilometer.cli.help import Command, Example
from nilometer.cli.link import with_access
from nilometer.cli.main import DONE
from nilometer.core.errors import Unavailable
from nilometer.core.show import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console, RenderableType
    from rich.table import Table

    from nilometer.cli.asking import Answers
    from nilometer.cli.link import Access

Row: TypeAlias = tuple[str, ...]
BARS = "▁▂▃▄▅▆▇█"
REMEMBERED = 60
WIDTH = 100
UNITS = ((86400, "d"), (3600, "h"), (60, "m"))


@dataclass(slots=True)
class Trend:
    """Lines a second, as snapshots tell; the first is the mean since the server's start."""

    rates: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _lines: float = 0.0
    _uptime: float = 0.0

    def add(self, answers: Answers) -> float:
        """Take a snapshot in, and return the rate since the one before."""
        lines, uptime = float(answers.stats["totals"]["lines"]), float(answers.stats["uptime"])
        if uptime < self._uptime or lines < self._lines:  # another server answers now
            self._lines = self._uptime = 0.0
        seconds = uptime - self._uptime
        self.rates.append((lines - self._lines) / seconds if seconds > 0 else 0.0)
        self._lines, self._uptime = lines, uptime
        return self.rates[-1]

    def sparkline(self) -> str:
        """Return the rates as bars, the highest of them whole."""
        most = max(self.rates, default=0.0)
        return "".join(BARS[round(rate / most * (len(BARS) - 1))] if most else BARS[0] for rate in self.rates)


def view(answers: Answers, trend: Trend) -> RenderableType:
    """Return a snapshot as something that rich prints."""
    from rich.console import Group  # noqa: PLC0415 other commands need no rich
    from rich.text import Text  # noqa: PLC0415 see above

    stats = answers.stats
    totals = stats["totals"]
    head = f"up {_span(stats['uptime'])} · health {stats['health']} · {totals['lines']:,} lines · {totals['bad_lines']:,} bad"
    parts: list[RenderableType] = [
        Text(f"{printable(answers.url)} · {head}", style="bold"),
        Text(f"{trend.rates[-1]:,.0f} lines/s  {trend.sparkline()}", style="cyan"),
    ]
    for title, rows in _lists(answers):
        parts += [Text(""), Text(title, style="bold"), _table(rows)]
    return Group(*parts)


def _lists(answers: Answers) -> Iterator[tuple[str, list[Row]]]:
    """Yield each list's title and rows."""
    top, stats = answers.top, answers.stats
    yield "lost since the start", [(f"{number:,}", name) for name, number in stats["losses"].items() if number]
    yield "top series, by values", [(f"{each['updates']:,}", each["kind"], each["key"]) for each in top["names"]]
    yield "top sources, by lines", [(f"{each['lines']:,}", each["source"]) for each in top["sources"]]
    bad: list[Row] = [(f"{each['refused']:,}", each["source"], each["reason"], each["line"]) for each in top["refused"]]
    yield "top bad lines: source, reason, the first of them", bad
    yield "sinks, by flushes written", [_sink(sink) for sink in stats["sinks"]]
    if stats["events"]["ways"]:
        yield "events, by those stored", [_way(way) for way in stats["events"]["ways"]]
    if stats["relay"]:
        yield "forwarded to, by packets sent", [_target(target) for target in stats["relay"]]


def _table(rows: list[Row]) -> Table:
    """Return a table whose first column is a number."""
    from rich.table import Table  # noqa: PLC0415 other commands need no rich
    from rich.text import Text  # noqa: PLC0415 see above

    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for column in range(max(map(len, rows), default=1)):
        table.add_column(justify="right" if column == 0 else "left", no_wrap=True, overflow="ellipsis", min_width=8)
    for row in rows or [("none",)]:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table


def _sink(sink: dict[str, Any]) -> Row:
    state = f"away: {sink['last_error']}" if sink["last_error"] else "ok"
    ago = "no flush yet" if sink["last_success"] is None else f"flushed {_span(max(time.time() - sink['last_success'], 0))} ago"
    spool = f"{sink['spool_items']:,} in spool, {sink['spool_bytes']:,} bytes"
    return f"{sink['written']:,}", sink["name"], ago, spool, state


def _way(way: dict[str, Any]) -> Row:
    counts = (f"{way['duplicates']:,} known", f"{way['bad']:,} bad", f"{way['waiting']:,} waiting")
    lag = "" if way["lag"] is None else f"{_span(way['lag'])} behind"
    return f"{way['stored']:,}", way["name"], ", ".join(counts), lag, f"away: {way['error']}" if way["error"] else "ok"


def _target(target: dict[str, Any]) -> Row:
    state = "ok" if target["up"] else f"away: {target['error']}"
    return f"{target['sent']:,}", target["name"], f"{target['bytes']:,} bytes", f"{target['lost']:,} lost", state


def _span(seconds: float) -> str:
    """Return a span in its largest unit that fits."""
    for size, unit in UNITS:
        if seconds >= size:
            return f"{seconds / size:.1f}{unit}"
    return f"{seconds:.0f}s"


def _snapshots(ask: Callable[[], Answers], wait: Callable[[], bool], told: Callable[[str], None]) -> Iterator[Answers]:
    """Yield snapshots for as long as `wait` says so; after the first, tell why there is none instead of failing."""
    yield ask()
    while wait():
        try:
            answers = ask()
        except Unavailable as error:
            told(str(error))
        else:
            yield answers


def _print_json(answers: Answers, rate: float) -> None:
    import json  # noqa: PLC0415 only this form needs it

    told = {
        "url": answers.url,
        "time": round(time.time(), 3),
        "rate": round(rate, 3),
        "stats": answers.stats,
        "top": answers.top,
    }
    click.echo(json.dumps(told, ensure_ascii=False))


def _live(console: Console, ask: Callable[[], Answers], interval: float) -> None:
    """Draw snapshots over each other until ``q`` is pressed; while the server does not answer, say so above the last one."""
    from rich.console import Group  # noqa: PLC0415 other commands need no rich
    from rich.live import Live  # noqa: PLC0415 see above
    from rich.text import Text  # noqa: PLC0415 see above

    from nilometer.cli.keys import keys  # noqa: PLC0415 only a terminal has any

    trend = Trend()
    with keys() as key, Live(console=console, screen=True, auto_refresh=False) as live:
        drawn: RenderableType = ""

        def draw(above: str) -> None:
            live.update(Group(Text(above or "q ends", style="red" if above else "dim"), drawn), refresh=True)

        for answers in _snapshots(ask, lambda: _goes_on(key, interval), lambda message: draw(printable(message))):
            trend.add(answers)
            drawn = view(answers, trend)
            draw("")


def _goes_on(key: Callable[[float], str], interval: float) -> bool:
    """Wait for the next snapshot, and return whether there is to be one."""
    end = time.monotonic() + interval
    while (left := end - time.monotonic()) > 0:
        if key(left) in {"q", "Q"}:
            return False
    return True


def _sleeps(interval: float) -> bool:
    time.sleep(interval)
    return True


@click.command(
    cls=Command,
    examples=[
        Example("The server on this machine, live", "nilometer top"),
        Example("Once, as text", "nilometer top --once"),
        Example("One JSON object a line, every ten seconds", "nilometer top --json --interval 10"),
        Example("Another machine's server", "nilometer top http://metrics.example:8127 --token-file ~/.nilometer-token"),
        Example("Over TLS, with an authority of your own", "nilometer top https://metrics.example:8127 --ca-file ca.pem"),
    ],
)
@click.argument("url", default=SERVER)
@click.option("--once", is_flag=True, help="Show one snapshot and end; its rate is the mean since the server's start.")
@click.option("--json", "as_json", is_flag=True, help="Print each snapshot as a JSON object on one line.")
@click.option("--interval", type=DurationType(0.1, 3600), default="1s", show_default=True, help="Time between snapshots.")
@click.option("--limit", type=click.IntRange(1, 100), default=10, show_default=True, help="Rows of each list.")
@with_access("", "the server", "access")
def command(  # noqa: PLR0913 each is an option
    url: str, *, once: bool, as_json: bool, interval: float, limit: int, access: Access
) -> int:
    """Show what a server takes in, loses and sends on.

    URL is that of its HTTP interface, see the setting web.listen. On a terminal, q ends it.
    """
    from rich.console import Console  # noqa: PLC0415 help needs no rich

    from nilometer.cli.asking import asker  # noqa: PLC0415 see above

    ask, trend = asker(url, limit, access), Trend()
    console = Console(file=sys.stdout)
    if not console.is_terminal:
        console = Console(file=sys.stdout, width=WIDTH, no_color=True)
    if console.is_terminal and not once and not as_json:
        _live(console, ask, interval)
        return DONE
    endless = _snapshots(ask, lambda: _sleeps(interval), lambda message: click.echo(message, err=True))
    for answers in iter([ask()]) if once else endless:
        rate = trend.add(answers)
        if as_json:
            _print_json(answers, rate)
        else:
            console.print(view(answers, trend))
    return DONE
