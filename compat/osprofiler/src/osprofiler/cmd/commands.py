"""What the subcommands of ``osprofiler trace`` do. Each raises `CommandError` for what its user can mend."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osprofiler.drivers import base
from osprofiler.exc import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
    report = _from_file(args.trace) if is_file(args.trace) else _from_store(args)
    if not report["children"]:
        message = f"Trace with UUID {args.trace} not found. Please check the HMAC key used in the command."
        raise CommandError(message)
    _put(_laid_out(args, report), args.file_name)
    if args.use_dot and args.render_dot_filename:
        _draw(dot(report), args.render_dot_filename)


def _laid_out(args: argparse.Namespace, report: Mapping[str, Any]) -> str:
    if args.use_json:
        return json.dumps(report, separators=(",", ": "), indent=2)
    if args.use_html:
        return html(report)
    if args.use_dot:
        return dot(report)
    message = "You should choose one of the following output formats: json, html or dot."
    raise CommandError(message)


def _from_store(args: argparse.Namespace) -> dict[str, Any]:
    given = {"transport_url": args.transport_url} if args.transport_url else {}
    return base.get_driver(args.connection_string, **given).get_report(args.trace)


def _from_file(name: str) -> dict[str, Any]:
    try:
        found = json.loads(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{name} cannot be read as a trace: {error}"
        raise CommandError(message) from error
    if not isinstance(found, dict) or not isinstance(found.get("children"), list):
        message = f"{name} holds no trace as `osprofiler trace show --json` writes it"
        raise CommandError(message)
    return found


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
