"""One line, read as its dialect has it.

Rules:

* Dialect ``statsd`` is here: ``key:value|type|@rate|#tag,tag``, any number of values with colons between them. Text behind
  ``|#`` is tags; they join the key as ``;tag=value``, in the order given. Every type but ``ms``, ``g`` and ``s`` is a
  counter, and a value is judged by its type as written, before white space around the type is dropped. Bytes that are not
  UTF-8 become U+FFFD.
* All other dialects are in `dialects`; a line of theirs that is not UTF-8 is bad.
* Each value stands alone: a bad one is refused, its neighbours count.

Source: ``stats.js`` and ``lib/helpers.js`` of statsd 0.9 and 0.10.
"""

from __future__ import annotations

import math
import re

from nilometer.core.record import Kind
from nilometer.core.wire.key import clean
from nilometer.core.wire.number import WHITESPACE, from_text
from nilometer.ingest._reference import dialects
from nilometer.ingest._reference.reading import (
    BAD_NUMBER,
    BAD_RATE,
    NEGATIVE,
    NO_TYPE,
    Reading,
    Refusal,
    RefusedError,
    Sample,
    Value,
)
from nilometer.ingest.kernel import STATSD, understood

RATE = re.compile(r"@([0-9.]+)")
TYPES = {"ms": Kind.TIMER, "g": Kind.GAUGE, "s": Kind.SET}


def read(line: bytes, mode: str, *, sanitize: bool) -> Reading:
    """Return what a line means in a mode (see `understood`). What is bad as a whole is a single refusal."""
    dialect, absolute = understood(mode)
    if dialect == STATSD:
        return _statsd(line.decode("utf-8", "replace"), absolute=absolute, sanitize=sanitize)
    try:
        return dialects.read(line, dialect, absolute=absolute, sanitize=sanitize)
    except RefusedError as error:
        return Reading(values=(Refusal("", str(error)),))


def _statsd(line: str, *, absolute: bool, sanitize: bool) -> Reading:
    body, *more = line.split("|#", 2)
    name, *values = body.split(":")
    tags = tuple(more[0].split(",")) if more and more[0] else ()
    key = ";".join([name, *(tag.replace(";", "_", 1).replace(":", "=", 1) for tag in tags)])
    if sanitize:
        name, key = clean(name), clean(key)
    return Reading(name, tags, key, tuple(_value(value.split("|"), absolute=absolute) for value in values or ["1"]))


def _value(fields: list[str], *, absolute: bool) -> Value | Refusal:
    if len(fields) == 1:
        return Refusal(fields[0], NO_TYPE)
    rate = _rate(fields[2]) if len(fields) > 2 else 1.0  # noqa: PLR2004 value, type and rate
    judged = BAD_RATE if rate is None else _judge(fields[0], fields[1], rate, absolute=absolute)
    return judged if isinstance(judged, Value) else Refusal(",".join(fields), judged)


def _rate(field: str) -> float | None:
    """Return the rate of ``@rate``, None for a bad one.

    The whole field must be a number, yet only its leading digits and points count: ``@2e-1`` is a rate of 2.
    """
    match = RATE.match(field)
    return None if match is None or from_text(field[1:]) is None else float(match[1])


def _judge(text: str, type_: str, rate: float, *, absolute: bool) -> Value | str:
    kind = TYPES.get(type_.strip(WHITESPACE), Kind.COUNTER)
    weight = 1 / rate if rate else math.inf
    if type_ == "s":
        return Value(kind.value, rate, (Sample(kind, 0.0, weight, text or "0"),))
    number = from_text(text)
    if number is None:
        return BAD_NUMBER
    change = kind is Kind.GAUGE and not absolute and text.startswith(("+", "-"))
    if type_ == "ms" and number < 0:
        return NEGATIVE
    return Value(kind.value, rate, (Sample(kind, number, weight, text, change),))
