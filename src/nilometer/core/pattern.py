"""Patterns of names: globs, prefixes and regular expressions, all as one kind of regular expression; and templates.

Rules:

* What comes out means the same to Python's ``re`` and to Rust's ``regex``: classes are spelt out, in ASCII; names of groups
  are written ``(?P<name>…)``; what is not special is escaped.
* What the two do not share is refused here, once: look-around, back-references, word boundaries, possessive repeats.
* A repeat, nested ones multiplied, is at most 1000, as in Go, so that no pattern compiles to more than memory holds.

Syntax: https://docs.rs/regex/latest/regex/#syntax and https://pkg.go.dev/regexp/syntax
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NoReturn

from nilometer.core.errors import SettingError

CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\v\f\r "}
POSIX = {"alpha": "A-Za-z", "digit": "0-9", "alnum": "0-9A-Za-z", "lower": "a-z", "upper": "A-Z", "word": "0-9A-Za-z_"}
POSIX |= {"space": r"\t\n\v\f\r ", "xdigit": "0-9A-Fa-f"}
CONTROLS = {"t": r"\t", "n": r"\n", "r": r"\r", "f": r"\f", "v": r"\v"}
SPECIAL = frozenset("\\.+*?()|[]{}^$#&-~")
REPEAT = re.compile(r"\{([0-9]{1,4})(,([0-9]{0,4}))?\}")
GROUP = re.compile(r"\?P?<([A-Za-z_][A-Za-z0-9_]*)>")
REFERENCE = re.compile(r"\$(?:\{([^}]*)\}|(\w+)|(\$))", re.ASCII)
MOST = 1000
LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression for all kernels: how many groups it has, and the numbers of those with a name."""

    text: str
    groups: int = 0
    names: dict[str, int] = field(default_factory=dict)


def glob(text: str) -> Pattern:
    """Return the pattern of a glob: ``*`` stands for anything without a dot, and is a group."""
    parts = text.split("*")
    return Pattern(f"^{'([^.]*)'.join(map(_literal, parts))}$", len(parts) - 1)


def prefix(text: str) -> Pattern:
    """Return the pattern of a name's beginning."""
    return Pattern("^" + _literal(text))


def regex(text: str) -> Pattern:
    """Return the pattern of a regular expression. Raise `SettingError` for what is none, or is not shared by all kernels."""
    if len(text) > LONGEST:
        message = f"a regular expression of more than {LONGEST} characters"
        raise SettingError(message)
    parser = _Parser(text)
    found = parser.whole()
    try:
        re.compile(found)
    except (re.error, OverflowError, RecursionError) as error:
        message = f"{text!r}: {error}"
        raise SettingError(message) from error
    return Pattern(found, parser.groups, parser.names)


def template(text: str, pattern: Pattern) -> tuple[str | int, ...]:
    """Return the parts of a template: texts, and the numbers of groups (``$1``, ``${1}``, ``$name``; ``$$`` is a dollar).

    Raise `SettingError` for a group that the pattern does not have.
    """
    parts: list[str | int] = []
    end = 0
    for match in REFERENCE.finditer(text):
        parts += [text[end : match.start()], "$" if match[3] else _group(match[1] or match[2] or "", pattern)]
        end = match.end()
    return tuple(part for part in [*parts, text[end:]] if part != "")


def _group(name: str, pattern: Pattern) -> int:
    number = int(name) if name.isdigit() and len(name) < len(str(LONGEST)) else pattern.names.get(name, -1)
    if not 0 <= number <= pattern.groups:
        known = [f"${each}" for each in (*range(pattern.groups + 1), *pattern.names)]
        message = (
            f"{'$' + name!r} is no group of the pattern: it has {', '.join(known)}; write ${{1}} before letters and digits"
        )
        raise SettingError(message)
    return number


def _literal(text: str) -> str:
    return "".join("\\" + character if character in SPECIAL else character for character in text)


