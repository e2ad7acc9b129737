"""``nilometer trace diff``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nilometer.cli.help import Command, Example
from nilometer.cli.trace.options import with_place
from nilometer.cli.trace.showing import EXITS, read

if TYPE_CHECKING:
    from nilometer.cli.link import Access
    from nilometer.traces.comparing import Compared

COLUMN = 10


@click.command(
    cls=Command,
    examples=[
        Example("What made one request slower", "nilometer trace diff 4e3e0ec6293840b1850409eb1d4b0dee 1c089ea828fe4f3d")
    ],
    exits=EXITS,
)
@click.argument("first")
@click.argument("second")
@with_place
def diff(first: str, second: str, url: str, *, access: Access) -> None:
    """Show two traces beside each other: spans that both have, those of one alone, and how much longer each took."""
    from nilometer.traces.comparing import compare  # noqa: PLC0415 help needs nothing of it

    one, other = read(first, url, access), read(second, url, access)
    click.echo(f"  {'first':>{COLUMN}} {'second':>{COLUMN}} {'change':>{COLUMN}}  span")
    for each in compare(one, other):
        click.echo(_line(each))


def _line(found: Compared) -> str:
    from nilometer.cli.trace.terminal import took  # noqa: PLC0415 help needs nothing of it
    from nilometer.core.show import printable  # noqa: PLC0415 see above

    span = found.first or found.second
    name = "" if span is None else printable(f"{span.service}: {span.name}" if span.service else span.name)
    times = [f"{took(side.duration) if side else '–':>{COLUMN}}" for side in (found.first, found.second)]
    sign, change, colour = "+" if found.first is None else "-" if found.second is None else " ", "", None
    if found.first is not None and found.second is not None:
        longer = found.second.duration - found.first.duration
        change, colour = (
            f"{'+' if longer >= 0 else '-'}{took(abs(longer))}",
            "red" if longer > found.first.duration // 10 else None,
        )
    else:
        colour = "green" if found.first is None else "yellow"
    line = f"{sign} {' '.join(times)} {change:>{COLUMN}}  {'  ' * min(found.depth, 20)}{name}"
    return click.style(line, fg=colour) if colour else line
