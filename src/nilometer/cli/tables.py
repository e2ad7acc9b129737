"""``nilometer tables``: what the tables of other systems use, on the terminal or as gauges in a StatsD server.

Rules:

* A source that is away, and a table that cannot be read, is told on standard error and makes the exit code 1; all others are
  read, shown and sent.
* What was read is sent once. When a source is away, nothing is sent for its tables.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from nilometer.cli.collecting import showing
from nilometer.cli.collecting.running import Runs, with_running
from nilometer.cli.help import Command, Example
from nilometer.collect.tables import NAME, Bounds, Naming, Reading, samples
from nilometer.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import Event

    from nilometer.cli.collecting.running import Wish
    from nilometer.collect.sample import Sample
    from nilometer.collect.tables import Reader

OFTEN = 50
"""Tables between two steps of the progress bar."""


@contextmanager
def progress(sources: int) -> Iterator[Callable[[Reading], None]]:
    """Show on a terminal how many tables were read so far, once that takes a while."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 only a terminal needs it
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415 see above

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed:,} tables"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"reading {sources} sources" if sources > 1 else "reading", total=None)

        def told(reading: Reading) -> None:
            if len(reading.tables) % OFTEN == 0:
                bar.advance(task, OFTEN)

        yield told


def naming(prefix: str, name: str, *, tags: bool) -> Naming:
    """Return how series are named. Raise `ConfigError` for a wrong template."""
    try:
        return Naming(prefix, name, tags=tags)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _schemes(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return how the URL of a source can begin, for a shell."""
    del ctx, parameter
    from nilometer.backends import registry  # noqa: PLC0415 help needs no backends

    found = (f"{scheme}://" for scheme in registry.TABLE if registry.TABLES in registry.capabilities(scheme))
    return [each for each in found if each.startswith(incomplete)]


@click.command(
    cls=Command,
    examples=[
        Example("What do the tables of a MagnetoDB use", "nilometer tables magnetodb+http://localhost:8480"),
        Example(
            "As gauges in a StatsD server, every minute",
            "nilometer tables magnetodb+http://localhost:8480 --to statsd://localhost",
        ),
        Example(
            "Two projects, with a token, once, as a job of cron has it",
            "nilometer tables 'magnetodb+https://magnetodb.example?projects=acme,globex&token_file=/etc/nilometer/token'"
            " --to 'statsd://metrics.example?prefix=node1' --once",
        ),
        Example("As JSON", "nilometer tables magnetodb+http://localhost:8480 --json"),
        Example(
            "With tags in place of names", "nilometer tables magnetodb+http://localhost:8480 --tags --to statsd://localhost"
        ),
    ],
    exits={0: "everything was read and sent", 1: "a source, a table or a line failed: the other lines say which"}
    | {2: "wrong use, or a wrong URL"},
)
@click.option(
    "--name", default=NAME, show_default=True, metavar="TEMPLATE", help="What a table's series are called; knows {source}."
)
@click.option("--tags", is_flag=True, help="Name series tables.FIGURE, and have tags say whose it is and what it is worth.")
@click.option("--tables", "most", type=click.IntRange(1), default=100_000, show_default=True, help="Most tables of one source.")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE_URL...", shell_complete=_schemes)
@with_running("sources")
def command(sources: tuple[str, ...], *, name: str, tags: bool, most: int, wish: Wish) -> int:
    """Tell what tables use, or send it to a StatsD server.

    Each SOURCE_URL is read whole: size_bytes, item_count and what else the source knows of every table and index, with a mark
    where that is an estimate or stale. What a source does not know is left out. With --to, every figure is a gauge, such as
    tables.PROJECT.TABLE.size_bytes; docs/reference/collected-metrics.md lists them.
    """
    from nilometer.cli.collecting import opening  # noqa: PLC0415 help needs no backends

    names = naming(wish.prefix, name, tags=tags)
    reader = opening.reader(sources, Bounds(wish.at_once, wish.seconds, most))
    try:
        return Runs("tables", wish, lambda stop: _run(reader, names, len(sources), wish, stop)).go()
    finally:
        reader.close()


def _run(reader: Reader, names: Naming, sources: int, wish: Wish, stop: Event) -> tuple[list[Sample], bool]:
    with progress(sources) as told:
        readings = reader.run(stop, told)
    made = list(samples(readings, names)) if wish.to else []
    if wish.form:
        showing.readings(readings, wish.form)
    showing.complain(readings)
    return made, not any(reading.error or reading.faulty for reading in readings)
