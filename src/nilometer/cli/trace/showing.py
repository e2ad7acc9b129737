"""``nilometer trace show`` and ``nilometer trace tree``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nilometer.cli.choice import Choice
from nilometer.cli.help import Command, Example
from nilometer.cli.trace.options import with_place

if TYPE_CHECKING:
    from nilometer.cli.link import Access
    from nilometer.core.traces.span import Span

FORMATS = ("tree", "json", "osprofiler", "html", "dot", "chrome", "spans")
NARROW = 120
"""Columns where no terminal says how many."""
EXITS = {0: "done", 1: "there is no such trace, or the server or the store does not answer", 2: "wrong use"}
TRACE = "A trace's id: 32 hexadecimal digits, or a UUID."


@click.command(
    cls=Command,
    examples=[
        Example("As a tree", "nilometer trace show 4e3e0ec6293840b1850409eb1d4b0dee"),
        Example("As a page", "nilometer trace show 4e3e0ec6293840b1850409eb1d4b0dee --format html --out trace.html"),
        Example("As OSProfiler's report", "nilometer trace show 4e3e0ec6-2938-40b1-8504-09eb1d4b0dee --format osprofiler"),
        Example(
            "For https://ui.perfetto.dev", "nilometer trace show 4e3e0ec6293840b1850409eb1d4b0dee --format chrome --out t.json"
        ),
        Example("From a file", "nilometer trace show --url trace.json"),
    ],
    exits=EXITS,
)
@click.argument("trace", default="")
@click.option("--format", "form", type=Choice(FORMATS), default="tree", show_default=True, help="How it is told.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write into a file.")
@with_place
def show(trace: str, url: str, *, access: Access, form: str, out: Path | None) -> None:
    """Show one trace; without TRACE the newest one.

    tree: names, durations and bars; json: times in µs; osprofiler: its report, in ms; html: one page that needs no network;
    dot: a graph for Graphviz; chrome: for Chrome's and Perfetto's viewers; spans: as they are stored.
    """
    spans = read(trace, url, access)
    if form == "tree":
        from nilometer.cli.trace.terminal import tree as lines  # noqa: PLC0415 help needs nothing of it

        told = "\n".join(map(click.unstyle, lines(spans, NARROW))) if out else "\n".join(lines(spans, _width()))
        text = f"{told}\n"
    else:
        from nilometer.traces.reading import FORMATS as KNOWN  # noqa: PLC0415 see above

        text = KNOWN[form](spans).decode()
    if out is None:
        click.echo(text.rstrip("\n"))
    else:
        out.write_text(text, encoding="utf-8")


@click.command(
    cls=Command,
    examples=[
        Example("The newest trace", "nilometer trace tree"),
        Example("One of them", "nilometer trace tree 4e3e0ec6293840b1850409eb1d4b0dee"),
    ],
    exits=EXITS,
)
@click.argument("trace", default="")
@with_place
def tree(trace: str, url: str, *, access: Access) -> None:
    """Show one trace as a tree with bars; without TRACE the newest one.

    Errors are red. A dot marks what the whole waited for: the critical path.
    """
    from nilometer.cli.trace.terminal import tree as lines  # noqa: PLC0415 help needs nothing of it

    for line in lines(read(trace, url, access), _width()):
        click.echo(line)


def read(trace: str, url: str, access: Access) -> list[Span]:
    """Return the spans of a trace, of the newest where none is named. Raise `Unavailable` where there is none."""
    from nilometer.cli.trace.places import opened  # noqa: PLC0415 help needs nothing of it
    from nilometer.core.errors import Unavailable  # noqa: PLC0415 see above
    from nilometer.core.traces.query import EVERYTHING  # noqa: PLC0415 see above

    with opened(url, access) as store:
        newest = [] if trace else store.find_traces(EVERYTHING, 1).traces
        wanted = trace or next((found.trace for found in newest), "")
        spans = store.read_trace(wanted) if wanted else []
    if not spans:
        message = f"{url}: there is no trace {trace!r}" if trace else f"{url}: there are no traces"
        raise Unavailable(message)
    return spans


def _width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else NARROW
