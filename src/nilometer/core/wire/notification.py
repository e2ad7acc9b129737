"""Notifications of OpenStack, as oslo.messaging writes them: bare (driver ``messaging``) and in an envelope (``messagingv2``).

::

    {"message_id": "644cce89-…", "publisher_id": "magnetodb.host1", "event_type": "magnetodb.table.create.end",
     "priority": "INFO", "payload": {"table_name": "Thread"}, "timestamp": "2026-11-22 04:00:12.250977",
     "tenant_id": "8c2d8a6c…", "_unique_id": "6e79d2e1…", "_context_tenant": "8c2d8a6c…", "_context_request_id": "req-1"}

    {"oslo.version": "2.0", "oslo.message": "the same object, as a text"}

Rules:

* Fields, their order and their spelling are oslo.messaging's. An event with a tenant has `tenant_id` besides, which its
  listeners leave alone, and the tenant in the context, where consumers look.
* `_unique_id`, by which listeners know what they had before, is made of the event's id and the topic: what is sent again is the
  same message. What a context calls `auth_token` never goes out.
* Reading is as tolerant as a listener of theirs: fields may be missing or null, the type may not; a priority of any case; more
  fields than these. A payload that is no object is the payload ``{"msg": …}``. Any version but 2.0 is refused.

Source: https://docs.openstack.org/oslo.messaging/latest/reference/notifier.html, and the library's
``oslo_messaging/_drivers/common.py`` and ``notify/notifier.py``.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nilometer.core.errors import InputError
from nilometer.core.wire import rfc3339
from nilometer.core.wire.bounded_json import kind, read_object
from nilometer.core.wire.event import checked, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nilometer.core.record import Event

VERSION, MESSAGE = "oslo.version", "oslo.message"
UNDERSTOOD = "2.0"
CONTEXT = "_context_"
UNIQUE_ID = "_unique_id"
TOKEN = "auth_token"  # noqa: S105 the name of a field
CONTENT_TYPE, CONTENT_ENCODING = "application/json", "utf-8"
NAMESPACE = uuid.UUID("6f1c2f0e-6f0b-5c0e-9d8e-6b1f6f6d2a11")
"""What unique ids are made within."""
TENANTS = ("tenant_id", "tenant", "project_id", "project")
"""What a tenant is called, in a payload and in a context; the first that is a text counts."""


def encode(event: Event, *, envelope: bool, topic: str = "") -> bytes:
    """Return a message's body, another one on each `topic`. Raise ValueError for a time outside the years 1 to 9999."""
    found = _text(as_object(event, topic))
    return (_text({VERSION: UNDERSTOOD, MESSAGE: found}) if envelope else found).encode()


def as_object(event: Event, topic: str = "") -> dict[str, Any]:
    """Return the fields of a notification in their order. Raise ValueError for a time outside the years 1 to 9999."""
    found: dict[str, Any] = six(event)
    if event.tenant:
        found["tenant_id"] = event.tenant
    found[UNIQUE_ID] = uuid.uuid5(NAMESPACE, f"{topic}\n{event.id}").hex
    return found | {CONTEXT + name: value for name, value in _context(event).items()}


def six(event: Event) -> dict[str, Any]:
    """Return the six fields that every notification has. Raise ValueError for a time outside the years 1 to 9999."""
    return {
        "message_id": event.id,
        "publisher_id": event.publisher,
        "event_type": event.type,
        "priority": event.priority.upper(),
        "payload": event.payload,
        "timestamp": _written(event.time),
    }


def _written(seconds: float) -> str:
    """Return a time as theirs is: in UTC and without a zone, to the microsecond, no fraction of a whole second."""
    if not rfc3339.FIRST <= seconds < rfc3339.AFTER_LAST:
        message = f"{seconds!r} is no time between the years 1 and 9999"
        raise ValueError(message)
    return str(datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None))


def _context(event: Event) -> dict[str, Any]:
    tenant = dict.fromkeys(("tenant", "project_id"), event.tenant) if event.tenant else {}
    return tenant | {str(name): None if name == TOKEN else value for name, value in event.context.items()}


def _text(value: object) -> str:
    """Return JSON as they write it: a space behind commas and colons, other letters than ASCII's escaped."""
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return json.dumps(plain(value))


# -- reading -----------------------------------------------------------------------------------------------------------


def decode(body: bytes, *, time: float) -> Event:
    """Return the event of a message's body; `time` where it has none of its own. Raise `InputError`."""
    return from_object(read_object(body), time=time)


def is_notification(found: Mapping[str, Any]) -> bool:
    """Say whether parsed JSON is a notification, bare or in an envelope."""
    return VERSION in found or {"event_type", "payload"} <= found.keys()


def from_object(found: Mapping[str, Any], *, time: float) -> Event:
    """Return the event that parsed JSON holds; `time` where it has none of its own. Raise `InputError`."""
    if VERSION in found or MESSAGE in found:
        found = _opened(found)
    given = {name: value for name, value in found.items() if value is not None}
    if "event_type" not in given:
        message = "a notification needs event_type"
        raise InputError(message)
    context = {name.removeprefix(CONTEXT): value for name, value in found.items() if name.startswith(CONTEXT)}
    payload = _payload(given.get("payload"))
    return checked(
        id=given.get("message_id") or _id(given, time),
        time=_moment(given.get("timestamp"), time),
        type=given["event_type"],
        publisher=given.get("publisher_id", ""),
        priority=given.get("priority") or "info",
        tenant=_tenant(given, payload, context),
        payload=payload,
        context=context,
    )


def _opened(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an envelope holds. Raise `InputError`."""
    version, inner = envelope.get(VERSION), envelope.get(MESSAGE)
    if version != UNDERSTOOD:
        shown = repr(version[:20]) if isinstance(version, str) else kind(version)
        message = f"an envelope of {VERSION} {shown}, where {UNDERSTOOD!r} is understood"
        raise InputError(message)
    if not isinstance(inner, str):
        message = f"an envelope's {MESSAGE} is a text of JSON, not {kind(inner)}"
        raise InputError(message)
    return read_object(inner.encode())


def _payload(value: object) -> dict[str, Any]:
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"msg": value}


def _id(given: Mapping[str, Any], time: float) -> str:
    """Return an id for a message that has none: the same when the same message comes again, where that can be told."""
    unique = given.get(UNIQUE_ID)
    said = unique if isinstance(unique, str) and unique else f"{_text(given)}{'' if 'timestamp' in given else time}"
    return str(uuid.uuid5(NAMESPACE, hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()))


def _moment(value: object, time: float) -> float:
    if value is None or value == "":
        return time
    if not isinstance(value, str):
        message = f"a notification's timestamp is a text, not {kind(value)}"
        raise InputError(message)
    return rfc3339.decode(value, naive=True)


def _tenant(given: Mapping[str, Any], payload: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    for place in ({"tenant_id": given.get("tenant_id")}, payload, context):
        for name in TENANTS:
            if isinstance(value := place.get(name), str) and value:
                return value
    return ""
