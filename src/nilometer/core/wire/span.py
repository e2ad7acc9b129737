"""Spans as JSON: an object of named fields where each lies alone, lists of values where many lie together.

::

    {"trace": "4e3e0ec6293840b1850409eb1d4b0dee", "id": "850409eb1d4b0dee", "parent": "", "name": "GET /v1/tables",
     "start": 1795413600000000000, "end": 1795413600012345678, "kind": "server", "service": "tables"}

Rules:

* Times are whole ns since the epoch. Fields that are as they usually are, are left out of an object; only `trace`, `id`, `name`
  and `start` must be there. `encode` writes a list of rows, each with every field in the order of `Span`.
* What comes in is bounded, and checked: whatever is no such span is an `InputError` that names the field.
* Attributes hold what JSON can hold. Whatever else they hold is written as its text, NaN and infinities too.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from nilometer.core.errors import InputError
from nilometer.core.traces.ids import LONGEST
from nilometer.core.traces.span import KINDS, PARTS, STATUSES, Link, Span, SpanEvent
from nilometer.core.wire.bounded_json import kind, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FIELDS = Span._fields
DEFAULTS = Span._field_defaults
SIMPLE = frozenset((str, int, bool))
"""Types whose values JSON holds as they are."""
WORDS = {"kind": KINDS, "status": STATUSES, "part": PARTS}
TIMES = ("start", "end")
OBJECTS = ("attributes", "resource")
NESTED = ("events", "links", "notes")
ROW = tuple(
    int if name in TIMES else dict if name in OBJECTS else list if name in NESTED else str for name in FIELDS
)  # fmt: skip
"""What a row holds, by type."""
EMPTY: dict[type, Any] = {int: 0, dict: {}, list: [], str: ""}
"""What a field is that is not there: nobody changes what a span holds, so they may share it."""
USUAL = tuple(
    (name, DEFAULTS[name] if isinstance(DEFAULTS.get(name), str) else EMPTY[like])
    for name, like in zip(FIELDS, ROW, strict=True)
)
NEEDED = {"trace", "id", "name", "start"}
END = FIELDS.index("end")
ENDS = -(1 << 63), (1 << 63) - 1
"""The first and the last ns that databases hold: the years 1677 and 2262."""
BATCH = 64 << 20
"""Bytes of a list of spans, at most."""


# -- writing -----------------------------------------------------------------------------------------------------------


def as_object(span: Span) -> dict[str, Any]:
    """Return the span's fields by name, without those that are as usual. It shares what it holds with the span."""
    return {name: plain(name, value) for name, value in zip(FIELDS, span, strict=True) if value != DEFAULTS.get(name, ...)}


def plain(name: str, value: Any) -> Any:  # noqa: ANN401 any field of a span
    """Return a field's value as JSON has it."""
    if name in ("events", "links"):
        return [[*each[:-1], dict(each[-1])] for each in value]
    return [dict(note) for note in value] if name == "notes" else dict(value) if isinstance(value, Mapping) else value


def encode(spans: Iterable[Span]) -> bytes:
    """Return spans as a list of rows, in UTF-8."""
    return text([[plain(name, value) for name, value in zip(FIELDS, span, strict=True)] for span in spans])


def text(value: object) -> bytes:
    """Return a value as JSON in ASCII; what JSON cannot hold as text."""
    try:
        return ENCODER.encode(value).encode()
    except (ValueError, TypeError, RecursionError):
        return ENCODER.encode(sound(value)).encode()


def sound(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 any value
    """Return a value as one that JSON can hold: what it cannot hold, or what lies too deep, as text."""
    if type(value) in SIMPLE or value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int | float):
        return value if isinstance(value, int) or math.isfinite(value) else str(value)
    if depth < 50 and isinstance(value, Mapping):  # noqa: PLR2004 deeper than anything readable, and less than may come in
        return {
            name if type(name) is str else str(name): inner if type(inner) in SIMPLE else sound(inner, depth + 1)
            for name, inner in value.items()
        }
    if depth < 50 and isinstance(value, list | tuple):  # noqa: PLR2004 as above
        return [sound(inner, depth + 1) for inner in value]
    return _told(value)


