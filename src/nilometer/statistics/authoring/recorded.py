"""Messages that somebody recorded in a file, read as a bus would bring them.

Rules:

* A file holds JSON: a message a line, a list of messages, or an object with such a list under ``raw_messages`` (what
  datagrepper answers) or ``messages``. Each is of any format that `nilometer.core.wire.messages` knows, or lies in an object
  under ``message``.
* One that is none is named by its number, with what is wrong; the others count. One whose id came before counts once.
* All come from a bus, at the time at which they were sent: a delay is 0, and nothing is too old.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nilometer.core.errors import InputError
from nilometer.core.statistics.message import of_event
from nilometer.core.wire import bounded_json
from nilometer.core.wire.event import text
from nilometer.core.wire.messages import from_object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.core.record import Event
    from nilometer.core.statistics import Message

LARGEST = 1 << 30
"""Bytes of a file."""
LISTS = ("raw_messages", "messages")
WRAPPED = "message"
NAMES = {"topic", "type", "event_type", "specversion"}
"""One of these stands in each message that lies in no other object."""
LOOKED_AT = 100
"""Lines among which one must be a message, for each to be one."""


@dataclass(slots=True)
class Recorded:
    """The messages of a file, numbered by their places in it; what is wrong with others, and how many came twice."""

    messages: list[Message] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    again: int = 0


def read(data: bytes, now: float) -> Recorded:
    """Return what a file holds; `now` is the time of messages that say none. Raise `InputError` for what holds none."""
    found, known = Recorded(), set()
    for number, each in enumerate(_entries(data), 1):
        try:
            event = _event(each, now)
        except InputError as error:
            found.wrong.append(f"message {number}: {error}")
            continue
        if event.id in known:
            found.again += 1
            continue
        known.add(event.id)
        found.messages.append(of_event(event, arrived=event.time, archived=False, number=number))
    return found


def _entries(data: bytes) -> Iterator[bytes]:
    """Yield the JSON of each message."""
    if len(data) > LARGEST:
        message = f"{len(data)} bytes are more than the {LARGEST} allowed; take a part of it"
        raise InputError(message)
    lines = [line for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
    try:
        whole = json.loads(b"\n".join(lines).decode()) if lines else []
    except (ValueError, RecursionError) as error:
        if not any(map(_is_object, lines[:LOOKED_AT])):
            message = f"holds neither a list of messages nor a message a line: {error}"
            raise InputError(message) from error
        yield from lines
    else:
        yield from (json.dumps(each).encode() for each in _listed(whole))


def _is_object(line: bytes) -> bool:
    """Say whether a line is an object by itself: then each line is a message."""
    try:
        return bool(bounded_json.read_object(line))
    except InputError:
        return False


def _listed(found: Any) -> list[Any]:  # noqa: ANN401 whatever JSON it is
    """Return the messages of a list, or of an object that holds one; or the only one."""
    lists = [found, *(found.get(name) for name in LISTS)] if isinstance(found, dict) else [found]
    return next((each for each in lists if isinstance(each, list)), [found])


def _event(entry: bytes, now: float) -> Event:
    """Return the event of a message. Raise `InputError`."""
    found = bounded_json.read(entry)
    inner = found.get(WRAPPED) if isinstance(found, dict) else None
    if isinstance(inner, dict) and not NAMES & found.keys():
        found = inner
    return from_object(found, time=now, id=hashlib.blake2b(text(found), digest_size=16).hexdigest())
