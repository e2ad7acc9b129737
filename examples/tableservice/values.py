"""Attribute values, typed as DynamoDB types them: ``{"S": "text"}``, ``{"N": "12.5"}``, ``{"B": "aGk="}``, and sets of each.

A value in its normal form equals another one exactly when both mean the same: ``{"N": "1.0"}`` becomes ``{"N": "1"}``.
"""

from __future__ import annotations

import base64
import binascii
from decimal import Context, Decimal, InvalidOperation
from typing import Any, TypeAlias

Value: TypeAlias = dict[str, Any]
"""One type, and what is of that type."""
Item: TypeAlias = dict[str, Value]
"""Attributes by name."""

SCALARS = ("S", "N", "B")
"""The types of which a key can be."""
SETS = {"SS": "S", "NS": "N", "BS": "B"}
DIGITS = 38
"""Significant digits of a number; see DynamoDB's data types."""
LARGEST, SMALLEST = 125, -130
"""The exponents of the largest and the smallest number."""
EXACT = Context(prec=DIGITS)


def normal(value: Value) -> Value:
    """Return a value in its normal form. Raise ValueError saying what is wrong with it."""
    if len(value) != 1:
        message = f"a value has one type, such as {{'S': 'text'}}; this one has {len(value)}"
        raise ValueError(message)
    ((kind, data),) = value.items()
    if kind in SCALARS:
        return {kind: _scalar(kind, data)}
    if kind in SETS and isinstance(data, list) and data:
        return {kind: sorted({_scalar(SETS[kind], member) for member in data})}
    message = f"{kind}: not a value of a type that this service knows: {', '.join((*SCALARS, *SETS))}"
    raise ValueError(message)


def _scalar(kind: str, data: object) -> str:
    if not isinstance(data, str):
        message = f"{kind}: a value is written as text"
        raise ValueError(message)  # noqa: TRY004 pydantic takes ValueError
    if kind == "N":
        return written(number(data))
    if kind == "B":
        return base64.b64encode(_bytes(data)).decode()
    if "\0" in data or not _is_text(data):
        message = "S: a text holds neither a null character nor half a surrogate pair"
        raise ValueError(message)
    return data


def _is_text(data: str) -> bool:
    try:
        data.encode()
    except UnicodeEncodeError:
        return False
    return True


def _bytes(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        message = "B: not base64"
        raise ValueError(message) from error


def number(text: str) -> Decimal:
    """Return a number. Raise ValueError when it is none, or has more digits than a table keeps."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or len(found.as_tuple().digits) > DIGITS:
        message = f"N: not a number of at most {DIGITS} digits"
        raise ValueError(message)
    if found and not SMALLEST <= found.adjusted() <= LARGEST:
        message = f"N: beyond 1E{SMALLEST} to 9.9E+{LARGEST}"
        raise ValueError(message)
    return found


def written(found: Decimal) -> str:
    """Return a number's only text: no exponent, no needless zeros."""
    return format(EXACT.normalize(found), "f") if found else "0"


def sortable(value: Value) -> bytes:
    """Return bytes that sort as scalar values of one type do: texts by UTF-8, numbers by size, binary data byte by byte."""
    ((kind, data),) = value.items()
    if kind == "S":
        return str(data).encode()
    return base64.b64decode(data) if kind == "B" else _sortable_number(Decimal(data))


def _sortable_number(found: Decimal) -> bytes:
    """Sign, exponent, digits; all of it turned round for a negative number, whose longer digits come first."""
    if not found:
        return b"\x01"
    _, digits, _ = EXACT.normalize(found).as_tuple()
    size = bytes([found.adjusted() - SMALLEST]) + bytes(digit + 1 for digit in digits) + b"\x00"
    return b"\x02" + size if found > 0 else b"\x00" + bytes(255 - byte for byte in size)


def after(prefix: bytes) -> bytes | None:
    """Return the smallest bytes that sort after everything which begins with `prefix`; None when there are none."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else None
