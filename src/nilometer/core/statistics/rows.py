"""What one asks a store of statistics, and what it answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from nilometer.core.statistics.change import Key


class Row(NamedTuple):
    """A row of a statistic.

    `time`, in seconds since the epoch, is the label of its window, or without windows the time of the newest message. `value`
    is the sum, or how many members there are; `text` the latest value; `sketch` an encoded `nilometer.core.sketch.Sketch`: each
    where the kind has it. `newest` is the time of the newest message in the row.
    """

    time: float
    key: Key
    value: float = 0.0
    text: str | None = None
    sketch: bytes = b""
    newest: float = 0.0


@dataclass(frozen=True, slots=True)
class RowQuery:
    """Which rows: ``start <= time <= stop``, and whose key has these words, by the place of the key's column.

    They are in order of time, then of key, both ascending or both descending. `top`: of each window only so many, the largest
    values, ties by key; 0 for all.
    """

    start: float = -math.inf
    stop: float = math.inf
    order: Literal["asc", "desc"] = "desc"
    words: tuple[tuple[int, str | None], ...] = ()
    top: int = 0


class Found(NamedTuple):
    """One page of rows, and the cursor of the next, empty at the end."""

    rows: list[Row]
    cursor: str