class _Parser:
    """Reads a regular expression once, from left to right."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self.groups, self.names = 0, dict[str, int]()

    def refuse(self, reason: str) -> NoReturn:
        message = f"{self._text!r} at character {self._at + 1}: {reason}"
        raise SettingError(message)

    def _next(self, wanted: str) -> bool:
        """Step over a text if it stands here."""
        found = self._text.startswith(wanted, self._at)
        self._at += len(wanted) if found else 0
        return found

    def _take(self) -> str:
        if self._at >= len(self._text):
            self.refuse("it ends too early")
        self._at += 1
        return self._text[self._at - 1]

    def whole(self) -> str:
        flags = "(?i)" if self._next("(?i)") else ""
        found, _ = self._alternatives(0)
        if self._at < len(self._text):
            self.refuse("')' without '('")
        return flags + found

    def _alternatives(self, depth: int) -> tuple[str, int]:
        """Return the expression up to the end or a ``)``, and how often its largest repeat repeats."""
        if depth > 50:  # noqa: PLR2004 deeper ones are nobody's
            self.refuse("groups within groups within groups")
        parts, most = [""], 1
        while self._at < len(self._text) and self._text[self._at] != ")":
            if self._next("|"):
                parts.append("")
                continue
            piece, times = self._repeated(depth)
            parts[-1] += piece
            most = max(most, times)
        return "|".join(parts), most

    def _repeated(self, depth: int) -> tuple[str, int]:
        atom, times = self._atom(depth)
        match = REPEAT.match(self._text, self._at)
        if match is None and self._text[self._at : self._at + 1] not in {"*", "+", "?"}:
            return atom, times
        repeat = match[0] if match else self._text[self._at]
        if atom in ("^", "$"):
            self.refuse("nothing to repeat")
        self._at += len(repeat)
        if match:
            times *= max(int(match[1]), int(match[3] or 0), 1)
        if times > MOST:
            self.refuse(f"it repeats more than {MOST} times")
        lazy = "?" if self._next("?") else ""
        if self._text[self._at : self._at + 1] in {"*", "+", "?"} or REPEAT.match(self._text, self._at):
            self.refuse("a repeat of a repeat")
        return atom + repeat + lazy, times

    def _atom(self, depth: int) -> tuple[str, int]:
        character = self._take()
        if character == "(":
            return self._groups(depth)
        if character == "[":
            return self._class(), 1
        if character == "\\":
            return self._escape(), 1
        if character in "*+?":
            self._at -= 1
            self.refuse("nothing to repeat")
        return character if character in ".^$" else _literal(character), 1

    def _groups(self, depth: int) -> tuple[str, int]:
        match = GROUP.match(self._text, self._at)
        head = "(" if match is None else f"(?P<{match[1]}>"
        if self._next("?:"):
            head = "(?:"
        else:
            self.groups += 1
            if match is not None:
                self._at = match.end()
                self.names[match[1]] = self.groups
            elif self._next("?"):
                self.refuse("of (?, only (?:…), (?P<name>…) and (?i) at the start are supported")
        inside, times = self._alternatives(depth + 1)
        if not self._next(")"):
            self.refuse("a ')' is missing")
        return f"{head}{inside})", times

    def _escape(self) -> str:
        character = self._take()
        if character.lower() in CLASSES:
            return f"[{'^' if character.isupper() else ''}{CLASSES[character.lower()]}]"
        return self._escaped(character)

    def _escaped(self, character: str) -> str:
        if character in CONTROLS:
            return CONTROLS[character]
        if character.isalnum() or ord(character) > 127:  # noqa: PLR2004 the end of ASCII
            self._at -= 1
            self.refuse(f"\\{character} is not supported: it does not mean the same everywhere")
        return _literal(character)

    def _class(self) -> str:
        inside = "^" if self._next("^") else ""
        first = True
        while first or not self._next("]"):
            inside += self._member()
            first = False
        return f"[{inside}]"

    def _member(self) -> str:
        """Return one member of a class: a range, a character, or a class by name."""
        for name, members in POSIX.items():
            if self._next(f"[:{name}:]"):
                return members
        low = self._one()
        if (
            low in CLASSES.values()
            or self._text[self._at : self._at + 1] != "-"
            or self._text[self._at + 1 : self._at + 2] == "]"
        ):
            return low
        self._at += 1
        return f"{low}-{self._one()}"

    def _one(self) -> str:
        character = self._take()
        if character != "\\":
            return _literal(character)
        character = self._take()
        return CLASSES[character] if character in CLASSES else self._escaped(character)
