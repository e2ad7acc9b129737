"""What the subcommands of ``osprofiler trace`` do. Each raises `CommandError` for what its user can mend."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nilometer.core.errors import InputError
from nilometer.core.wire import bounded_json
from nilometer.traces.formats.dot import dot
from nilometer.traces.formats.html import html
from nilometer.traces.osprofiler import report
from nilometer.traces.osprofiler import spans as spans_of
from osprofiler.drivers import base
from osprofiler.exc import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nilometer.core.traces.span import Span

LARGEST = 256 << 20
"""Bytes of a file that is shown, at most."""
YES, NO = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", "none", ""}


def is_file(text: str) -> bool:
    """Return whether a text names a file that is there."""
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False


def truth(text: str) -> bool:
    """Return what a text says, true or false. Raise argparse's error for another."""
    if text.lower() in YES | NO:
        return text.lower() in YES
    message = f"{text!r} is neither true nor false"
    raise argparse.ArgumentTypeError(message)


def show(args: argparse.Namespace) -> None:
    """Show one trace."""
    spans = _from_file(args.trace) if is_file(args.trace) else _from_store(args)
    if not spans:
        message = f"Trace with UUID {args.trace} not found. Please check the HMAC key used in the command."
        raise CommandError(message)
    _put(_laid_out(args, spans), args.file_name)
    if args.use_dot and args.render_dot_filename:
        _draw(dot(spans), args.render_dot_filename)


def _laid_out(args: argparse.Namespace, spans: list[Span]) -> str:
    if args.use_json:
        return json.dumps(report(spans), separators=(",", ": "), indent=2)
    if args.use_html:
        return html(spans)
    if args.use_dot:
        return dot(spans)
    message = "You should choose one of the following output formats: json, html or dot."
    raise CommandError(message)


def _from_store(args: argparse.Namespace) -> list[Span]:
    given = {"transport_url": args.transport_url} if args.transport_url else {}
    return base.get_driver(args.connection_string, **given).read(args.trace)


def _from_file(name: str) -> list[Span]:
    try:
        return spans_of(bounded_json.read(Path(name).read_bytes(), LARGEST))
    except (OSError, InputError) as error:
        message = f"{name} cannot be read as a trace: {error}"
        raise CommandError(message) from error


def _put(text: str, name: str | None) -> None:
    if name:
        Path(name).write_text(text, encoding="utf-8")
    else:
        print(text)  # noqa: T201 a program prints


def list_(args: argparse.Namespace) -> None:
    """List the traces, as a table of ids and times."""
    driver = base.get_driver(args.connection_string)
    found = driver.list_error_traces() if args.error_trace else driver.list_traces()
    for line in table(("base_id", "timestamp"), found):
        print(line)  # noqa: T201 a program prints


def table(names: tuple[str, ...], rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the lines of a table with borders."""
    cells = [names, *(tuple(str(row.get(name, "")) for name in names) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    border = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    lines = ["|" + "|".join(f" {cell.center(width)} " for cell, width in zip(row, widths, strict=True)) + "|" for row in cells]
    return [border, lines[0], border, *lines[1:], border]


def _draw(text: str, name: str) -> None:
    """Draw a graph with Graphviz, as the original does."""
    program = shutil.which("dot")
    if program is None:
        message = "the graph cannot be drawn: Graphviz is not installed (Debian: apt-get install graphviz)"
        raise CommandError(message)
    try:
        subprocess.run([program, "-Tpdf", "-o", f"{name}.pdf"], input=text.encode(), check=True)  # noqa: S603 a graph of ours
    except subprocess.CalledProcessError as error:
        message = f"the graph cannot be drawn: {error}"
        raise CommandError(message) from error