def _told(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 an object of the application, which may raise whatever it likes
        return f"<{type(value).__name__}>"


ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=_told)


# -- reading -----------------------------------------------------------------------------------------------------------


def from_object(found: object) -> Span:
    """Return the span that an object of JSON tells of. Raise `InputError` naming what is wrong."""
    if not isinstance(found, dict):
        _wrong(f"is {kind(found)} where an object is wanted")
    if not found.keys() >= NEEDED:
        _wrong(f"lacks {next(name for name in FIELDS if name in NEEDED - found.keys())}")
    row = [found.get(name, usual) for name, usual in USUAL]
    if "end" not in found:
        row[END] = found["start"]
    return _from_row(row)


def decode(data: bytes, largest: int = BATCH) -> list[Span]:
    """Return the spans that `encode` made these bytes of. Raise `InputError` for anything else."""
    found = read(data, largest)
    if not isinstance(found, list):
        _wrong(f"stands in {kind(found)} where a list is wanted")
    return [_from_row(row) for row in found]


def _from_row(row: object) -> Span:
    if not isinstance(row, list) or len(row) != len(FIELDS):
        _wrong(f"is no row of {len(FIELDS)} values")
    if tuple(map(type, row)) != ROW:
        _mistyped(row)
    for at in NESTINGS:
        row[at] = READERS[at](row[at]) if row[at] else ()
    return checked(Span._make(row))


def checked(span: Span) -> Span:
    """Return a span whose fields have the right types. Raise `InputError` for one that cannot be."""
    if not ENDS[0] <= span.start <= span.end <= ENDS[1]:
        _wrong("has times in which no span can be, or ends before it starts")
    if span.kind not in KINDS or span.status not in STATUSES or span.part not in PARTS:
        wrong = next(name for name, words in WORDS.items() if getattr(span, name) not in words)
        _wrong(f"has no {wrong} like {getattr(span, wrong)[:60]!r}")
    if not (0 < len(span.trace) <= LONGEST and 0 < len(span.id) <= LONGEST and len(span.parent) <= LONGEST):
        _wrong(f"needs a trace and an id, of {LONGEST} characters at most")
    return span


def _mistyped(row: Sequence[object]) -> NoReturn:
    name, value, wanted = next(each for each in zip(FIELDS, row, ROW, strict=True) if type(each[1]) is not each[2])
    words = {int: "a whole number", dict: "an object", list: "a list", str: "a text"}
    _wrong(f"has {kind(value)} as its {name} where {words[wanted]} is wanted")


def _events(found: Sequence[Any]) -> tuple[SpanEvent, ...]:
    for each in found:
        if not isinstance(each, list) or tuple(map(type, each)) != (int, str, dict) or not ENDS[0] <= each[0] <= ENDS[1]:
            _wrong("has an event that is not time, name and attributes")
    return tuple(SpanEvent(*each) for each in found)


def _links(found: Sequence[Any]) -> tuple[Link, ...]:
    for each in found:
        if not isinstance(each, list) or tuple(map(type, each)) != (str, str, dict):
            _wrong("has a link that is not trace, id and attributes")
    return tuple(Link(*each) for each in found)


def _notes(found: Sequence[Any]) -> tuple[Mapping[str, Any], ...]:
    if not all(isinstance(each, dict) for each in found):
        _wrong("has a note that is no object")
    return tuple(found)


NESTINGS = tuple(map(FIELDS.index, NESTED))
READERS = dict(zip(NESTINGS, (_events, _links, _notes), strict=True))


def _wrong(reason: str) -> NoReturn:
    message = f"a span {reason}"
    raise InputError(message) from None
