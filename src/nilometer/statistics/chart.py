"""Rows of a statistic over time, as series for a chart: windows put together, keys added up, the rest in one.

Rules:

* A chart holds whole windows, those that overlap the time asked for. Where nothing was counted a sum is 0, and a distribution
  has no value.
* Series are those with most in them, the largest first; all others together are one more, unless they cannot be added up.
* What is read is bounded: `MOST_ROWS`, and the windows of `nilometer.statistics.grouping`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from nilometer.core.errors import InputError, did_you_mean
from nilometer.core.sketch import Sketch
from nilometer.core.statistics import Kind, RowQuery
from nilometer.statistics import grouping
from nilometer.statistics.formats import names
from nilometer.statistics.shown import MEASURES, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nilometer.core.statistics import Found, Row, Window
    from nilometer.core.statistics.change import Key
    from nilometer.statistics.plugin import Plugin, Statistic

MOST_ROWS = 100_000
AT_A_TIME = 5000
"""Rows that are read at a time."""
COUNT = "count"


class Read(Protocol):
    """Reads rows of one statistic."""

    def __call__(self, query: RowQuery, limit: int, *, cursor: str) -> Found:
        """Return a page."""


class Question(NamedTuple):
    """What is asked: from `since` until `until`, not included, in seconds since the epoch; `now` too.

    `group`: into which windows, empty for good ones. `by`: the places of the keys that series are told apart by. `most`: how
    many series. `column`: what of a distribution, empty for how many. `words`: as in `nilometer.core.statistics.RowQuery`.
    """

    since: float
    until: float
    now: float
    group: str = ""
    by: tuple[int, ...] = ()
    most: int = 10
    column: str = ""
    words: tuple[tuple[int, str | None], ...] = ()


class Series(NamedTuple):
    """A value, or None, for each window. `key` has the words of the keys it is told apart by; None for all others together."""

    key: Key | None
    total: float
    values: list[float | None]


class Chart(NamedTuple):
    """Series over windows, given by their begins and ends. `left_out`: how many series are not shown in any way."""

    ident: str
    group: Window
    column: str
    keys: tuple[str, ...]
    begins: list[int]
    ends: list[int]
    series: list[Series]
    left_out: int


class _Cell:
    """What came together in a window under a key: a number, or a distribution."""

    __slots__ = ("sketch", "value")

    def __init__(self, kind: Kind) -> None:
        self.value = 0.0
        self.sketch = Sketch() if kind is Kind.DISTRIBUTION else None

    def add(self, row: Row) -> None:
        self.value += row.value
        if self.sketch is not None:
            self.sketch.merge(Sketch.decode(row.sketch))

    def merge(self, other: _Cell) -> None:
        self.value += other.value
        if self.sketch is not None and other.sketch is not None:
            self.sketch.merge(other.sketch)

    @property
    def weight(self) -> float:
        """By what series are put in order."""
        return self.value if self.sketch is None else self.sketch.count

    def shown(self, column: str) -> float | None:
        return number(self.value) if self.sketch is None else MEASURES[column](self.sketch)


Cells = dict[int, _Cell]
"""By the end of the window."""


def drawn_up(statistic: Statistic, read: Read, question: Question) -> Chart:
    """Return the chart. Raise `InputError` for what cannot be drawn, or would be too much."""
    plugin = statistic.plugin
    column = _column(plugin, question.column)
    group = grouping.chosen(statistic, question.group, question.since, question.until, question.now)
    if plugin.kind not in grouping.ADDED and question.by != tuple(range(len(plugin.keys))):
        message = f"by: {statistic.ident} counts distinct ones, which cannot be added up; take all keys: {names(plugin.keys)}"
        raise InputError(message)
    ends = list(grouping.ends(group, question.since, question.until))
    begins = [group.begin(end) for end in ends]
    rows = _rows(read, RowQuery(begins[0] + 1, ends[-1], "asc", question.words))
    cells = _cells(statistic, group, question.by, rows)
    series, left_out = _series(plugin.kind, cells, question.most)
    empty = None if plugin.kind is Kind.DISTRIBUTION and column != COUNT else 0
    drawn = [_line(key, found, ends, column, empty) for key, found in series]
    return Chart(statistic.ident, group, column, _named(plugin, question.by), begins, ends, drawn, left_out)


def _column(plugin: Plugin, asked: str) -> str:
    if plugin.kind is Kind.LATEST:
        message = f"{plugin.name} keeps texts, which cannot be drawn; ask for its rows"
        raise InputError(message)
    known = tuple(MEASURES) if plugin.kind is Kind.DISTRIBUTION else (plugin.value,)
    if asked and asked not in known:
        message = f"column: {asked[:100]!r} is none of {names(known)}{did_you_mean(asked, known)}"
        raise InputError(message)
    return asked or known[0]


def _named(plugin: Plugin, by: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(plugin.keys[place] for place in by)


def _rows(read: Read, query: RowQuery) -> Iterator[Row]:
    cursor, seen = "", 0
    while True:
        rows, cursor = read(query, AT_A_TIME, cursor=cursor)
        seen += len(rows)
        if seen > MOST_ROWS:
            message = f"that are more than {MOST_ROWS:,} rows; ask for a shorter time, a key, or a statistic of longer windows"
            raise InputError(message)
        yield from rows
        if not cursor:
            return


def _cells(statistic: Statistic, group: Window, by: tuple[int, ...], rows: Iterable[Row]) -> dict[Key, Cells]:
    """Return what came together, by key and by the end of the window. Raise `InputError` when a window lies in two."""
    found: dict[Key, Cells] = {}
    ends: dict[float, int] = {}
    kind = statistic.plugin.kind
    for row in rows:
        if row.time not in ends:
            ends[row.time] = _end(statistic.window, group, int(row.time))
        cells = found.setdefault(tuple(row.key[place] for place in by), {})
        cells.setdefault(ends[row.time], _Cell(kind)).add(row)
    return found


def _end(window: Window, group: Window, label: int) -> int:
    """Return the end of the longer window in which one with that label lies: of a zone with odd hours it may lie in two."""
    end = group.slot(label - 1)
    if group.slot(window.begin(label)) != end:
        message = f"group: windows of {window} do not lie whole within those of {group}"
        raise InputError(message)
    return end


def _series(kind: Kind, cells: dict[Key, Cells], most: int) -> tuple[list[tuple[Key | None, Cells]], int]:
    """Return the largest, then all others in one; and how many are in none."""
    weights = {key: sum(cell.weight for cell in found.values()) for key, found in cells.items()}
    order = sorted(cells, key=lambda key: (-weights[key], [(word is None, word or "") for word in key]))
    series: list[tuple[Key | None, Cells]] = [(key, cells[key]) for key in order[:most]]
    if len(order) <= most or kind not in grouping.ADDED:
        return series, max(len(order) - most, 0)
    others: Cells = {}
    for key in order[most:]:
        for end, cell in cells[key].items():
            others.setdefault(end, _Cell(kind)).merge(cell)
    return [*series, (None, others)], 0


def _line(key: Key | None, cells: Cells, ends: list[int], column: str, empty: float | None) -> Series:
    values = [cells[end].shown(column) if end in cells else empty for end in ends]
    return Series(key, sum(cell.weight for cell in cells.values()), values)
