"""The parts of an OTLP message that is a dict already: each looked at before it is used. Raise `InputError` naming the part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from nilometer.core.errors import InputError
from nilometer.core.wire.bounded_json import kind
from nilometer.core.wire.otlp_values import value_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NOTHING: dict[str, Any] = {}
DIGITS = 20
"""Digits of a 64-bit number, at most."""


def each(found: Mapping[str, Any], *names: str) -> Iterable[Mapping[str, Any]]:
    """Return the objects of a list, which may be missing; older senders have other names for it."""
    value = next((found[name] for name in names if found.get(name) is not None), ())
    if not isinstance(value, list | tuple):
        _wrong(names[0], "a list", value)
    for item in value:
        if not isinstance(item, dict):
            _wrong(f"{names[0]}[]", "an object", item)
    return value


def one(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return an object, an empty one where it is missing."""
    value = found.get(name)
    if value is None:
        return NOTHING
    if not isinstance(value, dict):
        _wrong(name, "an object", value)
    return value


def text(found: Mapping[str, Any], name: str) -> str:
    """Return a text, an empty one where it is missing."""
    value = found.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        _wrong(name, "a text", value)
    return value


def number(found: Mapping[str, Any], name: str) -> int:
    """Return a whole number, which may come as its digits; 0 where it is missing."""
    value = found.get(name, 0)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= DIGITS:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        _wrong(name, "a whole number", value)
    return int(value)


def attributes(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of an object."""
    return {text(pair, "key"): value_of(one(pair, "value")) for pair in each(found, "attributes")}


def _wrong(name: str, wanted: str, value: object) -> NoReturn:
    message = f"{name}: {kind(value)} where {wanted} is wanted"
    raise InputError(message)
