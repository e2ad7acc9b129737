"""Arithmetic over what is covered: intervals ``[begin, end)`` of time, in seconds since the epoch.

Rules:

* Where intervals overlap, the earlier `noted` holds: messages that were here first may be forgotten first.
* Intervals that touch become one when they were noted at about the same time (`GRIDS`), with the earlier `noted`. So an
  interval was noted when it says, or little later, and their number does not grow with every note.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.statistics.progress import Covered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
GRIDS = ((HOUR, 10 * MINUTE), (DAY, HOUR), (30 * DAY, DAY))
"""How exactly it is kept when something was noted: up to which age, before the last note, to how many seconds."""
LARGEST_GRID = 30 * DAY


class Span(NamedTuple):
    """The time from `begin` up to, not including, `end`."""

    begin: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return max(self.end - self.begin, 0.0)


def union(found: Iterable[Covered]) -> list[Covered]:
    """Return intervals in order, without overlaps; empty ones are left out."""
    parts: list[Covered] = []
    for each in sorted(found, key=lambda each: each.noted):
        parts += [Covered(*span, each.noted) for span in gaps(parts, each.begin, each.end)]
    last = max((each.noted for each in parts), default=0.0)
    merged: list[Covered] = []
    for each in sorted(parts):
        if merged and each.begin == merged[-1].end and _noted(each, last) == _noted(merged[-1], last):
            before = merged.pop()
            merged.append(Covered(before.begin, each.end, min(before.noted, each.noted)))
        else:
            merged.append(each)
    return merged


def _noted(each: Covered, last: float) -> tuple[float, float]:
    """Return when it was noted, as exactly as is kept."""
    grid = next((grid for age, grid in GRIDS if last - each.noted < age), LARGEST_GRID)
    return grid, each.noted // grid


def gaps(covered: Iterable[Covered | Span], begin: float, end: float) -> list[Span]:
    """Return what of ``[begin, end)`` is not covered, in order."""
    found, at = [], begin
    for each in sorted(covered):
        if each.end <= at:
            continue
        if each.begin >= end:
            break
        if each.begin > at:
            found.append(Span(at, each.begin))
        at = max(at, each.end)
    if at < end:
        found.append(Span(at, end))
    return found


def without(spans: Iterable[Span], gone: Iterable[Span]) -> list[Span]:
    """Return what is left of spans, which do not overlap, in order."""
    taken = list(gone)
    return sorted(itertools.chain.from_iterable(gaps(taken, *span) for span in spans))


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, those that touch or overlap as one."""
    found: list[Span] = []
    for each in sorted(spans):
        if found and each.begin <= found[-1].end:
            found[-1] = Span(found[-1].begin, max(found[-1].end, each.end))
        else:
            found.append(each)
    return found


def within(covered: Iterable[Covered], begin: float, end: float) -> Iterator[Covered]:
    """Yield the parts of what is covered that lie in ``[begin, end)``."""
    for each in covered:
        part = Covered(max(each.begin, begin), min(each.end, end), each.noted)
        if part.begin < part.end:
            yield part


def seconds(spans: Iterable[Span]) -> float:
    """Return how long spans are together."""
    return float(sum(span.seconds for span in spans))
