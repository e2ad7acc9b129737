"""``nilometer events tail``: events as they come."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import click

from nilometer.cli.events.options import with_events
from nilometer.cli.help import Command, Example

if TYPE_CHECKING:
    from nilometer.cli.link import Access
    from nilometer.core.event_query import EventQuery

MOST_LAST = 1000


@click.command(
    cls=Command,
    examples=[
        Example("Everything, as it happens", "nilometer events tail"),
        Example("What goes wrong with tables", "nilometer events tail --type 'table.*' --priority error"),
        Example("One JSON object a line, for another program", "nilometer events tail --json --last 0 | jq .payload"),
        Example("Another machine's server", "nilometer events tail http://metrics.example:8127 --token-file token.txt"),
        Example("A store, without a server", "nilometer events tail --store postgresql://nilometer@localhost/events"),
    ],
    exits={0: "ended", 1: "the server or the store does not answer", 2: "wrong use", 130: "ended from the keyboard"},
)
@click.option(
    "--last", type=click.IntRange(0, MOST_LAST), default=10, show_default=True, help="Begin with so many that were before."
)
@click.option("--json", "as_json", is_flag=True, help="Print each event as a JSON object on one line.")
@with_events
def tail(  # noqa: PLR0913 each is an option
    url: str, *, query: EventQuery, store: str | None, access: Access, last: int, as_json: bool
) -> None:
    """Follow events as they come, one a line.

    URL is that of a server's HTTP interface. On a terminal, lines are cut to its width; Ctrl+C ends it.
    """
    from nilometer.cli.events.places import place  # noqa: PLC0415 help needs nothing of it
    from nilometer.cli.events.shown import as_line_of_json, line  # noqa: PLC0415 likewise

    terminal = sys.stdout.isatty()
    where = place(url, store, access, lambda message: click.echo(f"nilometer: {message}", err=True))
    for event in where.follow(query, last):
        width = shutil.get_terminal_size().columns if terminal else 0
        click.echo(as_line_of_json(event) if as_json else line(event, width))
        sys.stdout.flush()
