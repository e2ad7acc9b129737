"""``nilometer statistics``: the group of commands about statistics."""

from __future__ import annotations

import click

from nilometer.cli.help import Example, Group
from nilometer.cli.statistics.backfill import backfill
from nilometer.cli.statistics.listing import listing
from nilometer.cli.statistics.new import new
from nilometer.cli.statistics.resume import resume
from nilometer.cli.statistics.serve import serve
from nilometer.cli.statistics.trying import trying


@click.group(
    cls=Group,
    examples=[
        Example(
            "Keep statistics of Fedora's messages, with what was missed from its archive",
            "nilometer statistics serve --bus fedora-messaging:///etc/fedora-messaging/config.toml"
            " --archive datagrepper+https://apps.fedoraproject.org/datagrepper",
        ),
        Example("How are they doing", "nilometer statistics list"),
        Example("What was sent on a day, from the archive", "nilometer statistics backfill --from 2026-11-01 --to 2026-11-02"),
        Example("A plugin of yours, with its test", "nilometer statistics new 'orders by shop'"),
        Example("What it makes of messages", "nilometer statistics try orders_by_shop.py --messages messages.json"),
        Example("A plugin was mended: let it go on", "nilometer statistics resume volume-by-user-1d"),
    ],
)
def command() -> None:
    """Keep statistics of what a message bus brings.

    Messages go into an inbox, each once. Plugins make rows of them: how many of what kind, by whom, when. A server serves these
    as JSON, CSV, SVG and HTML, and shows them on its page.
    """


for each in (serve, listing, resume, backfill, new, trying):
    command.add_command(each)
