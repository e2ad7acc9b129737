"""Times as RFC 3339 writes them: ``2026-11-23T06:00:00.25Z``.

Source: https://www.rfc-editor.org/rfc/rfc3339, section 5.6. A leap second counts as the last second of its minute.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal

from nilometer.core.errors import InputError

FORM = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d):(\d\d)(?:\.(\d{1,40}))?(?:([Zz])|([+-])([01]\d|2[0-3]):([0-5]\d))?", re.ASCII
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NANO = Decimal("0.000000001")
FIRST, AFTER_LAST = -62135596800, 253402300800
"""The years 1 to 9999, in seconds since the epoch."""


def encode(seconds: float) -> str:
    """Return a time in seconds since the epoch, in UTC, to the nanosecond. Raise ValueError outside the years 1 to 9999."""
    if not FIRST <= seconds < AFTER_LAST:
        message = f"{seconds!r} is no time between the years 1 and 9999"
        raise ValueError(message)
    exact = Decimal(repr(float(seconds))).quantize(NANO, ROUND_FLOOR)
    whole = exact.to_integral_value(ROUND_FLOOR)
    fraction = f"{exact - whole:f}"[2:].rstrip("0")
    text = (EPOCH + timedelta(seconds=int(whole))).isoformat()[: len("2026-11-23T06:00:00")]
    return f"{text}.{fraction}Z" if fraction else f"{text}Z"


def decode(text: str, *, naive: bool = False) -> float:
    """Return seconds since the epoch. One without a zone is UTC where `naive` allows it. Raise `InputError` else."""
    match = FORM.fullmatch(text)
    if match is None or not (naive or match[5] or match[6]):
        message = f"{text[:60]!r} is no time as RFC 3339 writes it, such as 2026-11-23T06:00:00Z"
        raise InputError(message)
    day, minute, second, fraction, _, sign, hours, minutes = match.groups()
    leap = second == "60"
    try:
        local = datetime.fromisoformat(f"{day}T{minute}:{'59' if leap else second}+00:00")
    except ValueError as error:
        message = f"{text[:60]!r} is no time: {error}"
        raise InputError(message) from error
    ahead = int(f"{sign}1") * (int(hours) * 3600 + int(minutes) * 60) if sign else 0
    since = local - EPOCH
    whole = since.days * 86_400 + since.seconds - ahead + leap
    if not FIRST <= whole < AFTER_LAST:
        message = f"{text[:60]!r} is no time between the years 1 and 9999"
        raise InputError(message)
    return float(Decimal(whole) + Decimal(f"0.{fraction or 0}"))
