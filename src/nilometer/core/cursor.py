"""The cursor of a list in order of time: the place of the last one given. It holds nothing that the list does not tell."""

from __future__ import annotations

import base64
import binascii
import math
import struct
from typing import NamedTuple

from nilometer.core.errors import InputError

SECONDS, NANOSECONDS = struct.Struct(">d"), struct.Struct(">q")
"""What a time is: a float in seconds, or whole nanoseconds."""


class Place(NamedTuple):
    """Where something stands in the order of all."""

    time: float
    id: str


def cursor(time: float, id: str, unit: struct.Struct = SECONDS) -> str:  # noqa: A002 the field's own word
    """Return the cursor behind what has this time and id."""
    return base64.urlsafe_b64encode(unit.pack(time) + id.encode("utf-8", "replace")).decode().rstrip("=")


def place(text: str, unit: struct.Struct = SECONDS) -> Place | None:
    """Return the place that a cursor tells, None for the empty one. Raise `InputError` for one that is none."""
    if not text:
        return None
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        found = Place(unit.unpack(data[: unit.size])[0], data[unit.size :].decode())
    except (binascii.Error, ValueError, struct.error):
        found = Place(math.nan, "")
    if not math.isfinite(found.time) or "\x00" in found.id or cursor(*found, unit) != text:
        message = "cursor is none that was given; begin without one"
        raise InputError(message)
    return found
