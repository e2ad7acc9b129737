"""``nilometer statistics backfill``: a time is asked of an archive, by hand."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING

import click

from nilometer.cli.help import Command, Example
from nilometer.cli.main import DONE
from nilometer.cli.moment import Moment
from nilometer.cli.options import with_settings
from nilometer.core.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nilometer.cli.options import Chosen
    from nilometer.core.settings import Settings
    from nilometer.core.statistics import FillStatus
    from nilometer.core.statistics.coverage import Span
    from nilometer.core.url import Url


@click.command(
    cls=Command,
    examples=[
        Example(
            "A day, from the archive and into the store that the settings name",
            "nilometer statistics backfill --from 2026-11-01 --to 2026-11-02",
        ),
        Example(
            "The last six hours",
            "nilometer statistics backfill --from 6h --archive datagrepper+https://apps.fedoraproject.org/datagrepper"
            " --store postgresql://nilometer@localhost/statistics",
        ),
    ],
    exits={0: "all that the archive has of that time is in the inbox", 1: "the store cannot be read", 2: "wrong use"}
    | {130: "interrupted: what was asked for is kept, and not asked for again"},
)
@click.option("--from", "begin", required=True, type=Moment(), metavar="TIME", help="From when, such as 6h or 2026-11-01.")
@click.option("--to", "end", type=Moment(), default="0s", metavar="TIME", help="Until when; by default until now.")
@click.option("--store", metavar="URL", help="Same as --statistics-store.")
@click.option("--archive", "archives", multiple=True, metavar="URL", help="Same as --statistics-archive.")
@with_settings
def backfill(begin: float, end: float, *, store: str | None, archives: tuple[str, ...], chosen: Chosen) -> int:
    """Ask the archive for all messages of a time, and put those into the inbox that are not there.

    A server may run meanwhile: its statistics take them from the inbox. The same time twice changes nothing. Time that was
    covered so long ago that the inbox no longer knows its messages is left out: they would count twice. An archive or a store
    that is away is asked again, until it answers or Ctrl-C.
    """
    if begin >= end:
        message = "--from does not lie before --to"
        raise SettingError(message)
    flags: dict[str, object] = {"statistics.store": store, "statistics.archive": list(archives) or None}
    settings = chosen.settings(flags)
    if not settings.statistics.archive:
        message = "no archive to ask; name one, such as --archive datagrepper+https://apps.fedoraproject.org/datagrepper"
        raise SettingError(message)
    from nilometer.core.statistics.coverage import Span  # noqa: PLC0415 help needs none of it

    for archive in settings.statistics.archive:
        _fill(archive, settings, Span(begin, end))
    return DONE


def _fill(url: Url, settings: Settings, span: Span) -> None:
    """Fill from one archive. Raise `NilometerError`."""
    from nilometer.backends import registry  # noqa: PLC0415 help needs none of it
    from nilometer.cli.state import in_state  # noqa: PLC0415 see above
    from nilometer.cli.statistics import opening  # noqa: PLC0415 see above
    from nilometer.cli.statistics.serving import FILE  # noqa: PLC0415 see above
    from nilometer.core.losses import Losses  # noqa: PLC0415 see above
    from nilometer.statistics.filler.backfill import backfill as fill  # noqa: PLC0415 see above

    own, losses = settings.statistics, Losses()
    place = in_state(own.store, settings.server.state.absolute() / FILE)
    archive = registry.open(url, registry.ARCHIVE)
    with contextlib.closing(archive), contextlib.closing(registry.open(place, registry.STATISTICS)) as store, _bar() as told:
        options = opening.wanted(own, opening.found(own))
        done = fill(opening.name_of(url), archive, store, span, options, losses, told=told, stop=threading.Event())
    lost = losses.totals().get(("statistics", "archive"), 0)
    click.echo(f"{opening.name_of(url)}: {done.new:,} new, {done.known:,} known, {done.bad:,} no message, {lost:,} never came")


@contextlib.contextmanager
def _bar() -> Iterator[Callable[[FillStatus], None]]:
    """Show on a terminal how far it is. That an archive is away is logged, once for each reason."""
    from rich.console import Console  # noqa: PLC0415 help needs none of it
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415 see above

    console = Console(stderr=True, markup=False, highlight=False)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), "{task.percentage:>5.1f} %", TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as bar:
        task = bar.add_task("asking", total=None)

        def told(status: FillStatus) -> None:
            at = "" if status.at is None else time.strftime(" %Y-%m-%d %H:%M", time.gmtime(status.at))
            said = status.error or f"{status.new:,} new{at}"
            bar.update(task, description=said[:60], total=status.wanted, completed=status.wanted - status.missing)

        yield told
