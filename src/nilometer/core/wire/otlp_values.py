"""OTLP's AnyValue: a value of any kind in an object that names its kind.

Whatever OTLP has no kind for (null, a whole number beyond 64 bits) goes as nothing, or as its text.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from nilometer.core.errors import InputError
from nilometer.core.wire.span import sound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BOUND = 1 << 63
DEEPEST = 20
"""Levels of lists and objects: each takes three of protobuf's."""
PLAIN: dict[type, str] = {str: "stringValue", bool: "boolValue", float: "doubleValue"}
NUMBERS = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}


def pairs(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return attributes as OTLP has them: a list of keys and values."""
    return [{"key": str(name), "value": any_value(value)} for name, value in found.items()]


def any_value(value: Any, depth: int = 0) -> dict[str, Any]:  # noqa: ANN401 any value
    """Return a value as OTLP has it."""
    if isinstance(value, list | tuple) and depth < DEEPEST:
        return {"arrayValue": {"values": [any_value(each, depth + 1) for each in value]}}
    if isinstance(value, dict) and depth < DEEPEST:
        inner = [{"key": str(name), "value": any_value(each, depth + 1)} for name, each in value.items()]
        return {"kvlistValue": {"values": inner}}
    if value is None:
        return {}
    name = "intValue" if type(value) is int and -BOUND <= value < BOUND else PLAIN.get(type(value))
    return {name: value} if name else {"stringValue": str(sound(value))}


def value_of(found: Mapping[str, Any]) -> Any:  # noqa: ANN401 any value
    """Return what an AnyValue says, None for one that says nothing. Raise `InputError`."""
    for name, value in found.items():
        if name in READERS:
            return READERS[name](name, value)
    return None


def _list(name: str, value: Any) -> list[Any]:  # noqa: ANN401 see above
    from nilometer.core.wire.otlp_read import each, one  # noqa: PLC0415 lists and objects hold values again

    return [value_of(inner) for inner in each(one({name: value}, name), "values")]


def _object(name: str, value: Any) -> dict[str, Any]:  # noqa: ANN401 see above
    from nilometer.core.wire.otlp_read import attributes, one  # noqa: PLC0415 see above

    return attributes({"attributes": one({name: value}, name).get("values")})


def _plain(name: str, value: Any) -> Any:  # noqa: ANN401 see above
    wanted = {"stringValue": str, "boolValue": bool, "doubleValue": (int, float)}[name]
    if name == "doubleValue" and isinstance(value, str):
        return NUMBERS.get(value, value)
    if not isinstance(value, wanted) or (name == "doubleValue" and isinstance(value, bool)):  # type: ignore[arg-type]  # types
        message = f"{name}: {str(value)[:40]!r} is none"
        raise InputError(message)
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):  # noqa: PLR0124 NaN
        return str(value)
    return float(value) if name == "doubleValue" else value


def _whole(name: str, value: Any) -> int:  # noqa: ANN401 see above
    if isinstance(value, str) and value.removeprefix("-").isdigit() and value.isascii() and len(value) <= 20:  # noqa: PLR2004 digits of 64 bits
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    message = f"{name}: {str(value)[:40]!r} is none"
    raise InputError(message)


def _bytes(name: str, value: Any) -> str:  # noqa: ANN401 see above
    """Return bytes as base64, which is what they are in JSON."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    try:
        return base64.b64encode(base64.b64decode(value, validate=True)).decode()
    except (binascii.Error, TypeError, ValueError) as error:
        message = f"{name}: no base64"
        raise InputError(message) from error


READERS: dict[str, Callable[[str, Any], Any]] = {
    "stringValue": _plain,
    "boolValue": _plain,
    "doubleValue": _plain,
    "intValue": _whole,
    "arrayValue": _list,
    "kvlistValue": _object,
    "bytesValue": _bytes,
}
"""What reads each kind of value."""
