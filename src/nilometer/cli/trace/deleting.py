"""``nilometer trace delete``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nilometer.cli.help import Command, Example
from nilometer.cli.trace.options import with_place
from nilometer.cli.trace.showing import EXITS

if TYPE_CHECKING:
    from nilometer.cli.link import Access


@click.command(
    cls=Command,
    examples=[Example("One trace", "nilometer trace delete 4e3e0ec6293840b1850409eb1d4b0dee")],
    exits=EXITS,
)
@click.argument("traces", nargs=-1, required=True)
@with_place
def delete(traces: tuple[str, ...], url: str, *, access: Access) -> None:
    """Delete traces."""
    from nilometer.cli.trace.places import opened  # noqa: PLC0415 help needs nothing of it
    from nilometer.core.errors import Unavailable  # noqa: PLC0415 see above

    with opened(url, access) as store:
        unknown = [trace for trace in traces if not store.delete_trace(trace)]
    if unknown:
        message = f"{url}: there is no trace {', '.join(map(repr, unknown))}"
        raise Unavailable(message)
