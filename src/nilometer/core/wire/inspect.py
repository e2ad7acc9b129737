"""Values as Node's ``util.inspect`` shows them, which is how statsd prints and dumps its tables.

Rules:

* Objects (mappings), lists, texts, numbers, true, false and null; the layout is that of Node 12 and later, to the character.
* Beyond `Style.depth` levels an object is ``[Object]``; a list shows its first 100 items.

Source: ``lib/internal/util/inspect.js`` of Node 20: ``formatValue``, ``reduceToSingleString``, ``groupArrayElements``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from nilometer.core.wire.number import to_text

Tree: TypeAlias = "Mapping[str, Tree] | Sequence[Tree] | str | float | bool | None"

WIDTH, BESIDE = 80, 10
COMPACT = 3
"""An object that holds at most so many levels may stand on one line."""
MOST_ITEMS, GROUPED = 100, 6
MOST_COLUMNS = 15
PLAIN_KEY = re.compile(r"[a-zA-Z_][a-zA-Z_0-9]*")
COLOUR = re.compile(r"\x1b\[\d+m")
ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", "\\": "\\\\"}
NUMBER, TEXT, SPECIAL, BOLD = (33, 39), (32, 39), (36, 39), (1, 22)


@dataclass(frozen=True, slots=True)
class Style:
    """How deep to go (None: all the way) and whether to colour, as the options of ``util.inspect``."""

    depth: int | None = 2
    colours: bool = False


def inspect(value: Tree, style: Style = Style()) -> str:
    """Return the value as ``util.inspect(value, {depth, colors})``."""
    return _Inspector(style).value(value, 0, 0)


@dataclass(slots=True)
class _Inspector:
    """One call of ``util.inspect``. `deepest` is the level of the object that was entered last, as Node keeps it."""

    style: Style
    deepest: int = field(default=0)

    def value(self, value: Tree, level: int, indent: int) -> str:
        """Return a value that stands at some level of nesting, its lines indented by so many columns."""
        if isinstance(value, str):
            return self._coloured(_quoted(value), TEXT)
        if isinstance(value, bool) or value is None:
            return self._coloured("null" if value is None else str(value).lower(), BOLD if value is None else NUMBER)
        if isinstance(value, int | float):
            return self._coloured(to_text(value) if value or math.copysign(1, value) > 0 else "-0", NUMBER)
        return self._nested(value, level, indent)

    def _coloured(self, text: str, colour: tuple[int, int]) -> str:
        return f"\x1b[{colour[0]}m{text}\x1b[{colour[1]}m" if self.style.colours else text

    def _nested(self, value: Mapping[str, Tree] | Sequence[Tree], level: int, indent: int) -> str:
        listed = not isinstance(value, Mapping)
        pair = "[]" if listed else "{}"
        if not value:
            return pair
        if self.style.depth is not None and level > self.style.depth:
            return self._coloured("[Array]" if listed else "[Object]", SPECIAL)
        self.deepest = level
        entries = self._items(value, level, indent) if not isinstance(value, Mapping) else self._pairs(value, level, indent)
        before = len(entries)
        if listed and before > GROUPED:
            entries = self._grouped(entries, value, indent)
        if self.deepest - level < COMPACT and len(entries) == before and self._fits(entries, indent):
            return f"{pair[0]} {', '.join(entries)} {pair[1]}"
        space = "\n" + " " * indent
        return f"{pair[0]}{space}  {f',{space}  '.join(entries)}{space}{pair[1]}"

    def _items(self, value: Sequence[Tree], level: int, indent: int) -> list[str]:
        shown = [self.value(item, level + 1, indent + 2) for item in value[:MOST_ITEMS]]
        more = len(value) - MOST_ITEMS
        return [*shown, f"... {more} more item{'s' if more > 1 else ''}"] if more > 0 else shown

    def _pairs(self, value: Mapping[str, Tree], level: int, indent: int) -> list[str]:
        return [f"{self._key(key)}: {self.value(item, level + 1, indent + 2)}" for key, item in value.items()]

    def _key(self, key: str) -> str:
        if key == "__proto__":
            return "['__proto__']"
        return key if PLAIN_KEY.fullmatch(key) else self._coloured(_quoted(key), TEXT)

    def _length(self, entry: str) -> int:
        plain = COLOUR.sub("", entry) if self.style.colours else entry
        return len(plain.encode("utf-16-le", "surrogatepass")) // 2

    def _fits(self, entries: list[str], indent: int) -> bool:
        """Whether the entries fit on one line."""
        total = 2 * len(entries) + indent + 1 + BESIDE
        return (
            total + len(entries) <= WIDTH
            and total + sum(map(self._length, entries)) <= WIDTH
            and not any("\n" in entry for entry in entries)
        )

    def _grouped(self, entries: list[str], value: Sequence[Tree] | Mapping[str, Tree], indent: int) -> list[str]:
        """Return the items of a long list in lines of several columns, where they are of about the same length."""
        items = entries[:MOST_ITEMS]
        lengths = [self._length(item) for item in items]
        widest, total = max(lengths) + 2, sum(lengths) + 2 * len(lengths)
        if widest * 3 + indent >= WIDTH or not (total / widest > 5 or widest <= 8):  # noqa: PLR2004 Node's own bounds
            return entries
        columns = _columns(widest, total, len(entries), len(items), indent)
        if columns <= 1:
            return entries
        widths = [max(lengths[column::columns]) for column in range(min(columns, len(items)))]
        numeric = all(isinstance(item, int | float) and not isinstance(item, bool) for item in value)
        lines = [
            _line(items[at : at + columns], lengths[at : at + columns], widths, numeric=numeric)
            for at in range(0, len(items), columns)
        ]
        return lines + entries[MOST_ITEMS:]


def _columns(widest: int, total: int, entries: int, items: int, indent: int) -> int:
    """Return how many items stand in a line: about a square, seen with letters 2.5 times as high as wide."""
    biased = max(widest - 3 - math.sqrt(widest - total / entries), 1)
    square = math.floor(math.sqrt(2.5 * biased * items) / biased + 0.5)
    return min(square, (WIDTH - indent) // widest, COMPACT * 4, MOST_COLUMNS)


def _line(items: Sequence[str], lengths: Sequence[int], widths: Sequence[int], *, numeric: bool) -> str:
    """Return one line of items, numbers aligned right, all else left."""
    gaps = [" " * (width - length) for length, width in zip(lengths, widths, strict=False)]
    if numeric:
        return ", ".join(gap + item for gap, item in zip(gaps, items, strict=True))
    padded = [f"{item}, {gap}" for gap, item in zip(gaps[:-1], items[:-1], strict=True)]
    return "".join(padded) + items[-1]


def _quoted(text: str) -> str:
    """Return a text in the quotes that need the fewest escapes."""
    quote = "'"
    if "'" in text:
        quote = '"' if '"' not in text else "`" if "`" not in text and "${" not in text else "'"
    return quote + "".join(_escaped(sign, quote) for sign in text) + quote


def _escaped(sign: str, quote: str) -> str:
    if sign == quote:
        return "\\" + sign
    if sign in ESCAPES:
        return ESCAPES[sign]
    code = ord(sign)
    if code < 0x20 or 0x7F <= code <= 0x9F:  # noqa: PLR2004 the control characters
        return f"\\x{code:02X}"
    return f"\\u{code:x}" if 0xD800 <= code <= 0xDFFF else sign  # noqa: PLR2004 halves of a pair
