"""What a line means: the words in which the readers of all dialects answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from nilometer.core.record import Kind

NO_TYPE, BAD_RATE, BAD_NUMBER = "no type", "bad sample rate", "not a number"
NEGATIVE, INFINITE, UNKNOWN_TYPE, TOO_LONG = "negative time", "not finite", "unknown type", "line too long"
CUT_OFF = "the end of its datagram was cut off: send shorter ones"


class Sample(NamedTuple):
    """One good number or set member.

    `weight` is 1 / sample rate; `text` is the value as written; `change` moves a gauge rather than sets it.
    """

    kind: Kind
    number: float
    weight: float
    text: str
    change: bool = False


class Value(NamedTuple):
    """One good ``value|type|@rate``: the type in words, and a sample for each number packed into it."""

    type: str
    rate: float
    samples: tuple[Sample, ...]


class Refusal(NamedTuple):
    """One bad value: its fields joined by commas, and why."""

    fields: str
    reason: str


class RefusedError(Exception):
    """The whole line is bad; the argument says why."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A line that was read. Of an event only `notice` is filled; of a service check also a gauge's key and value.

    `tags` stand as written and in order, ``name:value`` or ``name``; `key` is what its series is kept by.
    `extras` may hold ``timestamp`` (s since the epoch), ``container``, ``external`` and ``cardinality``.
    """

    name: str = ""
    tags: tuple[str, ...] = ()
    key: str = ""
    values: tuple[Value | Refusal, ...] = ()
    extras: dict[str, Any] = field(default_factory=dict)
    notice: dict[str, Any] | None = None
