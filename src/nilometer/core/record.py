"""The records: what travels through a pipe. All are immutable.

A `Flush` is one finished window of metrics, kept in columns: 100,000 series cost a handful of objects, not 100,000.
An `Event` is something that happened, a `Message` what a bus brought. Spans are in `core/traces/span.py`.

Rules of a `Flush`:

* A `Block` holds series of one kind. `names` are their keys, UTF-8, joined by newlines (a key never holds one). A key is
  ``name`` or ``name;tag=value;tag=value``.
* A `Column` holds one statistic of every series in the block, in the order of `names`, as float64.
  `present`, where given, has one byte a series; zero says that the series has no such statistic in this window.
* Columns stand in the order in which their lines are sent. A statistic may stand in two columns whose series are disjoint
  (an idle timer's ``count_ps`` is sent before ``count``, a busy one's after it).
* A gauge has the single column ``value``; counters have ``rate`` (per second) and ``count``; sets have ``count``; timers
  have the statistics that the settings ask for, histogram bins as ``histogram.bin_<upper bound>``.
* With ``timers.sketch``, a block of timers has `sketches`, too: of each series the samples as `nilometer.core.sketch` encodes
  them, no bytes for an idle one. They merge, over time and over servers, into what percentiles are read from.
"""

from __future__ import annotations

import enum
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


class Kind(enum.StrEnum):
    """What a series measures."""

    COUNTER = "counter"
    TIMER = "timer"
    GAUGE = "gauge"
    SET = "set"


@dataclass(frozen=True, slots=True)
class Window:
    """The span of time that a flush covers.

    `start` and `end` are seconds since the epoch, `interval` the nominal flush interval in seconds. `end` is the time
    that sinks store; it stays what was planned when the flush itself is late.
    """

    start: float
    end: float
    interval: float

    @property
    def timestamp(self) -> int:
        """The whole second that sinks store, halves rounded up."""
        return int(self.end + 0.5)


@dataclass(frozen=True, slots=True)
class Column:
    """One statistic of every series of a block: float64 `values`, and which of them exist."""

    name: str
    values: Sequence[float]  # array('d') or memoryview of format 'd'
    present: bytes | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Series of one kind, in columns; `sketches`, where there are any, has one a series."""

    kind: Kind
    names: bytes
    count: int
    columns: tuple[Column, ...]
    sketches: tuple[bytes, ...] = ()

    def keys(self) -> list[str]:
        """Return the series' keys. Bytes that are not UTF-8 become U+FFFD."""
        return self.names.decode("utf-8", "replace").split("\n") if self.count else []


@dataclass(frozen=True, slots=True)
class Flush:
    """One finished window: the aggregates of every series, in blocks of columns.

    `processing_ms` is the time that aggregation took, in milliseconds.
    """

    window: Window
    blocks: tuple[Block, ...]
    processing_ms: float = 0.0

    @property
    def series(self) -> int:
        """How many series the flush holds."""
        return sum(block.count for block in self.blocks)

    def rows(self) -> Iterator[tuple[Kind, str, str, float]]:
        """Yield ``(kind, key, statistic, value)`` one by one. For tests and small flushes; sinks read columns."""
        for block in self.blocks:
            for index, key in enumerate(block.keys()):
                for column in block.columns:
                    if column.present is None or column.present[index]:
                        yield block.kind, key, column.name, column.values[index]


def block(kind: Kind, columns: Mapping[str, Iterable[float]], names: Iterable[str]) -> Block:
    """Build a block from plain Python values, every statistic present. Columns keep their order."""
    keys = list(names)
    if any("\n" in key for key in keys):
        message = "a name never holds a newline"
        raise ValueError(message)
    built = tuple(Column(name, array("d", values)) for name, values in columns.items())
    if any(len(column.values) != len(keys) for column in built):
        message = f"each column needs {len(keys)} values, one a name"
        raise ValueError(message)
    return Block(kind, "\n".join(keys).encode(), len(keys), built)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: a usage notification, a message on a bus.

    `time` is seconds since the epoch; `payload` and `context`, the request in which it happened, hold what JSON can hold.
    """

    id: str
    time: float
    type: str
    publisher: str = ""
    priority: str = "info"
    tenant: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """What came over a bus, as it came: nothing of its body is read yet.

    `time` is seconds since the epoch, of arrival; `topic` the routing key, subject or topic. `id` is the bus's own id, empty
    where it has none. `mark` is what the source knows the message by when it is settled.
    """

    topic: str
    body: bytes
    time: float
    id: str = ""
    headers: Mapping[str, Any] = field(default_factory=dict)
    content_type: str = ""
    redelivered: bool = False
    mark: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Points:
    """A flush laid out as plain paths: ``paths`` joined by newlines, one float64 for each, one timestamp for all."""

    timestamp: int
    paths: bytes
    values: Sequence[float]

    def items(self) -> Iterator[tuple[str, float]]:
        """Yield ``(path, value)`` one by one."""
        if len(self.values):
            yield from zip(self.paths.decode("utf-8", "replace").split("\n"), self.values, strict=True)
