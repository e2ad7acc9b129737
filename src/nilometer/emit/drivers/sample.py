"""What a source says when it is asked: gauges as they are, totals as what was added since it was asked before."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Source = Callable[[], "Iterable[Sample]"]


class Sample(NamedTuple):
    """One value: the kind ``g`` or ``c``, the whole name of its series."""

    kind: str
    stat: str
    value: float


class Totals:
    """Makes counters of totals that only grow: what was added since the time before; a total that shrank began anew."""

    def __init__(self) -> None:
        self._before: dict[str, float] = {}

    def added(self, stat: str, total: float) -> Sample:
        """Return what was added to a total; all of it the first time."""
        before = self._before.get(stat, 0)
        self._before[stat] = total
        return Sample("c", stat, total - before if total >= before else total)
