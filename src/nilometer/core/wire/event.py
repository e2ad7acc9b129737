"""Events as plain JSON: the format of HTTP, buses and files wherever no other is asked for.

::

    {"id": "8a4e6e4c-…", "time": "2026-11-23T06:00:00.25Z", "type": "table.create.end", "publisher": "magnetodb.host1",
     "priority": "info", "tenant": "8c2d8a6c…", "payload": {"table_name": "Thread"}, "context": {"request_id": "req-1"}}

Rules:

* `encode` writes every field. What it writes `decode` reads as the same event, times to the nanosecond.
* When reading, only `type` must be there. `time` may be a number, too, of seconds since the epoch.
* What comes in is bounded: `checked`, which every format of events ends in, says how. A wrong event is an `InputError` that
  names the field.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NoReturn

from nilometer.core.errors import InputError, did_you_mean
from nilometer.core.record import Event
from nilometer.core.wire import rfc3339
from nilometer.core.wire.bounded_json import DEEPEST, kind, read_object

if TYPE_CHECKING:
    from collections.abc import Iterable

PRIORITIES = ("audit", "debug", "info", "warn", "error", "critical", "sample")
ALIASES = {"warning": "warn", "err": "error", "fatal": "critical"}
"""Other words that senders use."""
FIELDS = tuple(field.name for field in fields(Event))
SHORT, NEEDED, OBJECTS = ("id", "type", "publisher", "tenant"), ("id", "type"), ("payload", "context")
LONGEST = 255
"""Characters of id, type, publisher and tenant, at most: what every database indexes."""
UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)
CONTENT_TYPE = "application/json"


# -- writing -----------------------------------------------------------------------------------------------------------


def encode(event: Event) -> bytes:
    """Return the event as JSON, in UTF-8. Raise ValueError for a time outside the years 1 to 9999."""
    return text(as_object(event))


def encode_all(events: Iterable[Event]) -> bytes:
    """Return the events as one list of JSON. Raise as `encode` does."""
    return b"[" + b",".join(map(encode, events)) + b"]"


def check(event: Event) -> None:
    """Raise `InputError` for an event that could be written, but that `checked` would not let in again."""
    for name in SHORT:
        _short(name, getattr(event, name))
    for name in NEEDED:
        if not getattr(event, name):
            _wrong(f"needs {name}")
    if not rfc3339.FIRST <= event.time < rfc3339.AFTER_LAST:
        _wrong(f"has as its time {event.time!r}, which is no time between the years 1 and 9999")
    _priority(event.priority)
    for name in OBJECTS:
        if not isinstance(getattr(event, name), Mapping):
            _wrong(f"has an object as its {name}, not {kind(getattr(event, name))}")


def as_object(event: Event) -> dict[str, Any]:
    """Return the event's fields by name, the time as text. Raise as `encode` does."""
    found: dict[str, Any] = {name: getattr(event, name) for name in FIELDS}
    return found | {"time": rfc3339.encode(event.time)}


def text(value: object) -> bytes:
    """Return a value as JSON in UTF-8; what JSON cannot hold (NaN, a date, an object of a class) as text."""
    try:
        return ENCODER.encode(value).encode()
    except (TypeError, ValueError, RecursionError):
        return ENCODER.encode(plain(value)).encode("utf-8", "replace")


def plain(value: object, above: tuple[int, ...] = ()) -> Any:  # noqa: ANN401 whatever JSON can hold
    """Return the value made of what JSON can hold. What lies too deep, or within itself, is an ellipsis."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if not isinstance(value, Mapping | list | tuple | set | frozenset):
        return str(value)
    if id(value) in above or len(above) == DEEPEST:
        return "…"
    above = (*above, id(value))
    if isinstance(value, Mapping):
        return {str(name): plain(inner, above) for name, inner in value.items()}
    return [plain(inner, above) for inner in value]


# -- reading -----------------------------------------------------------------------------------------------------------


def decode(body: bytes, *, time: float, id: str) -> Event:  # noqa: A002 the field's own word
    """Return the event that the bytes hold; `time` and `id` where it has none of its own. Raise `InputError`."""
    return from_object(read_object(body), time=time, id=id)


def from_object(found: object, *, time: float, id: str) -> Event:  # noqa: A002 the field's own word
    """Return the event that parsed JSON holds; `time` and `id` where it has none of its own. Raise `InputError`."""
    if not isinstance(found, dict):
        _wrong(f"is an object, not {kind(found)}")
    if unknown := sorted(set(found) - set(FIELDS)):
        _wrong(f"has no field {unknown[0][:60]!r}{did_you_mean(unknown[0], FIELDS)}; it has {', '.join(FIELDS)}")
    given = {name: value for name, value in found.items() if value is not None}
    return checked(**{"id": id, **given, "time": _moment(given.get("time", time))})


def checked(  # noqa: PLR0913 the fields of an event
    *,
    id: object,  # noqa: A002 the field's own word
    time: float,
    type: object = "",  # noqa: A002 the field's own word
    publisher: object = "",
    priority: object = "info",
    tenant: object = "",
    payload: object = None,
    context: object = None,
) -> Event:
    """Return the event of these fields when all are such as events have. Raise `InputError` naming the one that is not."""
    for name, value in zip(NEEDED, (id, type), strict=True):
        if value == "":
            _wrong(f"needs {name}")
    return Event(
        id=_short("id", id),
        time=time,
        type=_short("type", type),
        publisher=_short("publisher", publisher),
        priority=_priority(priority),
        tenant=_short("tenant", tenant),
        payload=_object("payload", payload),
        context=_object("context", context),
    )


def priority_of(word: object) -> str:
    """Return the priority that a word of any case means, empty when it is none."""
    small = word.lower() if isinstance(word, str) else ""
    small = ALIASES.get(small, small)
    return small if small in PRIORITIES else ""


def _priority(word: object) -> str:
    found = priority_of(word)
    if not found:
        shown = repr(word[:60]) if isinstance(word, str) else kind(word)
        near = did_you_mean(word[:60], PRIORITIES) if isinstance(word, str) else ""
        _wrong(f"has as priority one of {', '.join(PRIORITIES)}, not {shown}{near}")
    return found


def _short(name: str, value: object) -> str:
    if not isinstance(value, str):
        _wrong(f"has a text as its {name}, not {kind(value)}")
    if len(value) > LONGEST:
        _wrong(f"has a {name} of at most {LONGEST} characters, not {len(value)}")
    if UNFIT.search(value):
        _wrong(f"has no control characters in its {name}")
    return value


def _object(name: str, value: object) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        _wrong(f"has an object as its {name}, not {kind(value)}")
    return value


def _moment(value: object) -> float:
    if isinstance(value, str):
        try:
            return rfc3339.decode(value)
        except InputError as error:
            _wrong(f"has a time: {error}")
    if isinstance(value, bool) or not isinstance(value, int | float) or not rfc3339.FIRST <= value < rfc3339.AFTER_LAST:
        _wrong("has as its time a text as RFC 3339 writes it, or a number of seconds since the epoch")
    return float(value)


def _wrong(reason: str) -> NoReturn:
    message = f"an event {reason}"
    raise InputError(message)
