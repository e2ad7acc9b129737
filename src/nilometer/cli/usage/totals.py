"""``nilometer usage totals``: reads, writes and storage by service, domain and project."""

from __future__ import annotations

import csv
import json
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from nilometer.cli.choice import Choice
from nilometer.cli.duration import DurationType
from nilometer.cli.help import Command, Example
from nilometer.cli.main import DONE
from nilometer.cli.options import with_state
from nilometer.cli.usage.store import moment, opened, own, with_store
from nilometer.collect.usage.period import Period
from nilometer.core.errors import SettingError
from nilometer.core.show import printable
from nilometer.core.wire import rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nilometer.cli.options import Chosen

TABLE, JSON, CSV = "table", "json", "csv"
BY = ("service", "domain", "project")
FIGURES = ("reads", "writes", "storage_gb_hours", "events")


@click.command(
    cls=Command,
    examples=[
        Example("The last 30 days by service, domain and project", "nilometer usage totals --since -30d"),
        Example(
            "Each day of a month, of each project, for a bill",
            "nilometer usage totals --since 2026-10-01 --until 2026-11-01 --by project --step 1d --csv",
        ),
        Example("From another store", "nilometer usage totals --store postgresql://nilometer@db.example/events"),
    ],
)
@click.option("--since", default="-30d", show_default=True, metavar="TIME", help="From when, such as -30d or 2026-11-01.")
@click.option("--until", default="now", show_default=True, metavar="TIME", help="Until when, that moment not included.")
@click.option("--by", type=Choice(BY), multiple=True, help="What totals are taken by; any number. By default by all three.")
@click.option("--step", type=DurationType(60, 366 * 86400), default=None, help="A total for each slot so long, such as 1d.")
@click.option("--json", "form", flag_value=JSON, help="One JSON object a line.")
@click.option("--csv", "form", flag_value=CSV, help="CSV with a head.")
@with_store
@with_state
def totals(  # noqa: PLR0913 the options of the command
    *, since: str, until: str, by: tuple[str, ...], step: float | None, form: str | None, store: str, chosen: Chosen
) -> int:
    """Add up reads, writes and storage over all publishers.

    Reads and writes are rows, as the events of the store say. Storage is in gigabyte hours, from the events of the usage audit.
    """
    from nilometer.collect.usage import reading  # noqa: PLC0415 help needs none of it
    from nilometer.collect.usage.activity import events  # noqa: PLC0415 see above

    now = time.time()
    period = Period(moment(since, now, "since"), moment(until, now, "until"))
    if period.start >= period.end:
        message = f"--since {since} does not lie before --until {until}"
        raise SettingError(message)
    with opened(store, f"sqlite:///{own(chosen)}") as found:
        if found is None:
            message = "--store: totals need a store of events"
            raise SettingError(message)
        rows = reading.rows(events(found, period), by or BY, step or 0)
    told = [row | ({"time": rfc3339.encode(row["time"])} if step else {}) for row in rows]
    {TABLE: _table, JSON: _json, CSV: _csv}[form or TABLE](told, reading.names(by or BY, step or 0))
    return DONE


def _json(rows: Sequence[Mapping[str, Any]], _: list[str]) -> None:
    for row in rows:
        click.echo(json.dumps(row, ensure_ascii=False))


def _csv(rows: Sequence[Mapping[str, Any]], names: list[str]) -> None:
    writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _table(rows: Sequence[Mapping[str, Any]], names: list[str]) -> None:
    from rich.console import Console  # noqa: PLC0415 only a table needs it
    from rich.table import Table  # noqa: PLC0415 see above

    if not rows:
        click.echo("no usage")
        return
    drawn = Table(box=None, pad_edge=False)
    for name in names:
        drawn.add_column(name, justify="right" if name in FIGURES else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(f"{row[name]:,.6g}" if name in FIGURES else printable(str(row[name])) or "–" for name in names))
    Console(width=None if sys.stdout.isatty() else 160).print(drawn)
