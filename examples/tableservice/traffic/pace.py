"""When requests come: at random around a rate that changes, as visitors do who know nothing of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator


class Phase(NamedTuple):
    """A stretch of time: how long at least and at most (seconds), and by how much there is more than usual."""

    name: str
    shortest: float
    longest: float
    factor: float


STEADY = Phase("steady", 8, 20, 1.0)
BURST = Phase("burst", 3, 7, 4.0)
QUIET = Phase("quiet", 5, 12, 0.15)
ROUND = (STEADY, BURST, STEADY, QUIET)


def gaps(rate: float, chance: random.Random) -> Iterator[float]:
    """Yield the seconds until the next request, and the next, for ever; `rate` is what comes in a second in steady times."""
    while True:
        for phase in ROUND:
            left = chance.uniform(phase.shortest, phase.longest)
            while left > 0:
                gap = chance.expovariate(rate * phase.factor)
                yield min(gap, left)
                left -= gap
