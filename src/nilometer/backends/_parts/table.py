"""A flush as aligned tables for people: one for each kind, the statistics spread over several where the width is short."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from nilometer.core.record import Kind
from nilometer.core.wire.number import to_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nilometer.core.record import Block, Column, Flush

GAP = "  "
LONGEST = 60
"""Characters of a series' key; a longer one is cut in the middle."""
NAME = 24
"""Characters that the column of keys has at least, so that tables stand below each other."""


def tables(flush: Flush, rows: int, width: int) -> Iterator[str]:
    """Yield the lines of all tables, at most `rows` series each (0: all) and, where it can be, `width` characters."""
    for kind in Kind:
        for block in flush.blocks:
            if block.kind is kind and block.count:
                yield from _table(block, rows or block.count, width)


def _table(block: Block, rows: int, width: int) -> Iterator[str]:
    keys = [_short(key) for key in block.keys()[:rows]]
    title = f"{block.kind}s"
    first = max(len(title), NAME, *map(_cells, keys))
    for columns in _groups([[column.name, *_texts(column, len(keys))] for column in block.columns], width - first):
        sizes = [max(map(len, column)) for column in columns]
        for at, key in enumerate([title, *keys]):
            cells = (column[at].rjust(size) for column, size in zip(columns, sizes, strict=True))
            yield GAP.join([key + " " * (first - _cells(key)), *cells]).rstrip()
    if block.count > len(keys):
        yield f"… and {block.count - len(keys):,} more {title}"


def _groups(columns: Sequence[list[str]], width: int) -> Iterator[list[list[str]]]:
    """Yield neighbouring columns that fit into `width` together; one that does not fit stands alone."""
    group: list[list[str]] = []
    used = 0
    for column in columns:
        size = max(map(len, column)) + len(GAP)
        if group and used + size > width:
            yield group
            group, used = [], 0
        group.append(column)
        used += size
    if group:
        yield group


def _texts(column: Column, rows: int) -> list[str]:
    """Return a column's numbers as text, six digits each; a dash where a series has no such statistic."""
    there = column.present if column.present is not None else b"\1" * rows
    return [_number(column.values[row]) if there[row] else "–" for row in range(rows)]


def _number(value: float) -> str:
    return to_text(float(f"{value:.6g}")) if abs(value) < 1e6 else to_text(round(value, 1))  # noqa: PLR2004 six digits


def _short(key: str) -> str:
    """Return a key that fits and prints: control characters replaced, the middle cut out when it is long."""
    shown = "".join(character if character.isprintable() else "�" for character in key)
    half = (LONGEST - 1) // 2
    return shown if len(shown) <= LONGEST else f"{shown[:half]}…{shown[-half:]}"


def _cells(text: str) -> int:
    """Return how many cells of a terminal the text takes: wide characters two, combining ones none."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(bool(unicodedata.combining(character)) for character in text)
