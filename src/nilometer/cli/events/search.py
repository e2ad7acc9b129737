"""``nilometer events search``: events that were."""

from __future__ import annotations

import math
import shutil
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from nilometer.cli.events.options import with_events
from nilometer.cli.help import Command, Example
from nilometer.cli.moment import Moment
from nilometer.core.show import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nilometer.cli.link import Access
    from nilometer.core.event_query import EventQuery, Found
    from nilometer.core.record import Event

PAGE = 1000


@click.command(
    cls=Command,
    examples=[
        Example("The last hundred", "nilometer events search"),
        Example("Errors of one tenant since yesterday", "nilometer events search --tenant acme --priority error --since 1d"),
        Example("What is told of a table", 'nilometer events search --text \'"table_name":"Thread"\''),
        Example("All of a day, as a table", "nilometer events search --since 2026-11-22 --until 2026-11-23 --limit 0 --csv"),
        Example("A store, without a server", "nilometer events search --store sqlite:///events.db --type '*.error'"),
    ],
    exits={0: "done, also when nothing fits", 1: "the server or the store does not answer", 2: "wrong use"},
)
@click.option("--since", type=Moment(), metavar="TIME", help="From then on: 2h (ago), 2026-11-23, 2026-11-23T06:00Z.")
@click.option("--until", type=Moment(), metavar="TIME", help="Until then, as --since.")
@click.option("--limit", type=click.IntRange(0), default=100, show_default=True, help="Events at most; 0: all.")
@click.option("--json", "form", flag_value="json", help="Print each event as a JSON object on one line.")
@click.option("--csv", "form", flag_value="csv", help="Print a table, comma-separated.")
@with_events
def search(  # noqa: PLR0913 each is an option
    url: str,
    *,
    query: EventQuery,
    store: str | None,
    access: Access,
    since: float | None,
    until: float | None,
    limit: int,
    form: str | None,
) -> None:
    """Search for events; the newest come first.

    URL is that of a server's HTTP interface. All conditions hold together.
    """
    from nilometer.cli.events.places import place  # noqa: PLC0415 help needs nothing of it

    where = place(url, store, access, lambda _: None)
    wanted = replace(query, since=-math.inf if since is None else since, until=math.inf if until is None else until)
    found = _all(where.page, wanted, limit or sys.maxsize)
    (_table if form == "csv" else _lines)(found, form)


def _all(page: Callable[[EventQuery, int, str], Found], query: EventQuery, limit: int) -> Iterator[Event]:
    """Yield up to `limit` events, page by page."""
    cursor = ""
    while limit > 0:
        events, cursor = page(query, min(limit, PAGE), cursor)
        yield from events
        limit -= len(events)
        if not cursor:
            return


def _lines(events: Iterator[Event], form: str | None) -> None:
    from nilometer.cli.events.shown import as_line_of_json, line  # noqa: PLC0415 help needs nothing of it

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    found = False
    for event in events:
        found = True
        click.echo(as_line_of_json(event) if form == "json" else line(event, width))
    if not found:
        click.echo("nilometer: nothing fits", err=True)


def _table(events: Iterator[Event], _: str | None) -> None:
    from nilometer.events.reading import as_csv  # noqa: PLC0415 help needs nothing of it

    for part in as_csv(events):
        click.echo(printable(part.decode().rstrip()) if sys.stdout.isatty() else part, nl=sys.stdout.isatty())
