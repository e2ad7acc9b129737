"""Traces in the terminal: durations, bars, and the tree of one trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nilometer.core.show import printable
from nilometer.traces.critical import critical
from nilometer.traces.ordering import ordered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nilometer.core.traces.span import Span

MICRO, MS, SECOND = 1000, 1_000_000, 1_000_000_000
EIGHTHS = " ▏▎▍▌▋▊▉█"
DEEPEST = 20
"""Levels that are indented; deeper ones stand below them, with their level as a number."""
NARROWEST, WIDEST = 20, 60
"""Columns of the bars."""
REST = 12
"""Columns of a duration and its spaces."""


def took(duration: int) -> str:
    """Return a duration in ns as people write it, with three digits."""
    for unit, name in ((SECOND, "s"), (MS, "ms"), (MICRO, "µs")):
        if duration >= unit:
            value = duration / unit
            return f"{value:.3g} {name}" if value < 100 else f"{value:.0f} {name}"  # noqa: PLR2004 three digits
    return f"{duration} ns"


def bar(offset: int, duration: int, whole: int, width: int) -> str:
    """Return a bar of `width` columns that stands for a whole, filled from an offset on for a duration."""
    if whole <= 0:
        return "█" * width
    begin = min(int(offset / whole * width), width - 1)
    eighths = max(round(duration / whole * width * 8), 1)
    filled = ("█" * (eighths // 8) + EIGHTHS[eighths % 8]).rstrip()[: width - begin]
    return (" " * begin + filled).ljust(width)


def tree(spans: Sequence[Span], width: int) -> Iterator[str]:
    """Yield the lines of a trace of at least one span: names, durations and bars, errors in red, the critical path marked."""
    start, end = min(span.start for span in spans), max(span.end for span in spans)
    path = critical(spans)
    bars = max(min(width // 3, WIDEST), NARROWEST)
    room = max(width - bars - REST - 4, 20)
    for span, depth, odd in ordered(spans):
        label = "  " * min(depth, DEEPEST) + (f"({depth}) " if depth > DEEPEST else "") + _label(span, odd)
        shown = label if len(label) <= room else label[: room - 1] + "…"
        filled = bar(span.start - start, span.duration, end - start, bars)
        mark = "●" if path.get(span.id) else " "
        line = f"{shown.ljust(room)} {took(span.duration):>9} {mark} {filled}"
        yield click.style(line.rstrip(), fg="red") if span.failed else line.rstrip()


def _label(span: Span, odd: str) -> str:
    told = f"{span.service}: {span.name}" if span.service else span.name or "(no name)"
    error = f" ✗ {span.error} {span.message}".rstrip() if span.failed else ""
    part = {"start": " (still open)", "stop": " (start unknown)"}.get(span.part, "")
    return printable(told + error + part + (f" ({odd})" if odd else "")).replace("\n", " ")
