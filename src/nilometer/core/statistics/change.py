"""The changes that a message makes to a statistic.

Rules:

* Changes commute, so neither their order nor batches matter: only that each is made once.
* A statistic has one kind of change, its `Kind`.
* `time` is seconds since the epoch, that of the message unless a plugin knows better; the statistic's window says which row it
  falls into. `key` has a word, or None, for each of the statistic's keys; `bounded` says what becomes of long ones.
* A `Tally` is what a batch of changes comes to: slots (labels of windows, `nilometer.core.statistics.window`) instead of times.
"""

from __future__ import annotations

import enum
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nilometer.core.sketch import Sketch

Key = tuple[str | None, ...]
LONGEST, LARGEST, SHORT = 255, 2000, 40
"""Characters of a word in a key, bytes of a key as JSON, and characters of a word that was cut."""

MOST_EXACT = float(1 << 53)
"""Numbers of this size, or beyond, no change may hold: what they are added to would not be exact."""


def bounded(key: Key) -> Key:
    """Return a key that every database can index: words too long are cut, and end in a digest; the rest is `storable`."""
    key = tuple(word and storable(word) for word in key)
    cut = tuple(_short(word) if word is not None and len(word) > LONGEST else word for word in key)
    if sum(map(len, filter(None, cut))) <= LONGEST or len(json.dumps(cut)) <= LARGEST:
        return cut
    return tuple(_short(word) if word is not None and len(word) > SHORT else word for word in cut)


def storable(text: str) -> str:
    """Return a text without what databases do not store: NUL becomes U+FFFD, half of a surrogate pair a question mark."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def _short(word: str) -> str:
    return f"{word[:SHORT]}…{hashlib.blake2b(word.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}"


class Kind(enum.StrEnum):
    """What a statistic keeps for each window and key."""

    SUM = "sum"
    DISTINCT = "distinct"
    DISTRIBUTION = "distribution"
    LATEST = "latest"


class Add(NamedTuple):
    """Add `amount` to a sum."""

    time: float
    key: Key = ()
    amount: float = 1


class Member(NamedTuple):
    """Count `member` among the distinct ones."""

    time: float
    key: Key
    member: str


class Sample(NamedTuple):
    """Note `value` in a distribution."""

    time: float
    key: Key
    value: float


class Latest(NamedTuple):
    """Keep `value` under the key unless a later one is there: by `time`, then by `id`."""

    time: float
    key: Key
    value: str
    id: str


Change = Add | Member | Sample | Latest


class Amount(NamedTuple):
    """A sum, and the time of the newest message that added to it."""

    amount: float
    newest: float


@dataclass(slots=True)
class Tally:
    """What a batch of changes comes to, for one statistic; one of the four is in use, by its kind.

    `sums`: by slot and key. `members`: which members there were, with the time of the newest message. `sketches`: of the
    samples, by slot and key. `latest`: by key.
    """

    sums: dict[tuple[int, Key], Amount] = field(default_factory=dict)
    members: dict[tuple[int, Key, str], float] = field(default_factory=dict)
    sketches: dict[tuple[int, Key], tuple[Sketch, float]] = field(default_factory=dict)
    latest: dict[Key, Latest] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Return whether there is any change."""
        return bool(self.sums or self.members or self.sketches or self.latest)
