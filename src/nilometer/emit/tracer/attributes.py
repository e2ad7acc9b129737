"""The attributes of a span: copied, bounded, without secrets."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nilometer.core.wire.span import sound
from nilometer.emit.notifier.secrets import MASK, is_secret, masked

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST = 128
"""Attributes of a span, at most."""
LONGEST, LONGEST_NAME = 8192, 255
"""Characters of a value, and of a name, at most."""
ITEMS = 256
"""Items of a list or object, at most, at each level."""
CUT = "…"
PLAIN = (int, float, bool, type(None))


@lru_cache(4096)
def _named(name: str) -> tuple[str, bool]:
    return name[:LONGEST_NAME], is_secret(name)


def bounded(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes that can be stored. Never raises."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        if len(found) >= MOST:
            break
        key, secret = _named(name if isinstance(name, str) else str(name)[:LONGEST_NAME])
        found[key] = MASK if secret else value if type(value) in PLAIN else _value(value)
    return found


def _value(value: Any) -> Any:  # noqa: ANN401 any value of the application's
    if isinstance(value, str):
        return _text(value)
    return _cut(sound(value))


def _text(value: str) -> str:
    return masked(value if len(value) <= LONGEST else value[:LONGEST] + CUT)


def _cut(value: Any) -> Any:  # noqa: ANN401 what JSON can hold
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return [_cut(each) for each in value[:ITEMS]]
    if isinstance(value, dict):
        return {name: MASK if _named(name)[1] else _cut(each) for name, each in list(value.items())[:ITEMS]}
    return value
