"""CloudEvents 1.0: as JSON, one or a batch (structured mode), or as headers with the data as body (binary mode).

============== =======================================================================================================
CloudEvent     event
============== =======================================================================================================
id, type, time the same; without a time, that of arrival
source         publisher. One that is no URI stands percent-encoded in `source`, as it is in the extension `publisher`
data           payload. What is no object is the payload ``{"data": …}``; bytes are ``{"data_base64": "…"}``
`tenant`       tenant, an extension
`priority`     priority, an extension; another word than ours is kept in the context
`context`      what of the context is no attribute's value, an extension: an object, as text of JSON
others         `subject`, `dataschema`, `datacontenttype` and every extension: the context, by name
============== =======================================================================================================

Rules: what `encode` writes `decode` reads as the same event. All attributes are checked; a wrong one is an `InputError` that
names it, nothing else is raised.

Sources: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md, and beside it formats/json-format.md and
bindings/ (http: `ce-`, kafka: `ce_`, amqp: `cloudEvents:` or `cloudEvents_`, nats: `ce-`).
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn
from urllib.parse import quote, unquote

from nilometer.core.errors import InputError
from nilometer.core.wire import rfc3339
from nilometer.core.wire.bounded_json import kind, read, read_object, whole
from nilometer.core.wire.event import UNFIT, checked, priority_of, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nilometer.core.record import Event

JSON = "application/json"
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
VERSION = "1.0"
PREFIXES = ("ce-", "ce_", "cloudevents:", "cloudevents_")
REQUIRED = ("id", "source", "specversion", "type")
OWN = frozenset({*REQUIRED, "time", "data", "tenant", "priority", "publisher", "context"})
"""Names that no entry of a context can have as an attribute."""
NAME = re.compile(r"[a-z0-9]{1,64}")
WRITTEN = re.compile(r"[a-z0-9]{1,20}")
MOST_ATTRIBUTES, LONGEST = 64, 8192
"""Attributes of an event, and characters of one, at most."""
NOBODY = "urn:nilometer:nobody"
"""The source of an event without a publisher; CloudEvents know no empty one."""
URI = "-._~:/?#[]@!$&'()*+,;=%"
PRINTABLE = "".join(map(chr, range(0x21, 0x7F))).replace('"', "").replace("%", "")
INTEGER = 1 << 31


class Headers(NamedTuple):
    """An event in binary mode."""

    content_type: str
    headers: dict[str, str]
    body: bytes


# -- writing -----------------------------------------------------------------------------------------------------------


def encode(event: Event) -> bytes:
    """Return the event as a CloudEvent of JSON. Raise ValueError for a time outside the years 1 to 9999."""
    return text(as_object(event))


def encode_batch(events: Iterable[Event]) -> bytes:
    """Return the events as a batch of CloudEvents. Raise as `encode` does."""
    return b"[" + b",".join(map(encode, events)) + b"]"


def as_object(event: Event) -> dict[str, Any]:
    """Return the CloudEvent as an object of JSON. Raise as `encode` does."""
    data, opaque = _data(event)
    return _attributes(event, (str, int), opaque=opaque) | ({"datacontenttype": JSON} if not opaque else {}) | data


def encode_binary(event: Event, prefix: str = "ce-") -> Headers:
    """Return the event in binary mode, with headers of one of `PREFIXES`. Raise as `encode` does."""
    data, opaque = _data(event)
    attributes = _attributes(event, str, opaque=opaque)
    kind_of_data = attributes.pop("datacontenttype", JSON)
    if prefix == "ce-":
        attributes = {name: quote(value, safe=PRINTABLE) for name, value in attributes.items()}
    headers = {f"{prefix}{name}": value for name, value in attributes.items()}
    if "data_base64" in data:
        return Headers(kind_of_data, headers, b64decode(data["data_base64"]))
    return Headers(kind_of_data, headers, data["data"].encode("utf-8", "replace") if opaque else text(data["data"]))


def _attributes(event: Event, types: type | tuple[type, ...], *, opaque: bool) -> dict[str, Any]:
    """Return the attributes; of the context what is of these types, the rest as text of JSON."""
    source = quote(event.publisher, safe=URI) or NOBODY
    found: dict[str, Any] = {"specversion": VERSION, "id": event.id, "source": source, "type": event.type}
    found |= {"time": rfc3339.encode(event.time), "priority": event.priority}
    if event.tenant:
        found["tenant"] = event.tenant
    if event.publisher and source != event.publisher:
        found["publisher"] = event.publisher
    fitting = (name for name, value in event.context.items() if _is_attribute(name, value, types, opaque=opaque))
    own = {name: event.context[name] for name in islice(fitting, MOST_ATTRIBUTES // 2)}
    rest = {name: value for name, value in event.context.items() if name not in own}
    return found | own | ({"context": text(rest).decode()} if rest else {})


def _is_attribute(name: object, value: object, types: type | tuple[type, ...], *, opaque: bool) -> bool:
    if not isinstance(name, str) or not WRITTEN.fullmatch(name) or name in OWN or not isinstance(value, types):
        return False
    if name == "datacontenttype":
        return opaque
    if isinstance(value, str):
        return 0 < len(value) <= LONGEST and not UNFIT.search(value)
    return isinstance(value, int) and -INTEGER <= value < INTEGER


def _data(event: Event) -> tuple[dict[str, Any], bool]:
    """Return the data, and whether they are other than JSON, as the context's `datacontenttype` says."""
    payload, named = event.payload, event.context.get("datacontenttype")
    if isinstance(named, str) and 0 < len(named) <= LONGEST and not UNFIT.search(named) and not is_json(named):
        if payload.keys() == {"data"} and isinstance(payload["data"], str):
            return dict(payload), True
        if payload.keys() == {"data_base64"} and _bytes(payload["data_base64"]) is not None:
            return dict(payload), True
    if payload.keys() == {"data"} and not isinstance(payload["data"], Mapping):
        return dict(payload), False
    return {"data": payload}, False


