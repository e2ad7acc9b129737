"""Text to values: durations, sizes, yes and no. Used by settings and by the query parameters of URLs alike."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from nilometer.core.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
BYTES = {"": 1, "b": 1, "k": 1 << 10, "kib": 1 << 10, "kb": 1000, "m": 1 << 20, "mib": 1 << 20, "mb": 10**6}
BYTES |= {"g": 1 << 30, "gib": 1 << 30, "gb": 10**9}
TRUE, FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})
QUANTITY = re.compile(r"\s*([0-9]{1,24}(?:\.[0-9]{1,400})?)\s*([a-zA-Z]*)\s*")
"""As many decimals as the smallest number has: whatever `written` writes below 1e24 s reads back."""
WHOLE = re.compile(r"\s*[+-]?[0-9]{1,18}\s*")


class Duration(float):
    """A number of seconds, written as ``10s``, ``500ms``, ``2m``, ``1h``, ``7d``; a bare number is seconds."""

    __slots__ = ()


class Size(int):
    """A number of bytes, written as ``64KiB``, ``4MiB``, ``1GB``; a bare number is bytes."""

    __slots__ = ()


class Moment(float):
    """A point in time, seconds since the epoch, written as ``2015-08-08`` or ``2015-08-08T12:00:00Z``; UTC where no zone is."""

    __slots__ = ()


class NamedDuration(NamedTuple):
    """How long something of that name lasts; written as ``NAME=7d``."""

    name: str
    duration: Duration


class Rollup(NamedTuple):
    """Points of `step` seconds are kept for `keep` seconds; written as ``1m:30d``."""

    step: Duration
    keep: Duration


class Expiry(NamedTuple):
    """After how many flushes, or after how many seconds, an idle series is forgotten; neither: never."""

    flushes: int = 0
    seconds: Duration = Duration(0)

    def within(self, interval: float) -> int:
        """Return in how many flushes, `interval` seconds apart, a series is reported after its last update; 0: for ever."""
        return self.flushes or math.ceil(self.seconds / interval)


Quantity = Duration | Size | Rollup | Expiry | Moment | NamedDuration
"""What has a spelling of its own."""


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


def moment(text: str) -> Moment:
    """Read a date, or a date and a time, as ISO 8601 has them. Raise `SettingError` for anything else."""
    try:
        found = datetime.fromisoformat(text.strip())
        return Moment((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError) as error:
        message = f"{text!r} is not a date or time such as 2015-08-08 or 2015-08-08T12:00:00Z"
        raise SettingError(message) from error


def named_duration(text: str) -> NamedDuration:
    """Read a name and how long it lasts. Raise `SettingError` for anything else."""
    name, equals, length = text.rpartition("=")
    if not equals or not name.strip():
        message = f"{text!r} is not a name and a duration, such as NAME=7d"
        raise SettingError(message)
    return NamedDuration(name.strip(), duration(length))


def rollup(text: str) -> Rollup:
    """Read a step and how long its points are kept. Raise `SettingError` for anything else."""
    step, colon, keep = text.partition(":")
    if not colon:
        message = f"{text!r} is not a step and a time to keep it, such as 1m:30d"
        raise SettingError(message)
    result = Rollup(duration(step), duration(keep))
    if not 0 < result.step < result.keep:
        message = f"{text!r}: the step must be above zero and shorter than the time to keep it"
        raise SettingError(message)
    return result


def expiry(text: str) -> Expiry:
    """Read a number of flushes, a duration, or ``never``. Raise `SettingError` for anything else."""
    if text.strip() == "never":
        return Expiry()
    found = Expiry(int(text)) if WHOLE.fullmatch(text) else Expiry(0, duration(text))
    if found.flushes <= 0 and found.seconds <= 0:
        message = f"{text!r} is not above zero"
        raise SettingError(message)
    return found


def _instant(value: Moment) -> str:
    found = datetime.fromtimestamp(value, UTC)
    return found.date().isoformat() if value % SECONDS["d"] == 0 else found.isoformat().replace("+00:00", "Z")


def _length(value: Duration) -> str:
    unit = next((name for name in ("d", "h", "m", "s") if value % SECONDS[name] == 0), "") if value else "s"
    if unit:
        return f"{int(value) // int(SECONDS[unit])}{unit}"
    thousandths = round(value * 1000)
    return f"{thousandths}ms" if thousandths * SECONDS["ms"] == value else f"{Decimal(repr(float(value))):f}s"


def _bytes(value: Size) -> str:
    unit = next((name for name in ("GiB", "MiB", "KiB") if value and value % BYTES[name.lower()] == 0), "")
    return f"{value // BYTES[unit.lower()]}{unit}"


def _expiry(value: Expiry) -> str:
    return str(value.flushes) if value.flushes else _length(value.seconds) if value.seconds else "never"


WRITERS: dict[type, Callable[[Any], str]] = {
    Duration: _length,
    Size: _bytes,
    Moment: _instant,
    Rollup: lambda value: f"{_length(value.step)}:{_length(value.keep)}",
    Expiry: _expiry,
    NamedDuration: lambda value: f"{value.name}={_length(value.duration)}",
}


def written(value: Quantity) -> str:
    """Return the shortest usual spelling, which reads back as the same value."""
    return WRITERS[type(value)](value)


def truth(text: str) -> bool:
    """Read yes or no in any usual spelling. Raise `SettingError` for anything else."""
    word = text.strip().lower()
    if word not in TRUE | FALSE:
        message = f"{text!r} is neither true nor false"
        raise SettingError(message)
    return word in TRUE


def whole(text: str) -> int:
    """Read a whole number. Raise `SettingError` for anything else."""
    if WHOLE.fullmatch(text) is None:
        message = f"{text!r} is not a whole number"
        raise SettingError(message)
    return int(text)


def real(text: str) -> float:
    """Read a finite number. Raise `SettingError` for anything else."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        message = f"{text!r} is not a number"
        raise SettingError(message)
    return number


READERS: dict[type, Callable[[str], object]] = {
    Duration: duration,
    Size: size,
    Rollup: rollup,
    Expiry: expiry,
    Moment: moment,
    NamedDuration: named_duration,
    bool: truth,
    int: whole,
    float: real,
    str: str,
}


def convert(text: str, kind: type) -> object:
    """Read `text` as a `kind`: one of `READERS`, or a type that reads text itself. Raise `SettingError` when it is none."""
    try:
        return READERS.get(kind, kind)(text)
    except ValueError as error:
        message = f"{text!r} is not a {kind.__name__}"
        raise SettingError(message) from error
