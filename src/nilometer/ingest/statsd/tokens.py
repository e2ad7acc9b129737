"""The smallest parts of a JavaScript literal: white space and comments, numbers, texts with their escapes, names.

Source: ECMAScript 2023, chapter 12 and annex B.1 (octal numbers and escapes, which scripts that are not strict may hold).
"""

from __future__ import annotations

import math
import re

LINE_END = re.compile(r"\r\n|[\n\r\u2028\u2029]")
GAP = re.compile(
    r"(?:[\t\v\f \u00a0\ufeff\u1680\u2000-\u200a\u202f\u205f\u3000\n\r\u2028\u2029]++"
    r"|//[^\n\r\u2028\u2029]*+|/\*(?s:.*?)\*/)*+"
)
"""White space, ends of lines and comments, as many as there are."""

NAME = re.compile(r"[\w$\u0300-\U0010ffff]++")
DIGITS = "[0-9](?:_?[0-9])*+"
NUMBER = re.compile(
    r"0[xX](?P<hex>[0-9a-fA-F](?:_?[0-9a-fA-F])*+)|0[oO](?P<octal>[0-7](?:_?[0-7])*+)|0[bB](?P<binary>[01](?:_?[01])*+)"
    r"|(?P<old>0[0-7]++)(?![89])"
    rf"|(?P<decimal>(?:(?:0[0-9]*+|[1-9](?:_?[0-9])*+)(?:\.(?:{DIGITS})?)?|\.{DIGITS})(?:[eE][+-]?{DIGITS})?)"
)
BASES = {"hex": 16, "octal": 8, "old": 8, "binary": 2}
AFTER_NUMBER = re.compile(r"[\w$\\]")
"""What must not follow a number directly."""

TEXT = {quote: re.compile(rf"{quote}((?:[^{quote}\\\n\r]|\\(?:\r\n|(?s:.)))*+){quote}") for quote in "'\""}
ESCAPE = re.compile(
    r"\\(?:(?P<end>\r\n|[\n\r\u2028\u2029])|x(?P<two>[0-9a-fA-F]{2})|u(?P<four>[0-9a-fA-F]{4})|u\{(?P<any>[0-9a-fA-F]+)\}"
    r"|(?P<octal>[0-3][0-7]{0,2}|[4-7][0-7]?)|(?P<sign>(?s:.)))"
)
SIGNS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}
LAST = 0x10FFFF
EXACT = 1 << 53
"""Up to here every whole number is a float64."""


class Fault(ValueError):
    """What is wrong in a token, `at` so many characters from its beginning."""

    def __init__(self, expected: str, at: int) -> None:
        super().__init__(expected)
        self.expected, self.at = expected, at


def number(match: re.Match[str]) -> float:
    """Return the value of a `NUMBER`, whole ones as int."""
    digits = match[match.lastgroup or 0].replace("_", "")
    if match.lastgroup == "decimal":
        return plain(float(digits))
    try:
        return plain(float(int(digits, BASES[match.lastgroup or ""])))
    except OverflowError:
        return math.inf


def name(source: str, at: int) -> str:
    """Return the name that begins at a place, empty when none does."""
    match = NAME.match(source, at)
    found = "" if match is None else match[0]
    for index, sign in enumerate(found):
        if sign != "$" and not (("_" if index else "") + sign).isidentifier():
            return found[:index]
    return found


def plain(value: float) -> float:
    """Return a number as int where it is whole and exact."""
    return int(value) if value.is_integer() and abs(value) <= EXACT else value


def text(body: str) -> str:
    """Return what stands between the quotes, its escapes resolved. Raise `Fault` for what is no escape or no character."""
    if "\\" in body:
        body = ESCAPE.sub(_resolved, body)
    try:
        return body.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        message = "whole characters: one half of a pair of surrogates stands alone"
        raise Fault(message, 0) from None


def _resolved(match: re.Match[str]) -> str:
    kind, found = match.lastgroup, match[match.lastgroup or 0]
    if kind == "end":
        return ""
    if kind == "octal":
        return chr(int(found, 8))
    if kind == "sign":
        if found in "xu":
            message = r"hexadecimal digits, as in \x41 or \u0041"
            raise Fault(message, match.start())
        return SIGNS.get(found, found)
    code = int(found, 16)
    if code > LAST:
        message = "a character's number of at most 10FFFF"
        raise Fault(message, match.start())
    return chr(code)