# -- reading -----------------------------------------------------------------------------------------------------------


def decode(body: bytes, *, time: float) -> Event:
    """Return the event of a CloudEvent of JSON, with this `time` when it has none. Raise `InputError`."""
    return from_object(read_object(body), time=time)


def from_object(found: object, *, time: float) -> Event:
    """Return the event of a CloudEvent that is parsed already. Raise `InputError`."""
    if not isinstance(found, dict):
        _wrong(f"a CloudEvent is an object, not {kind(found)}")
    data = {name: found[name] for name in ("data", "data_base64") if name in found}
    attributes = {name: value for name, value in found.items() if name not in data and value is not None}
    return _event(attributes, _payload(data, attributes.get("datacontenttype")), time)


def decode_binary(headers: Mapping[str, Any], content_type: str, body: bytes, *, time: float) -> Event:
    """Return the event of headers and body in binary mode. Raise `InputError`."""
    attributes = attributes_of(headers)
    named = content_type or attributes.pop("datacontenttype", "")
    if named:
        attributes["datacontenttype"] = named
    return _event(attributes, _body(body, named) if body else {}, time)


def attributes_of(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that headers of one of `PREFIXES` hold, in any case; none when these are no CloudEvent's."""
    found: dict[str, Any] = {}
    for name, value in headers.items():
        small = name.lower()
        prefix = next(filter(small.startswith, PREFIXES), "")
        if prefix:
            plain = _header(value)
            found[small[len(prefix) :]] = unquote(plain) if prefix == "ce-" and isinstance(plain, str) else plain
    return found


def is_json(content_type: str) -> bool:
    """Say whether a media type is JSON."""
    name = content_type.partition(";")[0].strip().lower()
    return name.endswith(("/json", "+json"))


def _header(value: object) -> Any:  # noqa: ANN401 whatever the bus's headers hold
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    return whole(value)


def _event(attributes: dict[str, Any], payload: dict[str, Any], time: float) -> Event:
    """Return the event of attributes that are not checked yet."""
    _check(attributes)
    left = {name: value for name, value in attributes.items() if name not in REQUIRED and name != "time"}
    if left.get("datacontenttype") == JSON:
        del left["datacontenttype"]
    source = "" if attributes["source"] == NOBODY else attributes["source"]
    if isinstance(left.get("publisher"), str) and quote(left["publisher"], safe=URI) == source:
        source = left.pop("publisher")
    priority = priority_of(left.get("priority"))
    if priority:
        del left["priority"]
    tenant = left.pop("tenant", "")
    return checked(
        id=attributes["id"],
        time=_moment(attributes["time"]) if "time" in attributes else time,
        type=attributes["type"],
        publisher=source,
        priority=priority or "info",
        tenant=tenant,
        payload=payload,
        context=left | _context(left),
    )


def _check(attributes: Mapping[str, Any]) -> None:
    for name in REQUIRED:
        if attributes.get(name) in (None, ""):
            _wrong(f"a CloudEvent needs {name}")
    if attributes["specversion"] != VERSION:
        _wrong(f"CloudEvents of version {str(attributes['specversion'])[:20]!r} are not read, those of {VERSION} are")
    if len(attributes) > MOST_ATTRIBUTES:
        _wrong(f"a CloudEvent with {len(attributes)} attributes has more than {MOST_ATTRIBUTES}")
    for name, value in attributes.items():
        if not NAME.fullmatch(name):
            _wrong(f"{name[:60]!r} is no name of an attribute of CloudEvents: small letters and digits")
        if not isinstance(value, str | int):
            _wrong(f"attribute {name} is {kind(value)}, where a text, a whole number, true or false is wanted")
        if isinstance(value, str) and len(value) > LONGEST and name != "context":
            _wrong(f"attribute {name} has {len(value)} characters, more than {LONGEST}")


def _moment(value: object) -> float:
    if not isinstance(value, str):
        _wrong(f"attribute time is {kind(value)}, where a text as RFC 3339 writes it is wanted")
    try:
        return rfc3339.decode(value)
    except InputError as error:
        _wrong(f"attribute time: {error}")


def _context(left: dict[str, Any]) -> dict[str, Any]:
    """Take what the extension `context` holds out of the attributes that are left."""
    try:
        found = read_object(left["context"].encode())
    except (KeyError, AttributeError, InputError):
        return {}
    del left["context"]
    return found


def _payload(data: Mapping[str, Any], content_type: object) -> dict[str, Any]:
    """Return the payload that `data` or `data_base64` means."""
    if len(data) > 1:
        _wrong("a CloudEvent has data or data_base64, not both")
    if "data" in data:
        value = data["data"]
        return value if isinstance(value, dict) else {"data": value}
    if "data_base64" not in data or data["data_base64"] is None:
        return {}
    held = _bytes(data["data_base64"])
    if held is None:
        _wrong("data_base64 is no text of base64")
    if isinstance(content_type, str) and is_json(content_type):
        return _payload({"data": read(held)}, content_type)
    return dict(data)


def _bytes(value: object) -> bytes | None:
    """Return what a text of base64 holds; None when it is none."""
    try:
        return b64decode(value, validate=True) if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        return None


def _body(body: bytes, content_type: str) -> dict[str, Any]:
    """Return the payload of a body in binary mode; one that does not say what it is may be JSON."""
    if is_json(content_type):
        return _payload({"data": read(body)}, content_type)
    try:
        return _opaque(body, content_type) if content_type else _payload({"data": read(body)}, content_type)
    except InputError:
        return _opaque(body, content_type)


def _opaque(body: bytes, content_type: str) -> dict[str, Any]:
    """Return the payload of a body that is no JSON: text where it says that it is, else base64."""
    name = content_type.partition(";")[0].strip().lower()
    if name.startswith("text/") or name.endswith(("/xml", "+xml")):
        try:
            return {"data": body.decode()}
        except UnicodeDecodeError:
            pass
    return {"data_base64": b64encode(body).decode()}


def _wrong(reason: str) -> NoReturn:
    raise InputError(reason) from None
