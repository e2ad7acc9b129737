"""A metric: ``name:value|type`` with fields in any order behind it, and more values behind those.

Rules:

* The name ends at the first ``:``. A value ends at ``|``, its type at ``|`` or ``:``, a rate ``@r`` too; other fields end
  at ``|``. What follows a ``:`` is the next value: ``name:1|c:2|ms|@0.5:3|g``.
* Several numbers may be packed into a value, ``1:2:3``; empty ones are skipped. A set's member is one text, colons included.
* Fields: ``@rate`` (above 0, at most 1), ``#tag,tag``, ``Ttimestamp``, ``c:container``, ``e:external data``,
  ``card:cardinality``. Each may be given once; all but the rate belong to the whole line.
* Unknown fields are ignored. A word in lower case without a ``:`` is no field of a future version but a mistake; so is a
  line that ends in ``|`` with no field at all.
* Numbers are read as statsd reads them, but finite; only ``ms`` may not be negative.
"""

from __future__ import annotations

import math
import re
from typing import Any

from nilometer.core.record import Kind
from nilometer.core.wire.key import clean
from nilometer.core.wire.number import WHITESPACE, from_text
from nilometer.ingest._reference.dialects import names
from nilometer.ingest._reference.reading import (
    BAD_NUMBER,
    BAD_RATE,
    INFINITE,
    NEGATIVE,
    NO_TYPE,
    UNKNOWN_TYPE,
    Reading,
    Refusal,
    RefusedError,
    Sample,
    Value,
)

TYPES = {
    "c": ("counter", Kind.COUNTER),
    "g": ("gauge", Kind.GAUGE),
    "ms": ("timer", Kind.TIMER),
    "h": ("timer", Kind.TIMER),
    "d": ("distribution", Kind.TIMER),
    "s": ("set", Kind.SET),
}
EXTRAS = {"c": "container", "e": "external", "card": "cardinality"}
LAST_SECOND = 253_402_300_799
"""The end of the year 9999."""
MARKS = {marks: re.compile(f"[{marks}]") for marks in (":|", "|")}
TIMESTAMP, RATE = re.compile("[0-9]{1,12}"), re.compile("[0-9.]")

NO_VALUE, NO_NAME, MIXED = "no value", "no name", "tags in two styles"
NO_FIELD, TWICE, BAD_TIMESTAMP, BAD_FIELD = "nothing behind the |", "a field is given twice", "bad timestamp", "bad field"


class Scanner:
    """Cuts a text at marks. `mark` is the last one found, empty at the end of the text."""

    def __init__(self, text: str, start: int) -> None:
        self.text, self.at, self.mark = text, start, ""

    def until(self, marks: str) -> str:
        """Return the text up to one of the marks, and stand behind it."""
        start = self.at
        found = MARKS[marks].search(self.text, start)
        end = found.start() if found else len(self.text)
        self.mark, self.at = self.text[end : end + 1], end + 1
        return self.text[start:end]


class Fields:
    """What the fields of a line say."""

    def __init__(self) -> None:
        self.tags: tuple[str, ...] = ()
        self._found: dict[str, Any] = {}

    @property
    def extras(self) -> dict[str, Any]:
        """What is neither tags nor rate, in a fixed order."""
        return {name: self._found[name] for name in ("timestamp", *EXTRAS.values()) if name in self._found}

    def take(self, field: str) -> None:
        """Read one field. Raise `RefusedError` for a bad one."""
        mark, (word, colon, value) = field[:1], field.partition(":")
        if mark == "#":
            self._once("tags", "")
            self.tags = names.listed(field[1:])
        elif mark == "T":
            self._once("timestamp", timestamp(field[1:]))
        elif colon and word in EXTRAS:
            if not value:
                raise RefusedError(BAD_FIELD)
            self._once(EXTRAS[word], value)
        elif not colon and "a" <= mark <= "z":
            raise RefusedError(BAD_FIELD)

    def _once(self, name: str, value: object) -> None:
        if name in self._found:
            raise RefusedError(TWICE)
        self._found[name] = value


def timestamp(text: str) -> int:
    """Read seconds since the epoch. Raise `RefusedError`."""
    if not TIMESTAMP.fullmatch(text) or not 1 <= int(text) <= LAST_SECOND:
        raise RefusedError(BAD_TIMESTAMP)
    return int(text)


def read(line: str, styles: str, *, absolute: bool, sanitize: bool) -> Reading:
    """Return what a metric means. Raise `RefusedError` when all of it is bad."""
    scanner = Scanner(line, 0)
    written = scanner.until(":|")
    if scanner.mark != ":":
        raise RefusedError(NO_VALUE)
    name, own_tags = names.split(written, styles)
    if not name:
        raise RefusedError(NO_NAME)
    fields = Fields()
    values = []
    while scanner.mark == ":":
        values.append(_value(scanner, fields, absolute=absolute))
    if own_tags and fields.tags:
        raise RefusedError(MIXED)
    tags = own_tags or fields.tags
    key = names.join(name, tags)
    if sanitize:
        name, key = clean(name), clean(key)
    return Reading(name, tags, key, tuple(values), fields.extras)


def _value(scanner: Scanner, fields: Fields, *, absolute: bool) -> Value | Refusal:
    """Read a value with its fields. Raise `RefusedError` for a bad field."""
    start = scanner.at
    text = scanner.until("|")
    if not scanner.mark:
        return Refusal(text, NO_TYPE)
    type_ = scanner.until(":|").strip(WHITESPACE)
    rate = _fields(scanner, fields) if scanner.mark == "|" else None
    judged = _judge(text, type_, 1.0 if rate is None else _rate(rate), absolute=absolute)
    return judged if isinstance(judged, Value) else Refusal(scanner.text[start : scanner.at - 1].replace("|", ","), judged)


def _fields(scanner: Scanner, fields: Fields) -> str | None:
    """Read the fields of a value. Return its rate as written."""
    rate, any_field = None, False
    while scanner.mark == "|":
        if scanner.text[scanner.at : scanner.at + 1] == "@":
            if rate is not None:
                raise RefusedError(TWICE)
            rate = scanner.until(":|")[1:]
            any_field = True
        else:
            field = scanner.until("|")
            fields.take(field)
            any_field = any_field or bool(field)
    if not any_field:
        raise RefusedError(NO_FIELD)
    return rate


def _rate(text: str) -> float | None:
    """Return a sample rate, None for a bad one."""
    rate = from_text(text) if RATE.match(text) else None
    return rate if rate is not None and 0 < rate <= 1 and math.isfinite(1 / rate) else None


def _judge(text: str, type_: str, rate: float | None, *, absolute: bool) -> Value | str:
    if type_ not in TYPES:
        return UNKNOWN_TYPE
    if rate is None:
        return BAD_RATE
    word, kind = TYPES[type_]
    if kind is Kind.SET:
        return Value(word, rate, (Sample(kind, 0.0, 1 / rate, text or "0"),))
    samples = []
    for piece in filter(None, text.split(":")) if ":" in text else [text]:
        number = from_text(piece)
        if number is None or not math.isfinite(number):
            return BAD_NUMBER if number is None else INFINITE
        if type_ == "ms" and number < 0:
            return NEGATIVE
        change = kind is Kind.GAUGE and not absolute and piece.startswith(("+", "-"))
        samples.append(Sample(kind, number, 1 / rate, piece, change))
    return Value(word, rate, tuple(samples))
