"""Reads JSON, and the JavaScript literals that statsd's configuration files are made of. Nothing is ever executed.

Rules:

* Objects, lists, numbers, texts, ``true``, ``false``, ``null``, ``undefined``, ``NaN`` and ``Infinity``, with JavaScript's
  comments, quotes, names as keys, forms of numbers and commas at the end. What is read is what JavaScript makes of it.
* Besides, texts and numbers are joined by ``+``; ``require('os').hostname()`` is this machine's name; a text may be cut by
  ``.split('.')`` and one part taken by ``[0]``. statsd's own example needs these.
* The whole may stand in parentheses, behind ``module.exports =``, and end in a semicolon.
* Anything else is a `ConfigError` that names file, line and column, and what was expected there.
* What is nested deeper than `DEEPEST` is refused.
"""

from __future__ import annotations

import math
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TypeGuard

from nilometer.core.errors import ConfigError
from nilometer.core.wire.number import to_text
from nilometer.ingest.statsd import tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nilometer.ingest.statsd.mode import Json

DEEPEST = 64
LONGEST_PATH = 200
"""Characters of a value's path; the places of values with longer ones are not kept."""
SHOWN = 20
WORDS: dict[str, Json] = {"true": True, "false": False, "null": None, "NaN": math.nan, "Infinity": math.inf}
EXPORTS = re.compile(r"module\s*\.\s*exports\s*=(?!=)")
VALUE = "a value: a text, a number, true, false, null, a list or an object"
NEVER = f"{VALUE}; nothing in the file is executed, so write what this comes to"
METHODS = "nothing, or .split('.') with a part such as [0]"


class _Undefined:
    """JavaScript's ``undefined``: a key that has it is not there."""


UNDEFINED = _Undefined()


@dataclass(frozen=True, slots=True)
class Literal:
    """What was read, and where: `places` maps the path of a value, as in ``servers[0].port``, to its offset in `text`."""

    name: str
    text: str
    value: Json
    places: Mapping[str, int]

    def place(self, path: str) -> str:
        """Return ``NAME:LINE:COLUMN`` of a value, or the name alone."""
        return where(self.name, self.text, self.places[path]) if path in self.places else self.name


def where(name: str, text: str, offset: int) -> str:
    """Return ``NAME:LINE:COLUMN``; both count from 1, columns in characters."""
    ends = [match.end() for match in tokens.LINE_END.finditer(text, 0, offset)]
    return f"{name}:{len(ends) + 1}:{offset - (ends[-1] if ends else 0) + 1}"


def read(text: str, name: str, hostname: Callable[[], str] = socket.gethostname) -> Literal:
    """Read a whole file; `name` stands in messages. Raise `ConfigError`."""
    reader = _Reader(text, name, hostname)
    value = reader.whole()
    return Literal(name, text, value, reader.places)


