"""``nilometer trace list``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from nilometer.cli.help import Command, Example
from nilometer.cli.moment import shown
from nilometer.cli.trace.options import with_place, with_query
from nilometer.core.show import printable
from nilometer.core.traces.span import NANO

if TYPE_CHECKING:
    from nilometer.cli.link import Access
    from nilometer.core.traces.query import TraceQuery
    from nilometer.core.traces.summary import Summary

BAR = 12
"""Columns of the bar that shows how long a trace took, beside the longest of its page."""


@click.command(
    "list",
    cls=Command,
    examples=[
        Example("The last hundred", "nilometer trace list"),
        Example("Slow requests of one service", "nilometer trace list --service tables --shortest 1s"),
        Example("Those that failed today, as JSON", "nilometer trace list --error --since 1d --json"),
        Example("What lies in Redis", "nilometer trace list --url redis://localhost:6379"),
    ],
    exits={0: "done, also when nothing fits", 1: "the server or the store does not answer", 2: "wrong use"},
)
@click.option("--limit", type=click.IntRange(0), default=100, show_default=True, help="Traces at most; 0: all.")
@click.option("--json", "as_json", is_flag=True, help="Print each trace as a JSON object on one line.")
@with_query
@with_place
def listing(url: str, *, access: Access, query: TraceQuery, limit: int, as_json: bool) -> None:
    """List traces; the newest come first. All conditions hold together."""
    from nilometer.cli.trace.places import every, opened  # noqa: PLC0415 help needs nothing of it

    with opened(url, access) as store:
        found = every(store, query, limit or sys.maxsize)
        if as_json:
            _lines(found)
        else:
            _table(list(found))


def _lines(traces: object) -> None:
    from nilometer.traces.formats.json import listed  # noqa: PLC0415 help needs nothing of it

    for trace in traces:  # type: ignore[attr-defined]  # an iterator of summaries
        click.echo(json.dumps(listed(trace)))


def _table(traces: list[Summary]) -> None:
    """Print a line for each: when, how long with a bar, errors and spans, whose, what, which."""
    from nilometer.cli.trace.terminal import bar, took  # noqa: PLC0415 help needs nothing of it

    longest = max((trace.duration for trace in traces), default=0)
    for trace in traces:
        counted = f"{trace.spans} span{'' if trace.spans == 1 else 's'}"
        name = printable(f"{trace.service}: {trace.name}" if trace.service else trace.name)
        failed = click.style(f"  {trace.errors} with an error: {printable(trace.error)}", fg="red") if trace.errors else ""
        filled = bar(0, trace.duration, longest, BAR)
        times = f"{shown(trace.start / NANO)} {took(trace.duration):>9} {filled}"
        click.echo(f"{times} {counted:>9}  {printable(trace.trace)}  {name}{failed}")
    if not traces:
        click.echo("nilometer: nothing fits", err=True)
