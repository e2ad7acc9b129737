"""Targets as Graphite writes them: paths with globs, calls, pipes, templates.

Rules:

* The whole text is a target; what cannot be read is named with its place.
* ``a | f(b)`` is ``f(a, b)``. ``template(target, name="x")`` is the target with ``$name`` replaced.
* Strings are taken as they stand, backslashes too; in a path a backslash takes the meaning of the next sign away.
* Length and depth are bounded, see `limits`.

Source: graphite-web 1.1, "The Render URL API", and what its grammar accepts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from nilometer.query.limits import MOST_DEPTH, MOST_TARGET_LENGTH, QueryError, TooMuch

if TYPE_CHECKING:
    from collections.abc import Mapping

Constant = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Path:
    """A path, or a pattern of paths."""

    text: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: Constant


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function; `text` is how it was written."""

    name: str
    args: tuple[Node, ...]
    kwargs: tuple[tuple[str, Node], ...]
    text: str


@dataclass(frozen=True, slots=True)
class Template:
    """A target with names in it, and what they stand for."""

    target: Node
    values: Mapping[str, Constant]


Node = Path | Literal | Call | Template

NAME = r"[A-Za-z_][A-Za-z0-9_]*"
SPECIAL = r"""(){},.'"\\|"""
PART = rf"(?:\\[{SPECIAL}=]|[^\s{SPECIAL}])+"
ELEMENT = rf"(?:{PART}|\{{{PART}(?:,{PART})*\}})+"
PATH = re.compile(rf"{ELEMENT}(?:\.{ELEMENT})*")
CALL = re.compile(rf"({NAME})\s*\(")
KEYWORD = re.compile(rf"({NAME})\s*=")
END = r"(?=\s*(?:[,)]|$))"
NUMBER = re.compile(rf"(-?\d+)(\.\d+)?([eE]-?\d+)?{END}")
WORD = re.compile(rf"(true|false|none|inf){END}", re.IGNORECASE)
WORDS: Mapping[str, Constant] = {"true": True, "false": False, "none": None, "inf": float("inf")}
STRING = re.compile(r""""(?:[^"\n\r\\]|""|\\[^\n\r])*"|'(?:[^'\n\r\\]|''|\\[^\n\r])*'""")
ESCAPED = re.compile(rf"\\([{SPECIAL}=])")
SPACE = re.compile(r"\s*")
MOST_DIGITS = 400


def parse(text: str) -> Node:
    """Return the target that the whole text is. Raise `QueryError` where it is none."""
    parser = _Parser(text)
    node = parser.expression()
    if parser.at < len(text):
        parser.refuse("the target should end here")
    return node


def first_path(text: str) -> str | None:
    """Return the path that a series' name begins with, inside its calls: of ``scale(a.b,2)`` it is ``a.b``."""
    try:
        node = _Parser(text).expression()
    except QueryError:
        return None
    while isinstance(node, Call) and node.args:
        node = node.args[0]
    return node.text if isinstance(node, Path) else None


class _Parser:
    def __init__(self, text: str) -> None:
        if len(text) > MOST_TARGET_LENGTH:
            message = f"a target has more than {MOST_TARGET_LENGTH} characters"
            raise TooMuch(message)
        self._text, self._depth = text, 0
        self.at = 0
        self._skip()

    def refuse(self, problem: str) -> NoReturn:
        """Raise the error for the place that is read."""
        near = self._text[self.at : self.at + 20] or "the end"
        shown = self._text if len(self._text) <= 200 else self._text[:200] + "…"  # noqa: PLR2004 enough to know it again
        message = f"cannot read the target {shown!r} at character {self.at + 1} ({near!r}): {problem}"
        raise QueryError(message)

    def _skip(self) -> None:
        found = SPACE.match(self._text, self.at)
        self.at = self.at if found is None else found.end()

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self.at)
        if found is not None:
            self.at = found.end()
            self._skip()
        return found

    def _sign(self, sign: str) -> bool:
        if not self._text.startswith(sign, self.at):
            return False
        self.at += len(sign)
        self._skip()
        return True

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            message = f"the target has more than {MOST_DEPTH} calls within calls"
            raise TooMuch(message)

    def expression(self) -> Node:
        """Read a path, a call or a template, and the calls that it is piped into."""
        depth = self._depth
        node = self._operand()
        while self._sign("|"):
            self._deeper()
            begin = self.at
            name = self._take(CALL)
            if name is None:
                self.refuse("after | comes a function, like | scale(2)")
            piped = self._call(name.group(1), begin)
            node = Call(piped.name, (node, *piped.args), piped.kwargs, piped.text)
        self._depth = depth
        return node

    def _operand(self) -> Node:
        begin = self.at
        name = self._take(CALL)
        if name is not None:
            return self._template() if name.group(1) == "template" else self._call(name.group(1), begin)
        path = self._take(PATH)
        if path is None:
            self.refuse("expected a path, like servers.*.cpu, or a function, like sumSeries(…)")
        return Path(ESCAPED.sub(r"\1", path.group()))

    def _call(self, name: str, begin: int) -> Call:
        depth = self._depth
        self._deeper()
        args: list[Node] = []
        kwargs: dict[str, Node] = {}
        while not self._sign(")"):
            if (args or kwargs) and not self._sign(","):
                self.refuse("expected , or )")
            keyword = self._take(KEYWORD)
            if keyword is not None:
                kwargs[keyword.group(1)] = self._argument()
            elif kwargs:
                self.refuse("after an argument with a name all need one")
            else:
                args.append(self._argument())
        self._depth = depth
        return Call(name, tuple(args), tuple(kwargs.items()), self._text[begin : self.at].rstrip())

    def _argument(self) -> Node:
        constant = self._constant()
        return self.expression() if constant is None else constant

    def _constant(self) -> Literal | None:
        word = self._take(WORD)
        if word is not None:
            return Literal(WORDS[word.group(1).lower()])
        number = self._take(NUMBER)
        if number is not None:
            return Literal(self._number(number))
        string = self._take(STRING)
        return None if string is None else Literal(string.group()[1:-1])

    def _number(self, found: re.Match[str]) -> float:
        if len(found.group()) > MOST_DIGITS:
            self.refuse(f"the number before it has more than {MOST_DIGITS} digits")
        return float(found.group()) if found.group(2) or found.group(3) else int(found.group())

    def _template(self) -> Template:
        self._deeper()
        target = self._operand()
        values: dict[str, Constant] = {}
        place = 0
        while not self._sign(")"):
            if not self._sign(","):
                self.refuse("expected , or )")
            keyword = self._take(KEYWORD)
            value = self._constant()
            if value is None or value.value is None or isinstance(value.value, bool):
                self.refuse("template() takes a target, then strings and numbers alone")
            place += 1
            values[str(place) if keyword is None else keyword.group(1)] = value.value
        self._depth -= 1
        return Template(target, values)
