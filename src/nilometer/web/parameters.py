"""Parameters that several routes take."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BeforeValidator

MOST_DIGITS = 9
LONGEST_GLOB = 1000


def _whole(value: object) -> object:
    """Read a whole number as digits alone. Raise ValueError."""
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit() and len(value) <= MOST_DIGITS):
            message = f"expected a whole number of at most {MOST_DIGITS} digits"
            raise ValueError(message)
        return int(value)
    return value


DIGITS = BeforeValidator(_whole)
"""Behind a number's bounds: it is written in digits alone. (Before them, its description would lack the bounds.)"""

Glob = Annotated[
    str, Query(max_length=LONGEST_GLOB, description="a shell-style glob over whole keys; `*` crosses dots", examples=["web.*"])
]
"""Which series."""
