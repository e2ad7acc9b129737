"""Numbers as JavaScript reads and prints them, which is what statsd does with every value on its wires.

Source: ECMA-262, ``Number::toString`` (6.1.6.1.20) and ``StringToNumber`` (7.1.4.1.1).
"""

from __future__ import annotations

import math
import re

WHITESPACE = "\t\n\v\f\r \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000\ufeff"
"""What JavaScript calls white space; Python's own idea of it differs by a few characters."""

DECIMAL = re.compile(r"[+-]?(?:Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
DIGITS = {"0x": (16, re.compile(r"[0-9a-fA-F]+")), "0o": (8, re.compile(r"[0-7]+")), "0b": (2, re.compile(r"[01]+"))}
PLAIN_FROM, PLAIN_TO = 1e-4, 1e16
"""Between these Python prints the same digits as JavaScript, but for a trailing ``.0``."""


def from_text(text: str) -> float | None:
    """Read a number as ``Number(text)`` does; None for the empty string and for what is not a number.

    White space around it is allowed and white space alone is 0. Too large a number is infinite.
    """
    if not text:
        return None
    body = text.strip(WHITESPACE)
    if not body:
        return 0.0
    if DECIMAL.fullmatch(body):
        return float(body)
    return _from_digits(body)


def _from_digits(body: str) -> float | None:
    """Read ``0x``, ``0o`` and ``0b`` numbers, which have no sign."""
    base, pattern = DIGITS.get(body[:2].lower(), (0, None))
    if pattern is None or not pattern.fullmatch(body, 2):
        return None
    try:
        return float(int(body[2:], base))
    except OverflowError:
        return math.inf


def to_text(value: float) -> str:
    """Print a number as ``String(value)`` does: the shortest digits that read back as the same number."""
    if value != value or math.isinf(value):  # noqa: PLR0124 the quickest test for NaN
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if PLAIN_FROM <= abs(value) < PLAIN_TO:
        return repr(float(value)).removesuffix(".0")
    return _laid_out(value) if value else "0"


def _laid_out(value: float) -> str:
    """Lay out the shortest digits of a number that Python prints with an exponent."""
    mantissa, _, power = repr(abs(float(value))).partition("e")
    whole, _, fraction = mantissa.removesuffix(".0").partition(".")
    digits, point = whole + fraction, len(whole) + int(power)
    if point > 21:  # noqa: PLR2004 the standard's own bound: 1e21 is the first with an exponent
        text = _scientific(digits, point - 1)
    elif point > 0:
        text = digits + "0" * (point - len(digits))
    elif point > -6:  # noqa: PLR2004 the standard's own bound: 1e-7 is the first with an exponent
        text = "0." + "0" * -point + digits
    else:
        text = _scientific(digits, point - 1)
    return "-" + text if value < 0 else text


def _scientific(digits: str, power: int) -> str:
    fraction = "." + digits[1:] if digits[1:] else ""
    return f"{digits[0]}{fraction}e{power:+d}"
