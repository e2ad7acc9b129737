"""Rows of a statistic as text: objects, JSON, CSV and a table in HTML.

Rules:

* What is shown are the objects that the plugin makes of its rows; a plugin that cannot is told by name.
* The columns of all rows are those of the first; without rows, those of the statistic's kind.
* In CSV nothing is an empty cell, and lines end with CR LF.

Source: RFC 4180 (CSV); RFC 8259 (JSON, which has no numbers that are not finite: they are null).
"""

from __future__ import annotations

import csv
import io
import json
import math
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.errors import NilometerError
from nilometer.statistics.shown import columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nilometer.core.statistics import Row
    from nilometer.statistics.plugin import Cell, Statistic

TIME = "timestamp"
YEARS = (-62_135_596_800, 253_402_300_799)
"""The seconds that a date can be written for."""


class Unshown(NilometerError):
    """A plugin could not make objects of its rows."""


class Table(NamedTuple):
    """The names of the columns, and an object for each row."""

    columns: tuple[str, ...]
    rows: list[Mapping[str, Cell]]


def table(statistic: Statistic, rows: Sequence[Row]) -> Table:
    """Return rows as their plugin shows them. Raise `Unshown`."""
    try:
        made: list[Mapping[str, Cell]] = [
            {str(name): _cell(cell) for name, cell in each.items()} for each in statistic.plugin.rows(rows)
        ]
    except Exception as error:
        message = f"{statistic.ident}: its plugin cannot show its rows: {type(error).__name__}: {error}"
        raise Unshown(message[:1000]) from error
    return Table(tuple(made[0]) if made else columns(statistic.plugin), made)


def as_json(found: Table) -> str:
    """Return the rows as a JSON array of objects."""
    return json.dumps(found.rows, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def page(ident: str, found: Table, cursor: str) -> str:
    """Return a page as JSON: ``ident``, ``columns``, ``rows``, and ``cursor``, null at the end."""
    told = {"ident": ident, "columns": found.columns, "rows": found.rows, "cursor": cursor or None}
    return json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def as_csv(found: Table) -> str:
    """Return the rows as CSV, the names of the columns first."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(found.columns)
    writer.writerows([row.get(name) for name in found.columns] for row in found.rows)
    return text.getvalue()


def as_html(found: Table, caption: str, more: str = "") -> str:
    """Return the rows as the table of a page by itself; `more` is a link to those that follow."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in found.columns)
    body = "".join(f"<tr>{''.join(_shown(name, row.get(name)) for name in found.columns)}</tr>\n" for row in found.rows)
    link = f'<p><a rel="next" href="{escape(more)}">more</a></p>\n' if more else ""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(caption)}</title>'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"></head><body>\n'
        f"<table><caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table>\n"
        f"{link}</body></html>\n"
    )


def moment(seconds: float) -> str:
    """Return a time in ISO 8601, UTC: ``2026-01-05T00:01:00Z``."""
    inside = min(max(seconds, YEARS[0]), YEARS[1])
    return datetime.fromtimestamp(int(inside), UTC).isoformat().replace("+00:00", "Z")


def _cell(cell: object) -> Cell:
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    return cell if cell is None or isinstance(cell, str | int | float) else str(cell)


def _shown(name: str, cell: Cell) -> str:
    if name == TIME and isinstance(cell, int | float):
        return f'<td><time datetime="{moment(cell)}">{moment(cell)}</time></td>'
    return f"<td>{'' if cell is None else escape(str(cell))}</td>"


def names(words: Iterable[str]) -> str:
    """Return words for a message: ``category, user``, or ``none``."""
    return ", ".join(words) or "none"
