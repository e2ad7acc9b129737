"""The functions of the language, a file for each family; `TABLE` has them by name."""

from __future__ import annotations

from nilometer.query.functions import (
    aliases,
    combine,
    draw,
    filters,
    forecast,
    group,
    make,
    maths,
    pairs,
    percent,
    shift,
    slopes,
    sort,
    special,
    summarize,
    windows,
)
from nilometer.query.functions.table import TABLE

__all__ = [
    "TABLE",
    "aliases",
    "combine",
    "draw",
    "filters",
    "forecast",
    "group",
    "make",
    "maths",
    "pairs",
    "percent",
    "shift",
    "slopes",
    "sort",
    "special",
    "summarize",
    "windows",
]
