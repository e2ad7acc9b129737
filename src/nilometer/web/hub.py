"""Each flush, as it leaves, to everybody who follows it live. How following goes is in `following`.

Rules:

* Values come from the flush itself, under the paths that the store gives them: no sink is asked and none is waited for.
* Each follows at most `MOST_PATHS` paths.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.record import Flush
from nilometer.core.wire import render
from nilometer.web.following import Follower, Following

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nilometer.core.naming import Naming

MOST_PATHS = 100


class Update(NamedTuple):
    """What a follower learns of one flush.

    `time` is seconds since the epoch, `interval` seconds, `series` how many it has; `values` of the paths that are followed.
    """

    time: int
    interval: float
    series: int
    values: dict[str, float]


class Hub(Following[Flush, frozenset[str], Update]):
    """Hands flushes on to those who follow some paths."""

    def __init__(self, naming: Callable[[], Naming]) -> None:
        super().__init__()
        self._naming = naming

    def updates(
        self, record: Flush, followers: Sequence[Follower[frozenset[str], Update]]
    ) -> Iterable[tuple[Follower[frozenset[str], Update], Update]]:
        """Yield the values of each follower's paths."""
        wanted = frozenset[str]().union(*(follower.wanted for follower in followers))
        found = values(record, self._naming(), wanted)
        for follower in followers:
            own = {path: found[path] for path in follower.wanted if path in found}
            yield follower, Update(int(record.window.timestamp), record.window.interval, record.series, own)


def values(flush: Flush, naming: Naming, wanted: frozenset[str]) -> dict[str, float]:
    """Return the values of the paths that are wanted and in the flush."""
    if not wanted:
        return {}
    points = render.points(flush, naming)
    sought = {path.encode(): path for path in wanted}
    pairs = zip(points.paths.split(b"\n"), points.values, strict=False)
    return {sought[path]: value for path, value in pairs if path in sought}
