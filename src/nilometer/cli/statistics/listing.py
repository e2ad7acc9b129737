"""``nilometer statistics list``: what a running server keeps, and how far each statistic is."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from nilometer.cli.asking import SERVER, get, link_to
from nilometer.cli.help import Command, Example
from nilometer.cli.link import printable, with_access
from nilometer.core.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nilometer.cli.link import Access

STOPPED = "stopped"


@click.command(
    "list",
    cls=Command,
    examples=[
        Example("Those of the server on this machine", "nilometer statistics list"),
        Example("What stopped, as JSON", "nilometer statistics list --stopped --json"),
    ],
    exits={0: "done", 1: "no server answers, or one of them is stopped", 2: "wrong use"},
)
@click.option("--stopped", is_flag=True, help="Only those that are stopped.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.argument("url", default=SERVER)
@with_access("", "the server", "access")
def listing(url: str, *, stopped: bool, as_json: bool, access: Access) -> int:
    """List the statistics of the server at URL: how far each is, and why it stopped."""
    try:
        every: list[dict[str, Any]] = list(get(link_to(url, access), "/statistics")["statistics"])
        found = [each for each in every if not stopped or each["state"] == STOPPED]
        (_json if as_json else _table)(found)
        return int(any(each["state"] == STOPPED for each in every))
    except (KeyError, TypeError) as error:
        message = f"{url}: what answers is no Nilometer"
        raise Unavailable(message) from error


def _json(found: list[dict[str, Any]]) -> None:
    for each in found:
        click.echo(json.dumps(each, ensure_ascii=False))


def _table(found: list[dict[str, Any]]) -> None:
    from rich.console import Console  # noqa: PLC0415 only a table needs it
    from rich.table import Table  # noqa: PLC0415 see above

    if not found:
        click.echo("none")
        return
    drawn = Table(box=None, pad_edge=False)
    for name in ("statistic", "state", "behind", "summary"):
        drawn.add_column(name, justify="right" if name == "behind" else "left", overflow="fold")
    for each in found:
        drawn.add_row(*map(printable, (str(each["ident"]), str(each["state"]), f"{each['lag']:,}", _said(each))))
    Console(width=None if sys.stdout.isatty() else 120, markup=False, highlight=False).print(drawn)


def _said(each: Mapping[str, Any]) -> str:
    """Return what there is to say: why it stopped, else what it is."""
    return f"{each['error']}, at message {each['culprit']}" if each["state"] == STOPPED else str(each["summary"])
