"""A flush as StatsD lines, and the lines as packets. What a flush turns into is told at the top of `statsd`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nilometer.core.record import Kind
from nilometer.core.wire.key import split
from nilometer.core.wire.number import to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nilometer.core.record import Block, Column, Flush

FOREIGN = re.compile(r"[\s:|@#,\x00-\x1f]")
"""What would end a name or a tag on this wire; it becomes ``_``."""


@dataclass(frozen=True, slots=True)
class Lines:
    """How a flush is put into lines.

    `prefix` stands before every name. `dogstatsd` puts tags behind the line (``|#tag:value``) instead of into the name.
    `derived` sends timers' statistics and sets' counts.
    """

    prefix: str = ""
    dogstatsd: bool = True
    derived: bool = True

    def __call__(self, flush: Flush, not_finite: Callable[[], None] = lambda: None) -> Iterator[bytes]:
        """Yield what a packet must not tear apart: a line, or the two of a negative gauge, without the last newline.

        `not_finite` is called for each value that is left out because no line can hold it.
        """
        for block in flush.blocks:
            keys = block.keys()
            for column in self._columns(block):
                yield from self._column(block.kind, keys, column, not_finite)

    def _columns(self, block: Block) -> Iterator[Column]:
        for column in block.columns:
            if column.name == "count" if block.kind is Kind.COUNTER else self.derived or block.kind is Kind.GAUGE:
                yield column

    def _column(self, kind: Kind, keys: list[str], column: Column, not_finite: Callable[[], None]) -> Iterator[bytes]:
        counter = kind is Kind.COUNTER
        statistic = "" if counter or kind is Kind.GAUGE else f".{column.name}"
        for index, key in enumerate(keys):
            value = column.values[index]
            if not (column.present is None or column.present[index]) or (counter and not value):
                continue
            if not math.isfinite(value):
                not_finite()
            else:
                before, behind = self._path(key, statistic)
                yield (f"{before}:{to_text(value)}|c{behind}" if counter else _gauge(before, value, behind)).encode()

    def _path(self, key: str, statistic: str) -> tuple[str, str]:
        """Return what stands before the colon and what stands behind the line."""
        name, tags = split(FOREIGN.sub("_", key))
        path = self.prefix + name + statistic
        if not tags or not self.dogstatsd:
            return path + tags, ""
        return path, "|#" + ",".join(tag.replace("=", ":", 1) for tag in tags[1:].split(";"))


def _gauge(path: str, value: float, behind: str) -> str:
    zero = f"{path}:0|g{behind}\n" if value < 0 else ""
    return f"{zero}{path}:{to_text(value)}|g{behind}"


def pack(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield pieces joined by newlines, at most `size` bytes together; a longer one goes alone."""
    held: list[bytes] = []
    used = 0
    for piece in pieces:
        if held and used + len(piece) > size:
            yield b"\n".join(held)
            held, used = [], 0
        held.append(piece)
        used += len(piece) + 1
    if held:
        yield b"\n".join(held)
