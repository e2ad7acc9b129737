"""``nilometer trace export``, ``import`` and ``copy``: traces from one place to another."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nilometer.cli.help import Command, Example
from nilometer.cli.link import with_access
from nilometer.cli.trace.options import with_place, with_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from nilometer.cli.link import Access
    from nilometer.core.capability import TraceStore
    from nilometer.core.traces.query import TraceQuery
    from nilometer.core.traces.span import Span

BATCH = 500
"""Spans that are written at a time."""
EXITS = {0: "done", 1: "a server or a store does not answer, or a file holds no traces", 2: "wrong use"}


@click.command(
    cls=Command,
    examples=[
        Example("Everything of the last day", "nilometer trace export --since 1d --out traces.jsonl"),
        Example("Two traces, on standard output", "nilometer trace export 4e3e0ec6293840b1850409eb1d4b0dee 1c089ea828fe4f3d"),
    ],
    exits=EXITS,
)
@click.argument("traces", nargs=-1)
@click.option("--limit", type=click.IntRange(0), default=0, help="Traces at most; 0: all.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write into a file.")
@with_query
@with_place
def export(  # noqa: PLR0913 each is an option
    traces: tuple[str, ...], url: str, *, access: Access, query: TraceQuery, limit: int, out: Path | None
) -> None:
    """Write traces as JSON, a span a line: those named, or all that fit. `nilometer trace import` reads them again."""
    from nilometer.cli.trace.places import opened  # noqa: PLC0415 help needs nothing of it
    from nilometer.core.wire import span as wire  # noqa: PLC0415 see above

    target = sys.stdout.buffer if out is None else out.open("wb")
    with opened(url, access) as store, target if out else contextlib.nullcontext(), _progress("exporting") as done:
        for spans in _wanted(store, traces, query, limit):
            target.write(b"".join(wire.text(wire.as_object(span)) + b"\n" for span in spans))
            done(len(spans))
        target.flush()


@click.command(
    "import",
    cls=Command,
    examples=[
        Example("What was exported", "nilometer trace import traces.jsonl"),
        Example(
            "A report that OSProfiler has written, into Redis",
            "nilometer trace import report.json --url redis://localhost:6379",
        ),
    ],
    exits=EXITS,
)
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@with_place
def import_(files: tuple[Path, ...], url: str, *, access: Access) -> None:
    """Read traces from files, and store them.

    Files are what `nilometer trace export` writes, OSProfiler's report, or its notifications; - is standard input.
    """
    from nilometer.cli.trace.places import sink  # noqa: PLC0415 help needs nothing of it
    from nilometer.core.errors import InputError  # noqa: PLC0415 see above
    from nilometer.traces.files import spans_in  # noqa: PLC0415 see above

    with sink(url, access) as target, _progress("importing") as done:
        for file in files:
            try:
                spans = spans_in(sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes())
            except (InputError, OSError) as error:
                message = f"{file}: {error}"
                raise InputError(message) from error
            for part in _parts(spans):
                target.write_spans(part)
                done(len(part))


@click.command(
    cls=Command,
    examples=[
        Example("From Redis into the server's store", "nilometer trace copy redis://localhost:6379 http://127.0.0.1:8127"),
        Example(
            "Failed ones to Jaeger", "nilometer trace copy sqlite:///nilometer.db otlp://localhost:4318 --error --since 1d"
        ),
    ],
    exits=EXITS,
)
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--limit", type=click.IntRange(0), default=0, help="Traces at most; 0: all.")
@with_query
@with_access("", "a server", "access")
def copy(source: str, target: str, *, access: Access, query: TraceQuery, limit: int) -> None:
    """Copy traces from one place to another: stores, servers, files. Copying again changes nothing."""
    from nilometer.cli.trace.places import opened, sink  # noqa: PLC0415 help needs nothing of it

    with opened(source, access) as store, sink(target, access) as into, _progress("copying") as done:
        for spans in _wanted(store, (), query, limit):
            for part in _parts(spans):
                into.write_spans(part)
                done(len(part))


def _wanted(store: TraceStore, traces: Sequence[str], query: TraceQuery, limit: int) -> Iterator[list[Span]]:
    """Yield the spans of traces: of those named, or of all that fit."""
    from nilometer.cli.trace.places import every  # noqa: PLC0415 help needs nothing of it
    from nilometer.core.errors import Unavailable  # noqa: PLC0415 see above

    names: Iterable[str] = traces or (trace.trace for trace in every(store, query, limit or sys.maxsize))
    for name in names:
        spans = store.read_trace(name)
        if not spans and traces:
            message = f"there is no trace {name!r}"
            raise Unavailable(message)
        yield spans


def _parts(spans: Sequence[Span]) -> Iterator[Sequence[Span]]:
    for first in range(0, len(spans), BATCH):
        yield spans[first : first + BATCH]


@contextlib.contextmanager
def _progress(what: str) -> Iterator[Callable[[int], None]]:
    """Show on a terminal how many spans were moved; say it in one line in the end."""
    from rich.console import Console  # noqa: PLC0415 help needs nothing of it
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415 see above

    total = 0
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,.0f} spans"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as shown:
        task = shown.add_task(what, total=None)

        def done(spans: int) -> None:
            nonlocal total
            total += spans
            shown.advance(task, spans)

        yield done
    click.echo(f"nilometer: {what} done: {total} spans", err=True)
