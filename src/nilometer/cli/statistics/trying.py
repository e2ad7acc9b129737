"""``nilometer statistics try``: a plugin over recorded messages, and the rows it makes.

Rules: rows go to standard output, what is wrong to standard error, named with the message. Nothing is stored, nothing connects.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from nilometer.cli.help import Command, Example
from nilometer.cli.main import DONE, FAILED, complain
from nilometer.core.errors import ConfigError, InputError
from nilometer.core.show import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nilometer.statistics.authoring.recorded import Recorded
    from nilometer.statistics.formats import Table
    from nilometer.statistics.plugin import Cell, Statistic
    from nilometer.statistics.tallying import Failure

USUAL, NAMED = 20, 20
"""Rows of a table, and messages that are named, when nobody says how many."""
TIME = "timestamp"


@click.command(
    "try",
    cls=Command,
    examples=[
        Example("The rows of a plugin of yours", "nilometer statistics try orders_by_shop.py --messages messages.json"),
        Example(
            "One of its windows, as CSV",
            "nilometer statistics try orders_by_shop.py --only orders-by-shop-1d --messages messages.json --csv",
        ),
        Example(
            "A plugin that comes along, over what an archive has",
            "curl -s 'https://apps.fedoraproject.org/datagrepper/v2/search?delta=600' |"
            " nilometer statistics try volume-by-topic --messages -",
        ),
    ],
    exits={
        0: "done",
        1: "a plugin raised, or what is in the file is no message",
        2: "wrong use, no such file, or a plugin that is wrong",
    },
)
@click.option("--messages", "file", required=True, metavar="FILE", help="Recorded messages, - for stdin.")
@click.option("--only", "idents", multiple=True, metavar="IDENT", help="Only this statistic of the plugin, such as orders-1d.")
@click.option(
    "--limit", type=click.IntRange(0), metavar="N", help=f"Rows of each, at most; 0: all. Default: {USUAL} of a table."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for each statistic.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV, with the statistic in the first column.")
@click.argument("plugin")
def trying(  # noqa: PLR0913 the options of the command
    plugin: str, file: str, *, idents: tuple[str, ...], limit: int | None, as_json: bool, as_csv: bool
) -> int:
    """Run a PLUGIN over recorded messages, and print the rows that it makes.

    PLUGIN is a Python file, or the name of one that comes along. Messages are JSON: one a line, a list of them, or an answer of
    datagrepper, of any format that a bus may bring. Rows are those that a server would show, the newest first.
    """
    if as_json and as_csv:
        message = "--json and --csv: choose one of them"
        raise ConfigError(message)
    from nilometer.statistics.authoring.making import tried  # noqa: PLC0415 help needs none of it

    statistics = _chosen(plugin, idents)
    messages = _read(file)
    found = tried(statistics, messages.messages)
    most = limit if limit is not None else 0 if as_json or as_csv else USUAL
    shown = {ident: table._replace(rows=table.rows[: most or None]) for ident, table in found.tables.items()}
    if as_json:
        _json(shown)
    elif as_csv:
        _csv(shown)
    else:
        _tables(shown, found.tables)
    for failure in found.failures:
        _complain(plugin, failure)
    _told(file, messages)
    return FAILED if found.failures or messages.wrong else DONE


def _chosen(plugin: str, idents: tuple[str, ...]) -> list[Statistic]:
    """Return the statistics of a plugin, or those of them that are wanted. Raise `ConfigError`."""
    from nilometer.core.errors import did_you_mean  # noqa: PLC0415 only a mistake needs it
    from nilometer.statistics import catalog  # noqa: PLC0415 help needs none of it

    every = {each.ident: each for each in catalog.statistics([plugin])}
    for ident in idents:
        if ident not in every:
            message = f"{plugin} makes no statistic {ident!r:.80}{did_you_mean(ident, every)}; it makes {', '.join(every)}"
            raise ConfigError(message)
    return [each for ident, each in every.items() if not idents or ident in idents]


def _read(file: str) -> Recorded:
    """Return the messages of a file. Raise `InputError` naming it, `ConfigError` when it cannot be opened."""
    from nilometer.statistics.authoring import recorded  # noqa: PLC0415 help needs none of it

    try:
        with click.open_file(file, "rb") as stream:
            return recorded.read(stream.read(), time.time())
    except OSError as error:
        message = f"{file}: {error.strerror}; name a file of recorded messages, or - for standard input"
        raise ConfigError(message) from error
    except InputError as error:
        message = f"{file}: {error}"
        raise InputError(message) from error


def _complain(plugin: str, failure: Failure) -> None:
    """Say at which message a plugin raised, and what."""
    from nilometer.statistics.raised import said  # noqa: PLC0415 only a mistake needs it

    message, idents = failure.message, ", ".join(each.ident for each in failure.statistics)
    at = f"message {message.number} (id {message.id[:80]}, topic {message.topic[:80]})"
    complain(printable(f"{plugin}: {idents} stopped at {at}: {said(failure.error)}"))


def _told(name: str, messages: Recorded) -> None:
    """Say what of a file counted, and what did not."""
    for wrong in messages.wrong[:NAMED]:
        complain(printable(f"{name}: {wrong}"))
    counts = [f"{len(messages.messages):,} messages"]
    if messages.again:
        counts.append(f"{messages.again:,} came again, and count once")
    if messages.wrong:
        counts.append(f"{len(messages.wrong):,} are none")
    click.echo(f"{name}: {'; '.join(counts)}", err=True)


def _json(tables: dict[str, Table]) -> None:
    from nilometer.statistics.formats import page  # noqa: PLC0415 help needs none of it

    for ident, table in tables.items():
        click.echo(page(ident, table, "").encode("utf-8", "replace"), nl=False)


def _csv(tables: dict[str, Table]) -> None:
    """Write all rows as one table: the columns of all, empty where a statistic has none."""
    from nilometer.statistics.formats import Table, as_csv  # noqa: PLC0415 help needs none of it

    names = dict.fromkeys(("statistic", *(name for table in tables.values() for name in table.columns)))
    rows: list[Mapping[str, Cell]] = [{"statistic": ident, **row} for ident, table in tables.items() for row in table.rows]
    click.echo(as_csv(Table(tuple(names), rows)).encode("utf-8", "replace"), nl=False)


def _tables(tables: dict[str, Table], whole: dict[str, Table]) -> None:
    from rich.console import Console  # noqa: PLC0415 only a table needs it
    from rich.table import Table as Drawn  # noqa: PLC0415 see above

    from nilometer.statistics.formats import moment  # noqa: PLC0415 help needs none of it

    console = Console(width=None if sys.stdout.isatty() else 120, markup=False, highlight=False)
    for ident, table in tables.items():
        click.echo(printable(ident))
        drawn = Drawn(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for name in table.columns:
            drawn.add_column(printable(name), overflow="fold")
        for row in table.rows:
            cells = ((name, row.get(name)) for name in table.columns)
            drawn.add_row(
                *(moment(each) if name == TIME and isinstance(each, int | float) else _cell(each) for name, each in cells)
            )
        console.print(drawn if table.rows else "no rows")
        left = len(whole[ident].rows) - len(table.rows)
        click.echo(f"and {left:,} more; --limit 0 shows all\n" if left else "")


def _cell(cell: object) -> str:
    return "" if cell is None else printable(f"{cell:,}" if isinstance(cell, int | float) else str(cell))
