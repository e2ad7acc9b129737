"""Text to values: durations, sizes, yes and no. Used by settings and by the query parameters of URLs alike."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nilometer.core.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
BYTES = {"": 1, "b": 1, "k": 1 << 10, "kib": 1 << 10, "kb": 1000, "m": 1 << 20, "mib": 1 << 20, "mb": 10**6}
BYTES |= {"g": 1 << 30, "gib": 1 << 30, "gb": 10**9}
TRUE, FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
QUANTITY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*")


class Duration(float):
    """A number of seconds, written as ``10s``, ``500ms``, ``2m``, ``1h``, ``7d``; a bare number is seconds."""

    __slots__ = ()


class Size(int):
    """A number of bytes, written as ``64KiB``, ``4MiB``, ``1GB``; a bare number is bytes."""

    __slots__ = ()


def _split(text: str, what: str) -> tuple[float, str]:
    match = QUANTITY.fullmatch(text)
    if match is None:
        message = f"{text!r} is not a {what}"
        raise SettingError(message)
    return float(match[1]), match[2].lower()


def duration(text: str) -> Duration:
    """Read a duration. Raise `SettingError` for anything else."""
    number, unit = _split(text, "duration such as 10s, 500ms or 7d")
    if (unit or "s") not in SECONDS:
        message = f"{text!r} has an unknown unit; known are {', '.join(SECONDS)}"
        raise SettingError(message)
    return Duration(number * SECONDS[unit or "s"])


def size(text: str) -> Size:
    """Read a size in bytes. Raise `SettingError` for anything else."""
    number, unit = _split(text, "size such as 64KiB, 4MiB or 1GB")
    if unit not in BYTES:
        message = f"{text!r} has an unknown unit; known are {', '.join(filter(None, BYTES))}"
        raise SettingError(message)
    return Size(int(number * BYTES[unit]))


def truth(text: str) -> bool:
    """Read yes or no in any usual spelling. Raise `SettingError` for anything else."""
    word = text.strip().lower()
    if word not in TRUE | FALSE:
        message = f"{text!r} is neither true nor false"
        raise SettingError(message)
    return word in TRUE


def convert(text: str, kind: type) -> object:
    """Read `text` as one of `Duration`, `Size`, bool, int, float, str. Raise `SettingError` when it is none."""
    readers: dict[type, Callable[[str], object]] = {Duration: duration, Size: size, bool: truth, str: str}
    if kind in readers:
        return readers[kind](text)
    try:
        return kind(text.strip())
    except ValueError:
        message = f"{text!r} is not {'a whole number' if kind is int else 'a number'}"
        raise SettingError(message) from None
