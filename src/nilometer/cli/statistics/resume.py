"""``nilometer statistics resume``: a statistic that stopped tries again."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from nilometer.cli.asking import SERVER, get, link_to, send
from nilometer.cli.help import Command, Example
from nilometer.cli.link import with_access
from nilometer.cli.main import DONE
from nilometer.cli.statistics.listing import STOPPED
from nilometer.core.errors import Unavailable

if TYPE_CHECKING:
    from nilometer.cli.link import Access


@click.command(
    cls=Command,
    examples=[
        Example("One of them", "nilometer statistics resume volume-by-user-1d"),
        Example("All that stopped", "nilometer statistics resume"),
    ],
    exits={0: "they go on", 1: "no server answers, or it has no such statistic", 2: "wrong use"},
)
@click.argument("idents", nargs=-1, metavar="[IDENT]...")
@click.option("--url", default=SERVER, show_default=True, metavar="URL", help="The server to ask.")
@with_access("", "the server", "access")
def resume(idents: tuple[str, ...], url: str, access: Access) -> int:
    """Let statistics that stopped go on from the message at which they did; without an IDENT, all that stopped.

    A server that starts again, or is given SIGHUP, does so by itself: with new code, start it again.
    """
    link = link_to(url, access)
    try:
        stopped = [each["ident"] for each in get(link, "/statistics")["statistics"] if each["state"] == STOPPED]
    except (KeyError, TypeError) as error:
        message = f"{url}: what answers is no Nilometer"
        raise Unavailable(message) from error
    for ident in idents or stopped:
        send(link, "POST", f"/statistics/{quote(ident, safe='')}/resume")
        click.echo(f"{ident} goes on")
    if not idents and not stopped:
        click.echo("none is stopped")
    return DONE
