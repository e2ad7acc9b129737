"""What a kernel shows of itself while it works: the open window, who sends the most, and totals since the start.

Rules:

* To look changes nothing: the window goes on as if nobody had looked.
* All lists are bounded: by what the caller asks for, and by the constants here.
* A number belongs to a moment during the call; numbers of two series may belong to two moments.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nilometer.core.record import Kind

MOST_ITEMS = 1000
"""Samples of one timer, or members of one set, in a `Peeked`."""
MOST_NAMES = 1000
"""Names kept of a finished window for `Top`."""
MOST_SOURCES = 1000
"""Sources counted at a time by each reader, for `Top`."""
MOST_REFUSED = 200
"""Pairs of source and reason counted at a time by each reader, for `Top`."""


@dataclass(frozen=True, slots=True)
class Peeked:
    """Series of one kind as the open window has them, in order of first arrival.

    Series that the kernel keeps from earlier windows are among them, though they be idle: a counter with 0, a timer without
    samples, a set without members, a gauge with its value.

    `keys`, `values`: as many as there are series here. A value is a counter's sum so far, a gauge's value, the number of
    a timer's samples, the number of a set's distinct members.
    `samples`: timers alone have them: for each key the samples in order of arrival, the first `MOST_ITEMS`.
    `members`: sets alone have them: for each key the members in order of arrival, the first `MOST_ITEMS`.
    `count`: how many series there are of this kind, also those beyond the ones asked for.

    What several readers took in at the same time stands reader after reader. What a rule holds over several windows is
    shown with the open one's: its samples first, and so its members, but these in no order.
    """

    kind: Kind
    keys: list[str] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    samples: list[list[float]] = field(default_factory=list)
    members: list[list[str]] = field(default_factory=list)
    count: int = 0


class TopName(NamedTuple):
    """A series and how many values it took in."""

    kind: Kind
    key: str
    updates: int


class TopSource(NamedTuple):
    """An address without its port (a Unix socket's path), and how many lines came from it."""

    source: str
    lines: int


class TopRefused(NamedTuple):
    """How many values of a source were refused for one reason. `line` is the first of the lines, cut at 512 bytes."""

    source: str
    reason: str
    refused: int
    line: str


@dataclass(frozen=True, slots=True)
class Top:
    """Who sends the most, over the last finished window and the open one; the greatest first, equal ones by arrival.

    `names` are counted exactly, of the finished window the first `MOST_NAMES`: a name that was not among those lacks what it
    had then, which is at most what the last of those had.

    `sources` are counted by the Space-Saving algorithm (Metwally et al. 2005) with `MOST_SOURCES` places a reader: while there
    are no more sources than that, exactly; else each count is within 1/`MOST_SOURCES` of all lines. Reads from a stream are
    all counted. Of datagrams, the native kernel counts the first 4096 of each reader and window, then one in 64 at random,
    which stands for 64: of a source that sent n datagrams more, the count has a relative standard error of about 8/sqrt(n).

    `refused` counts every refused value, by the same algorithm with `MOST_REFUSED` places.
    """

    names: list[TopName] = field(default_factory=list)
    sources: list[TopSource] = field(default_factory=list)
    refused: list[TopRefused] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Totals:
    """What was counted since the kernel was made, the open window included; fields as those of `Tally`.

    `idle_seconds`: how long ago the last packet came (a datagram, or a read from a stream); since the kernel was made,
    when none has come.
    """

    packets: int = 0
    bytes: int = 0
    lines: int = 0
    bad_lines: int = 0
    idle_seconds: float = 0.0
