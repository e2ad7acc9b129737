"""``nilometer events``: the group of commands about events."""

from __future__ import annotations

import click

from nilometer.cli.events.search import search
from nilometer.cli.events.send import send
from nilometer.cli.events.tail import tail
from nilometer.cli.help import Example, Group


@click.group(
    cls=Group,
    examples=[
        Example("Follow what goes wrong", "nilometer events tail --priority error"),
        Example("What happened to tables in the last two hours", "nilometer events search --type 'table.*' --since 2h"),
        Example("Tell that something happened", 'nilometer events send deploy.end --payload \'{"version": "1.2"}\''),
    ],
)
def command() -> None:
    """Follow, search and send events.

    They are asked of a running server, over HTTP, or read from a store by its URL.
    """


for each in (tail, search, send):
    command.add_command(each)
