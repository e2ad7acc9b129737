"""Who sends the most: names, sources, and what is refused, over the last finished window and the open one.

Rules:

* A name's updates are counted beside its series. Of a finished window only the greatest are kept.
* Sources and refusals are counted by the Space-Saving algorithm, whose memory is bounded: where all places are taken, a new
  key takes the place of the least, and inherits its count. No count is too low, and none is too high by more than the sum
  of all counts divided by the number of places.

Source: A. Metwally, D. Agrawal, A. El Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data Streams", 2005.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from nilometer.ingest.inspection import MOST_NAMES, MOST_REFUSED, MOST_SOURCES, Top, TopName, TopRefused, TopSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nilometer.core.record import Kind

K = TypeVar("K")


class Place(NamedTuple, Generic[K]):
    """A key, how often it was counted, and a note of when it took this place."""

    key: K
    times: int
    note: str


class SpaceSaving(Generic[K]):
    """The keys with the greatest counts, in a bounded number of places."""

    __slots__ = ("_by_key", "_most", "places")

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_key: dict[K, int] = {}
        self.places: list[Place[K]] = []

    def add(self, key: K, count: int, note: str = "") -> None:
        """Count a key `count` times."""
        at = self._by_key.get(key)
        if at is not None:
            self.places[at] = Place(key, self.places[at].times + count, self.places[at].note)
        elif len(self.places) < self._most:
            self._by_key[key] = len(self.places)
            self.places.append(Place(key, count, note))
        else:
            self._replace_least(key, count, note)

    def _replace_least(self, key: K, count: int, note: str) -> None:
        least = min(self.places, key=lambda place: place.times)
        at = self._by_key.pop(least.key)
        self._by_key[key] = at
        self.places[at] = Place(key, least.times + count, note)


class Talkers:
    """What one window knows of those who send."""

    __slots__ = ("refused", "sources", "updates")

    def __init__(self) -> None:
        self.updates: Counter[tuple[Kind, str]] = Counter()
        self.sources: SpaceSaving[str] = SpaceSaving(MOST_SOURCES)
        self.refused: SpaceSaving[tuple[str, str]] = SpaceSaving(MOST_REFUSED)

    def finish(self, order: Iterable[tuple[Kind, str]]) -> Talkers:
        """Keep only the busiest names; `order` is that of all series."""
        self.updates = Counter(dict(greatest(in_order(self.updates, order), MOST_NAMES)))
        return self


def in_order(updates: Mapping[tuple[Kind, str], int], order: Iterable[tuple[Kind, str]]) -> dict[tuple[Kind, str], int]:
    """Return the updates in order of kinds and of the series' first arrival."""
    return {each: updates[each] for each in order if each in updates}


def greatest(counts: Mapping[K, int], most: int) -> list[tuple[K, int]]:
    """Return the greatest counts, greatest first; equal ones stay in their order."""
    return sorted(counts.items(), key=lambda item: -item[1])[:most]


def top(finished: Talkers, opened: Talkers, order: Iterable[tuple[Kind, str]], most: int) -> Top:
    """Put the finished window and the open one, whose series stand in `order`, together."""
    names = Counter(finished.updates)
    names.update(in_order(opened.updates, order))
    sources, refused, lines = Counter[str](), Counter[tuple[str, str]](), dict[tuple[str, str], str]()
    for window in (finished, opened):
        for source in window.sources.places:
            sources[source.key] += source.times
        for each in window.refused.places:
            refused[each.key] += each.times
            lines.setdefault(each.key, each.note)
    return Top(
        [TopName(*name, count) for name, count in greatest(names, most)],
        [TopSource(source, count) for source, count in greatest(sources, most)],
        [TopRefused(*pair, count, lines[pair]) for pair, count in greatest(refused, most)],
    )


def host(source: str) -> str:
    """Return the address of a source ``host:port`` without its port; a path or a name as it is."""
    address, colon, port = source.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or source.startswith(("/", "@")):
        return source
    return address.removeprefix("[").removesuffix("]")