class _Reader:
    """Goes through a text once, from left to right."""

    def __init__(self, text: str, name: str, hostname: Callable[[], str]) -> None:
        self._text, self._name, self._hostname = text, name, hostname
        self._at = 0
        self.places: dict[str, int] = {}

    def whole(self) -> Json:
        """Read the text to its end."""
        self._skip()
        if self._at == len(self._text):
            self._fail('an object of keys and values, such as {"graphiteHost": "localhost"}')
        if found := EXPORTS.match(self._text, self._at):
            self._at = found.end()
        value = self._value("", 0)
        self._take(";")
        if self._at < len(self._text):
            self._fail("the end of the file")
        if isinstance(value, _Undefined):
            self._fail(VALUE, 0)
        return value

    def _fail(self, expected: str, at: int | None = None) -> NoReturn:
        at = self._at if at is None else at
        rest = self._text[at : at + SHOWN]
        found = tokens.name(rest, 0) or rest.split(maxsplit=1)[0] if rest.strip() else rest
        shown = repr(found) if rest else "the end of the file"
        shown = shown if shown.isprintable() else ascii(shown)
        message = f"{where(self._name, self._text, at)}: expected {expected}; found {shown}"
        raise ConfigError(message)

    def _skip(self) -> None:
        """Go on to the next token. Its end is where the last one is complete."""
        gap = tokens.GAP.match(self._text, self._at)
        self._at = gap.end() if gap else self._at
        if self._text.startswith("/*", self._at):
            self._fail("*/ at the end of this comment")

    def _take(self, sign: str) -> bool:
        """Go over a sign and the space behind it, if it is there."""
        if not self._text.startswith(sign, self._at):
            return False
        self._at += len(sign)
        self._skip()
        return True

    def _need(self, sign: str, expected: str = "") -> None:
        if not self._take(sign):
            self._fail(expected or sign)

    def _value(self, path: str, depth: int) -> Json | _Undefined:
        """Read an operand, and what ``+`` joins to it."""
        if depth > DEEPEST:
            self._fail(f"at most {DEEPEST} levels")
        if len(path) <= LONGEST_PATH:
            self.places[path] = self._at
        value = self._operand(path, depth)
        while _joins(value) and not self._text.startswith("++", self._at) and self._take("+"):
            begin = self._at
            other = self._operand("", depth)
            if not _joins(other):
                self._fail("a text or a number", begin)
            value = _joined(value, other)
        return value

    def _operand(self, path: str, depth: int) -> Json | _Undefined:
        self._skip()
        first = self._text[self._at : self._at + 1]
        if first == "{":
            return self._object(path, depth)
        if first == "[":
            return self._list(path, depth)
        if first == "(":
            return self._parenthesis(path, depth)
        if first in ("'", '"'):
            return self._methods(self._quoted())
        if first in ("+", "-"):
            return self._signed()
        number = self._number()
        return self._word() if number is None else number

    def _object(self, path: str, depth: int) -> dict[str, Json]:
        found: dict[str, Json] = {}
        self._need("{")
        while not self._take("}"):
            begin, key = self._at, self._key()
            if key == "__proto__":
                self._fail("another key: this one is not an object's own in JavaScript", begin)
            self._need(":", f": and a value after the key {key!r}"[:80])
            value = self._value(self._below(path, f".{key}" if path else key), depth + 1)
            found.pop(key, None)
            if not isinstance(value, _Undefined):
                found[key] = value
            if not self._take(",") and not self._text.startswith("}", self._at):
                self._fail(", or }")
        return found

    def _below(self, path: str, part: str) -> str:
        """Return the path of an inner value; one that is too long stays so."""
        return path if len(path) > LONGEST_PATH else path + part

    def _key(self) -> str:
        if self._text.startswith(("'", '"'), self._at):
            return self._quoted()
        number = self._number()
        if number is not None:
            return to_text(number)
        name = self._name_here()
        if name is None:
            self._fail("a key, or }")
        self._skip()
        return name

    def _name_here(self) -> str | None:
        """Go over a name, if there is one."""
        name = tokens.name(self._text, self._at)
        self._at += len(name)
        return name or None

    def _list(self, path: str, depth: int) -> list[Json]:
        found: list[Json] = []
        self._need("[")
        while not self._take("]"):
            begin = self._at
            value = self._value(self._below(path, f"[{len(found)}]"), depth + 1)
            if isinstance(value, _Undefined):
                self._fail(VALUE, begin)
            found.append(value)
            if not self._take(",") and not self._text.startswith("]", self._at):
                self._fail(", or ]")
        return found

    def _parenthesis(self, path: str, depth: int) -> Json | _Undefined:
        self._need("(")
        value = self._value(path, depth + 1)
        self._need(")")
        return self._methods(value) if isinstance(value, str) else value

    def _quoted(self) -> str:
        """Read a text in quotes."""
        begin, quote = self._at, self._text[self._at]
        match = tokens.TEXT[quote].match(self._text, begin)
        if match is None:
            self._fail(f"a text that ends in {quote} on the same line")
        try:
            value = tokens.text(match[1])
        except tokens.Fault as fault:
            self._fail(fault.expected, begin + 1 + fault.at)
        self._at = match.end()
        self._skip()
        return value

    def _signed(self) -> float:
        """Read a number behind its sign."""
        negative = self._text[self._at] == "-"
        self._at += 1
        self._skip()
        value = self._number()
        if value is None:
            begin, name = self._at, self._name_here()
            if name not in ("Infinity", "NaN"):
                self._fail("a number", begin)
            self._skip()
            value = math.inf if name == "Infinity" else math.nan
        return -value if negative else value

    def _number(self) -> float | None:
        match = tokens.NUMBER.match(self._text, self._at)
        if match is None:
            return None
        if tokens.AFTER_NUMBER.match(self._text, match.end()):
            self._fail("a number")
        self._at = match.end()
        self._skip()
        return tokens.number(match)

    def _word(self) -> Json | _Undefined:
        begin, name = self._at, self._name_here()
        self._skip()
        if name == "undefined":
            return UNDEFINED
        if name == "require":
            return self._methods(self._machine(begin))
        if name not in WORDS:
            self._fail(VALUE if name is None and self._text[begin : begin + 1] != "`" else NEVER, begin)
        return WORDS[name]

    def _machine(self, begin: int) -> str:
        """Read on after ``require``, of which only the machine's name is known."""
        self._need("(")
        module = self._quoted() if self._text.startswith(("'", '"'), self._at) else ""
        if module not in ("os", "node:os"):
            self._fail("require('os').hostname(), the only thing that can be required", begin)
        for sign in (")", ".", "hostname", "(", ")"):
            self._need(sign, f"require('os').hostname(): {sign} here")
        return self._hostname()

    def _methods(self, value: str) -> Json:
        """Read ``.split('.')`` behind a text, and the part that is taken of it."""
        begin = self._at
        if not self._take("."):
            return value
        if self._name_here() != "split":
            self._fail(METHODS, begin)
        self._skip()
        self._need("(")
        begin = self._at
        separator = self._quoted() if self._text.startswith(("'", '"'), self._at) else ""
        if not separator:
            self._fail("a text of one or more characters", begin)
        self._need(")")
        return self._part(value.split(separator))

    def _part(self, parts: list[str]) -> Json:
        """Read ``[0]`` behind the parts of a text."""
        if not self._take("["):
            return list(parts)
        begin, index = self._at, self._number()
        if not isinstance(index, int) or index >= len(parts):
            self._fail(f"the number of a part, from 0 to {len(parts) - 1}", begin)
        self._need("]")
        return parts[index]


def _joins(value: Json | _Undefined) -> TypeGuard[str | float]:
    """Whether ``+`` may stand beside a value."""
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _joined(left: str | float, right: str | float) -> str | float:
    """Return what ``+`` makes of two values: the sum of numbers, else their texts joined."""
    if isinstance(left, str) or isinstance(right, str):
        return "".join(part if isinstance(part, str) else to_text(part) for part in (left, right))
    return tokens.plain(float(left) + float(right)) if math.isfinite(left) and math.isfinite(right) else left + right
