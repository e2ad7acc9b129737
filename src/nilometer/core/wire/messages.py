"""Which format a message from a bus or over HTTP is in, and the event that it holds.

Told apart in this order:

1. CloudEvents by the content type ``application/cloudevents+json``, or by a header ``specversion`` with the prefix of its bus;
2. fedora-messaging by its headers;
3. by what the object of the body has: oslo notifications (``event_type`` and ``payload``, or ``oslo.version``), CloudEvents
   (``specversion``), the record form of fedora-messaging (``topic``, ``headers``, ``body``), fedmsg (``topic``, ``msg``,
   ``msg_id``), our own events (``type``).

Rules: whatever is none of these, or a wrong one, is an `InputError`; nothing else is raised. Bodies are bounded in
`bounded_json`. A message without an id of its own has one made of topic and body: the same when it is delivered again.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NoReturn

from nilometer.core.errors import InputError
from nilometer.core.wire import bounded_json, cloudevents, fedora, notification
from nilometer.core.wire import event as events

if TYPE_CHECKING:
    from nilometer.core.record import Event, Message

SHOWN = 8
"""Names that a message about an unknown object shows, at most."""


def decode(message: Message) -> Event:
    """Return the event that a message holds. Raise `InputError`."""
    if is_type(message, cloudevents.BATCH):
        _wrong("a batch of CloudEvents where one event is wanted")
    if is_type(message, cloudevents.STRUCTURED):
        return cloudevents.decode(message.body, time=message.time)
    if "specversion" in cloudevents.attributes_of(message.headers):
        return cloudevents.decode_binary(message.headers, message.content_type, message.body, time=message.time)
    if fedora.is_message(message.headers):
        return fedora.decode(message.topic, message.headers, message.body, id=_id(message), time=message.time)
    found = bounded_json.read_object(message.body)
    return from_object(found, time=message.time, id=_id(message))


def decode_all(message: Message, largest: int) -> list[Event]:
    """Return the events of a message that may be a list of them, in at most so many bytes of JSON.

    Raise `InputError`, saying which one is wrong. Those without an id have the message's, with their place after it.
    """
    if not (is_type(message, cloudevents.BATCH) or message.body.lstrip()[:1] == b"["):
        return [decode(message)]
    found = bounded_json.read(message.body, largest)
    if not isinstance(found, list):
        _wrong(f"a batch is a list, not {bounded_json.kind(found)}")
    return [_numbered(each, message, number) for number, each in enumerate(found)]


def from_object(found: Any, *, time: float, id: str) -> Event:  # noqa: A002, ANN401 the field's own word; whatever JSON it is
    """Return the event of parsed JSON, of any format. Raise `InputError`."""
    if not isinstance(found, dict):
        _wrong(f"an event is an object, not {bounded_json.kind(found)}")
    if notification.is_notification(found):
        return notification.from_object(found, time=time)
    if "specversion" in found:
        return cloudevents.from_object(found, time=time)
    if fedora.is_record(found):
        return fedora.from_record(found, time=time)
    if fedora.is_envelope(found):
        return fedora.from_envelope(found, time=time)
    if "type" not in found:
        names = ", ".join(repr(name[:40]) for name in list(found)[:SHOWN]) or "no name at all"
        _wrong(f"no event of a known format: its object has {names}")
    return events.from_object(found, time=time, id=id)


def is_type(message: Message, content_type: str) -> bool:
    """Say whether a message is of this media type, whatever its parameters are."""
    return message.content_type.partition(";")[0].strip().lower() == content_type


def _numbered(found: object, message: Message, number: int) -> Event:
    try:
        return from_object(found, time=message.time, id=f"{_id(message)}-{number}")
    except InputError as error:
        _wrong(f"number {number} of the list: {error}")


def _id(message: Message) -> str:
    if message.id:
        return message.id
    topic = message.topic.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(topic + b"\n" + message.body, digest_size=16).hexdigest()


def _wrong(reason: str) -> NoReturn:
    raise InputError(reason) from None
