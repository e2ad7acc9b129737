"""One line, read as statsd reads it: ``key:value|type|@rate|#tag,tag``, any number of values with colons between them.

Rules:

* Text behind ``|#`` is tags; they join the key as ``;tag=value``, in the order given.
* Each value stands alone: a bad one is refused, its neighbours count.
* In dialect ``statsd`` every type but ``ms``, ``g`` and ``s`` is a counter, and a value is judged by its type as written,
  before white space around the type is dropped. In dialect ``nilometer`` the known types are ``c``, ``g``, ``ms``, ``h``,
  ``d`` and ``s``; white space around them is dropped first, and a value or a rate that is not finite is refused.

Source: ``stats.js`` and ``lib/helpers.js`` of statsd 0.9 and 0.10.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.record import Kind
from nilometer.core.wire.key import clean
from nilometer.core.wire.number import WHITESPACE, from_text
from nilometer.ingest.kernel import STATSD

if TYPE_CHECKING:
    from collections.abc import Callable

RATE = re.compile(r"@([0-9.]+)")
STATSD_TYPES = {"ms": Kind.TIMER, "g": Kind.GAUGE, "s": Kind.SET}
NILOMETER_TYPES = STATSD_TYPES | {"c": Kind.COUNTER, "h": Kind.TIMER, "d": Kind.TIMER}

NO_TYPE, BAD_RATE, BAD_NUMBER = "no type", "bad sample rate", "not a number"
NEGATIVE, INFINITE, UNKNOWN_TYPE, TOO_LONG = "negative time", "not finite", "unknown type", "line too long"
CUT_OFF = "the end of its datagram was cut off: send shorter ones"


class Sample(NamedTuple):
    """One good value. `weight` is 1 / sample rate; `text` is the value as written, a set's member."""

    kind: Kind
    number: float
    weight: float
    text: str


class Refusal(NamedTuple):
    """One bad value: its fields joined by commas, and why."""

    fields: str
    reason: str


def read(line: str, dialect: str, *, sanitize: bool) -> tuple[str, list[Sample | Refusal]]:
    """Return the line's key and its values, good and bad, in order."""
    body, *more = line.split("|#", 2)
    key, *values = body.split(":")
    if more and more[0]:
        key += ";" + ";".join(_tag(tag) for tag in more[0].split(","))
    judge = _statsd_value if dialect == STATSD else _nilometer_value
    return clean(key) if sanitize else key, [_value(value.split("|"), judge) for value in values or ["1"]]


def _tag(tag: str) -> str:
    return tag.replace(";", "_", 1).replace(":", "=", 1)


def _value(fields: list[str], judge: Callable[[str, str, float], Sample | str]) -> Sample | Refusal:
    """Read one value; `judge` is the dialect's view of text, type and weight, and gives a sample or a reason."""
    if len(fields) == 1:
        return Refusal(fields[0], NO_TYPE)
    weight = _weight(fields[2]) if len(fields) > 2 else 1.0  # noqa: PLR2004 value, type and rate
    judged = BAD_RATE if weight is None else judge(fields[0], fields[1], weight)
    return judged if isinstance(judged, Sample) else Refusal(",".join(fields), judged)


def _weight(field: str) -> float | None:
    """Return 1 / rate of ``@rate``, None for a bad one.

    The whole field must be a number, yet only its leading digits and points count: ``@2e-1`` is a rate of 2.
    """
    match = RATE.match(field)
    if match is None or from_text(field[1:]) is None:
        return None
    rate = float(match[1])
    return 1 / rate if rate else math.inf


def _statsd_value(text: str, type_: str, weight: float) -> Sample | str:
    kind = STATSD_TYPES.get(type_.strip(WHITESPACE), Kind.COUNTER)
    if type_ == "s":
        return Sample(kind, 0.0, weight, text or "0")
    number = from_text(text)
    if number is None:
        return BAD_NUMBER
    return NEGATIVE if type_ == "ms" and number < 0 else Sample(kind, number, weight, text)


def _nilometer_value(text: str, type_: str, weight: float) -> Sample | str:
    kind = NILOMETER_TYPES.get(type_.strip(WHITESPACE))
    if kind is None or not math.isfinite(weight):
        return UNKNOWN_TYPE if kind is None else BAD_RATE
    if kind is Kind.SET:
        return Sample(kind, 0.0, weight, text or "0")
    number = from_text(text)
    if number is None:
        return BAD_NUMBER
    if not math.isfinite(number):
        return INFINITE
    return NEGATIVE if kind is Kind.TIMER and number < 0 else Sample(kind, number, weight, text)
