r"""Events and service checks, as DogStatsD has them.

Rules:

* ``_e{<bytes of title>,<bytes of text>}:title|text``, then fields in any order: ``d:timestamp``, ``h:hostname``,
  ``k:aggregation key``, ``p:normal`` or ``low``, ``s:source type``, ``t:info``, ``success``, ``warning`` or ``error``,
  ``#tag,tag``, ``c:``, ``e:``, ``card:``. A field given twice is bad. The title is not empty.
* ``_sc|name|status``, then fields in any order: ``d:``, ``h:``, ``#tag,tag``, ``m:message``, ``c:``, ``e:``, ``card:``. Of
  a field given twice the last counts. The status is 0 (OK), 1 (warning), 2 (critical) or 3 (unknown).
* ``\n`` in a text or message is a newline. Unknown fields are ignored, empty ones are bad.
* A service check is a gauge too: ``service_check.<name>``, with its tags and the tag ``host``.
"""

from __future__ import annotations

import re
from typing import Any

from nilometer.core.record import Kind
from nilometer.core.wire.key import clean
from nilometer.ingest._reference.dialects import names
from nilometer.ingest._reference.dialects.metrics import BAD_FIELD, NO_NAME, TWICE, timestamp
from nilometer.ingest._reference.reading import Reading, RefusedError, Sample, Value

LENGTHS = re.compile(r"([0-9]{1,9}),([0-9]{1,9})\}:")
COMMON = {"d": "timestamp", "h": "hostname", "c": "container", "e": "external", "card": "cardinality"}
EVENT_FIELDS = COMMON | {"k": "aggregation_key", "p": "priority", "s": "source_type", "t": "alert_type"}
CHECK_FIELDS = COMMON | {"m": "message"}
CHOICES = {"priority": ("normal", "low"), "alert_type": ("info", "success", "warning", "error")}
STATUSES = ("0", "1", "2", "3")
PREFIX = "service_check."

BAD_LENGTHS, WRONG_LENGTHS = "an event begins with _e{title length,text length}:", "title or text is not as long as said"
NO_TITLE, BAD_STATUS, BAD_CHOICE, EMPTY = (
    "no title",
    "the status is not 0, 1, 2 or 3",
    "unknown priority or alert type",
    "empty field",
)


def event(line: str) -> Reading:
    """Read what follows ``_e{``. Raise `RefusedError`."""
    match = LENGTHS.match(line)
    if match is None:
        raise RefusedError(BAD_LENGTHS)
    title_length, text_length = int(match[1]), int(match[2])
    if not title_length:
        raise RefusedError(NO_TITLE)
    body = line[match.end() :].encode()
    title, bar, rest = body[:title_length], body[title_length : title_length + 1], body[title_length + 1 :]
    text, fields = rest[:text_length], rest[text_length:]
    if bar != b"|" or len(text) < text_length or fields[:1] not in {b"", b"|"}:
        raise RefusedError(WRONG_LENGTHS)
    try:
        notice: dict[str, Any] = {"type": "event", "title": title.decode(), "text": lines(text.decode())}
    except UnicodeDecodeError as error:
        raise RefusedError(WRONG_LENGTHS) from error
    notice |= {"priority": "normal", "alert_type": "info", "tags": ()}
    found = _fields(fields.decode().split("|")[1:], EVENT_FIELDS, once=True)
    return Reading(notice=_notice(notice | found))


def check(line: str, *, sanitize: bool) -> Reading:
    """Read what follows ``_sc|``. Raise `RefusedError`."""
    name, *rest = line.split("|")
    if not name:
        raise RefusedError(NO_NAME)
    status, *fields = rest or [""]
    if status not in STATUSES:
        raise RefusedError(BAD_STATUS)
    found: dict[str, Any] = {"tags": ()} | _fields(fields, CHECK_FIELDS, once=False)
    hosts = [f"host:{found['hostname']}"] if "hostname" in found else []
    key = names.join(PREFIX + name, [*found["tags"], *hosts])
    if sanitize:
        key = clean(key)
    gauge = Value("gauge", 1.0, (Sample(Kind.GAUGE, float(status), 1.0, status),))
    notice = _notice({"type": "service_check", "name": name, "status": int(status)} | found)
    return Reading(key=key, values=(gauge,), notice=notice)


def _fields(fields: list[str], known: dict[str, str], *, once: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in fields:
        name, value = _field(field, known)
        if once and name in found:
            raise RefusedError(TWICE)
        if name:
            found[name] = value
    return found


def _field(field: str, known: dict[str, str]) -> tuple[str, Any]:
    """Return a field's name and value, an empty name for one that is not known."""
    word, colon, value = field.partition(":")
    if not field:
        raise RefusedError(EMPTY)
    if field.startswith("#"):
        return "tags", names.listed(field[1:])
    if not colon and "a" <= field[0] <= "z":
        raise RefusedError(BAD_FIELD)
    name = known.get(word, "") if colon else ""
    if name == "timestamp":
        return name, timestamp(value)
    if value not in CHOICES.get(name, (value,)):
        raise RefusedError(BAD_CHOICE)
    return name, lines(value) if name == "message" else value


def _notice(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {"tags": list(fields["tags"])}


def lines(text: str) -> str:
    """Return a text with its newlines, which are written as a backslash and an n."""
    return text.replace("\\n", "\n")
