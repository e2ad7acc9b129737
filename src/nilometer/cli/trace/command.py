"""``nilometer trace``: the group of commands about traces."""

from __future__ import annotations

import click

from nilometer.cli.help import Example, Group
from nilometer.cli.trace.deleting import delete
from nilometer.cli.trace.diff import diff
from nilometer.cli.trace.listing import listing
from nilometer.cli.trace.moving import copy, export, import_
from nilometer.cli.trace.showing import show, tree


@click.group(
    cls=Group,
    examples=[
        Example(
            "The slowest requests of the last hour with an error", "nilometer trace list --since 1h --error --shortest 500ms"
        ),
        Example("Where one of them spent its time", "nilometer trace tree 4e3e0ec6293840b1850409eb1d4b0dee"),
        Example(
            "The same as a page for a colleague",
            "nilometer trace show 4e3e0ec6293840b1850409eb1d4b0dee --format html --out t.html",
        ),
        Example("What OSProfiler has left in Redis", "nilometer trace list --url redis://localhost:6379"),
    ],
)
def command() -> None:
    """List, show, compare, copy and delete traces.

    They are asked of a running server, over HTTP, or read from any store of traces by its URL; files count as stores, too.
    """


for each in (listing, show, tree, diff, export, import_, copy, delete):
    command.add_command(each)
