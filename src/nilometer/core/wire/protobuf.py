"""Protocol buffers by a table of fields: bytes from and to plain dicts, with the names that JSON has.

Rules:

* A `Message` says of each field its number, its name and its kind. What a table does not list is skipped, as the format asks.
* Repeated fields are lists. A field that is not there is not in the dict; the last one counts where one comes twice.
* `decode` raises `InputError` for whatever is no such message: bytes that end too soon, a wrong wire type, text that is no
  UTF-8, more than `DEEPEST` messages in each other. It never reads beyond the bytes it was given.

Source: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from nilometer.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

DEEPEST = 64
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
DOUBLE, QUAD, WORD = struct.Struct("<d"), struct.Struct("<Q"), struct.Struct("<I")
SIGN, ALL = 1 << 63, (1 << 64) - 1
WIRE = {"int": VARINT, "uint": VARINT, "bool": VARINT, "fixed64": FIXED64, "double": FIXED64, "fixed32": FIXED32}
"""The wire type of each kind of field; those that are not listed are bytes."""


class Field(NamedTuple):
    """One field. `kind`: int, uint, bool, fixed64, fixed32, double, text, hex (bytes as digits), bytes or message."""

    number: int
    name: str
    kind: str
    message: Message | None = None
    repeated: bool = False


class Message:
    """The fields of a message. `of` adds them: messages may hold each other."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fields: dict[int, Field] = {}

    def of(self, *fields: Field) -> Message:
        """Say which fields there are."""
        self.fields.update((field.number, field) for field in fields)
        return self


# -- reading -----------------------------------------------------------------------------------------------------------


def decode(data: bytes, message: Message) -> dict[str, Any]:
    """Return what the bytes of a message hold. Raise `InputError`."""
    return _message(memoryview(data), message, 0)


def _message(data: memoryview, message: Message, depth: int) -> dict[str, Any]:
    if depth > DEEPEST:
        _wrong(f"messages lie in each other more than {DEEPEST} deep")
    found: dict[str, Any] = {}
    fields, at, end = message.fields, 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        field = fields.get(key >> 3)
        value, at = _value(data, at, key & 7)
        if field is None:
            continue
        if WIRE.get(field.kind, BYTES) != key & 7:
            _wrong(f"{message.name}.{field.name} has another wire type than {field.kind}")
        read = _read(value, field, depth)
        if field.repeated:
            found.setdefault(field.name, []).append(read)
        else:
            found[field.name] = read
    return found


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    try:
        byte = data[at]
        if byte < 128:  # noqa: PLR2004 most are this short
            return byte, at + 1
        found, shift = byte & 127, 7
        while byte >= 128:  # noqa: PLR2004 another byte follows
            at += 1
            byte = data[at]
            found |= (byte & 127) << shift
            shift += 7
            if shift > 70:  # noqa: PLR2004 ten bytes at most
                _wrong("a number is longer than ten bytes")
    except IndexError:
        _wrong("it ends within a number")
    return found & ALL, at + 1


def _value(data: memoryview, at: int, wire: int) -> tuple[Any, int]:
    """Return a raw value and the place behind it."""
    if wire == VARINT:
        return _varint(data, at)
    if wire == BYTES:
        size, at = _varint(data, at)
    elif wire in (FIXED64, FIXED32):
        size = 8 if wire == FIXED64 else 4
    else:
        _wrong(f"wire type {wire} is none that is used")
    if at + size > len(data):
        _wrong("it ends within a field")
    return data[at : at + size], at + size


def _read(value: Any, field: Field, depth: int) -> Any:  # noqa: ANN401 a number or bytes, and whatever that means
    if field.kind == "message":
        return _message(value, field.message, depth + 1)  # type: ignore[arg-type]  # a field of this kind has one
    try:
        return READ[field.kind](value)
    except UnicodeDecodeError:
        _wrong(f"{field.name} is no UTF-8")


READ: dict[str, Callable[[Any], Any]] = {
    "text": lambda value: str(value, "utf-8"),
    "hex": lambda value: value.hex(),
    "bytes": bytes,
    "int": lambda value: value - (1 << 64) if value & SIGN else value,
    "uint": lambda value: value,
    "bool": bool,
    "fixed64": lambda value: QUAD.unpack(value)[0],
    "double": lambda value: DOUBLE.unpack(value)[0],
    "fixed32": lambda value: WORD.unpack(value)[0],
}
"""What a raw value means, by kind of field."""


def _wrong(reason: str) -> NoReturn:
    message = f"no protocol buffer: {reason}"
    raise InputError(message) from None


# -- writing -----------------------------------------------------------------------------------------------------------


def encode(found: Mapping[str, Any], message: Message) -> bytes:
    """Return a message as bytes; fields that are not there, or None, are left out. Raise ValueError for a wrong value."""
    return b"".join(_fields(found, message))


def _fields(found: Mapping[str, Any], message: Message) -> Iterator[bytes]:
    for field in message.fields.values():
        value = found.get(field.name)
        if value is not None:
            for each in value if field.repeated else (value,):
                yield from _field(field, each)


def _field(field: Field, value: Any) -> Iterator[bytes]:  # noqa: ANN401 whatever the field holds
    wire = WIRE.get(field.kind, BYTES)
    yield _number(field.number << 3 | wire)
    if wire == VARINT:
        yield _number(int(value) & ALL)
    elif wire == FIXED64:
        yield DOUBLE.pack(value) if field.kind == "double" else QUAD.pack(value & ALL)
    elif wire == FIXED32:
        yield WORD.pack(value)
    else:
        data = _bytes(field, value)
        yield _number(len(data))
        yield data


def _bytes(field: Field, value: Any) -> bytes:  # noqa: ANN401 see above
    if field.kind == "message":
        return encode(value, field.message)  # type: ignore[arg-type]  # a field of this kind has one
    if field.kind == "text":
        return str(value).encode("utf-8", "replace")
    return bytes.fromhex(value) if field.kind == "hex" else bytes(value)


def _number(value: int) -> bytes:
    if value < 128:  # noqa: PLR2004 most are this short
        return bytes((value,))
    found = bytearray()
    while value >= 128:  # noqa: PLR2004 another byte follows
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)
