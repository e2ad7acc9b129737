"""Messages of Fedora's buses: fedora-messaging, and fedmsg before it.

fedora-messaging: over AMQP the topic is the routing key, the message's id a property, the body JSON, and headers say the rest;
its record form, which archives and files have, is an object of these: ``{"id", "topic", "headers", "body"}``.
fedmsg: an envelope of JSON, ``{"msg_id", "topic", "timestamp", "msg"}``.

========== ===========================================================================================================
event      message
========== ===========================================================================================================
id         the message's id; `msg_id`
time       `sent-at`, without one the time of arrival; `timestamp`, seconds since the epoch
type       the topic
publisher  the first four words of the topic: organisation, environment, service: ``org.fedoraproject.prod.bodhi``
priority   `fedora_messaging_severity`: 10 debug, 20 info, 30 warn, 40 error
payload    the body; `msg`. What is no object is the payload ``{"msg": …}``
context    `users`, `groups`, `packages`, `containers`, `modules`, `flatpaks` whom the message is about, and `schema`; of fedmsg
           `username`, who sent it
========== ===========================================================================================================

Rules: a wrong message is an `InputError` that names what is wrong. Certificates and signatures are left out, unchecked.

Source: https://fedora-messaging.readthedocs.io/en/stable/user-guide/wire-format.html; fedmsg's ``fedmsg/core.py``
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from nilometer.core.errors import InputError
from nilometer.core.wire import rfc3339
from nilometer.core.wire.bounded_json import kind, read_object, whole
from nilometer.core.wire.event import checked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nilometer.core.record import Event

PREFIX = "fedora_messaging_"
SCHEMA, SEVERITY, SENT = f"{PREFIX}schema", f"{PREFIX}severity", "sent-at"
ABOUT = {
    "user": "users",
    "group": "groups",
    "rpm": "packages",
    "container": "containers",
    "module": "modules",
    "flatpak": "flatpaks",
}
"""What a message can be about, by the word in its headers."""
SEVERITIES = ((40, "error"), (30, "warn"), (20, "info"), (0, "debug"))
MOST = 1000
"""Headers that are read, at most."""
PUBLISHER_WORDS = 4


def is_message(headers: Mapping[str, Any]) -> bool:
    """Say whether headers are those of fedora-messaging."""
    return SCHEMA in headers or SEVERITY in headers


def is_record(found: Mapping[str, Any]) -> bool:
    """Say whether parsed JSON is the record form of fedora-messaging."""
    return {"topic", "headers", "body"} <= found.keys() and isinstance(found["headers"], dict)


def is_envelope(found: Mapping[str, Any]) -> bool:
    """Say whether parsed JSON is an envelope of fedmsg."""
    return {"topic", "msg", "msg_id"} <= found.keys()


def decode(topic: str, headers: Mapping[str, Any], body: bytes, *, id: str, time: float) -> Event:  # noqa: A002 the field's own word
    """Return the event of a message as AMQP brings it; `time` is that of its arrival. Raise `InputError`."""
    return _event(topic, headers, read_object(body), id, time)


def from_record(found: Mapping[str, Any], *, time: float) -> Event:
    """Return the event of the record form. Raise `InputError`."""
    return _event(found["topic"], found["headers"], found["body"], found.get("id", ""), time)


def from_envelope(found: Mapping[str, Any], *, time: float) -> Event:
    """Return the event of an envelope of fedmsg. Raise `InputError`."""
    headers = found.get("headers")
    context = _context(headers) if isinstance(headers, dict) else {}
    for name in ("users", "packages", "username"):
        if found.get(name):
            context[name] = found[name]
    return checked(
        id=found["msg_id"],
        time=_timestamp(found.get("timestamp", time)),
        type=found["topic"],
        publisher=_publisher(found["topic"]),
        priority=_priority(headers) if isinstance(headers, dict) else "info",
        payload=_payload(found["msg"]),
        context=context,
    )


def _event(topic: object, headers: Mapping[str, Any], body: object, id: object, time: float) -> Event:  # noqa: A002 the field's own word
    return checked(
        id=id,
        time=_sent(headers[SENT]) if headers.get(SENT) is not None else time,
        type=topic,
        publisher=_publisher(topic),
        priority=_priority(headers),
        payload=_payload(body),
        context=_context(headers),
    )


def _payload(body: object) -> dict[str, Any]:
    return body if isinstance(body, dict) else {"msg": body}


def _publisher(topic: object) -> str:
    words = topic.split(".") if isinstance(topic, str) else []
    return ".".join(words[: min(PUBLISHER_WORDS, max(len(words) - 1, 1))])


def _priority(headers: Mapping[str, Any]) -> str:
    severity = headers.get(SEVERITY, 20)
    if isinstance(severity, bool) or not isinstance(severity, int) or severity < 0:
        _wrong(SEVERITY, "one of 10, 20, 30, 40", severity)
    return next(word for least, word in SEVERITIES if severity >= least)


def _sent(value: object) -> float:
    if isinstance(value, datetime):  # AMQP has a type for times
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    text = _text(SENT, value)
    try:
        return rfc3339.decode(text, naive=True)
    except InputError as error:
        message = f"header {SENT}: {error}"
        raise InputError(message) from error


def _timestamp(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not rfc3339.FIRST <= value < rfc3339.AFTER_LAST:
        message = f"timestamp is {kind(value)}, where seconds since the epoch are wanted"
        raise InputError(message)
    return float(value)


def _context(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Return whom the headers say that the message is about, and its schema."""
    if len(headers) > MOST:
        message = f"a message with {len(headers)} headers has more than {MOST}"
        raise InputError(message)
    found: dict[str, Any] = {"schema": _text(SCHEMA, headers[SCHEMA])} if headers.get(SCHEMA) else {}
    for name, value in headers.items():
        word, _, about = name.removeprefix(PREFIX).partition("_") if name.startswith(PREFIX) else ("", "", "")
        if value and about and word in ABOUT:
            found.setdefault(ABOUT[word], []).append(whole(about))
    return found


def _text(name: str, value: object) -> str:
    """Return the text of a header, which AMQP may bring as bytes."""
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "replace")
    if not isinstance(value, str):
        _wrong(name, "a text", value)
    return str(whole(value))


def _wrong(name: str, wanted: str, value: object) -> NoReturn:
    shown = value if isinstance(value, int) and not isinstance(value, bool) else kind(value)
    message = f"header {name} is {shown}, where {wanted} is wanted"
    raise InputError(message)
