"""Statistics without a store, a bus or a thread: a few plugins, rows that a test gives, and what they answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nilometer.core.errors import InputError
from nilometer.core.sketch import Sketch
from nilometer.core.statistics import Add, Found, Inbox, Kind, Progress, Row, State, StatisticsStatus
from nilometer.statistics.asked import Listed
from nilometer.statistics.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nilometer.core.capability import StatisticsStore
    from nilometer.core.statistics import Change, Message, RowQuery
    from nilometer.core.statistics.change import Key

LONGEST_CURSOR = 10
MONDAY = 1_767_571_200
"""2026-01-05T00:00:00Z, in seconds since the epoch."""


class Silent(Plugin):
    """A plugin whose rows a test gives: it makes none of a message."""

    def process(self, message: Message) -> Iterable[Change]:
        """Return nothing."""
        del message
        return ()


class ByCategory(Silent):
    """Sums by a key, in several windows."""

    name = "volume, by category"
    summary = "messages by category"
    description = "How many messages there were of each category."
    windows = ("1m", "1d")
    keys = ("category",)

    def process(self, message: Message) -> Iterable[Change]:
        """Count a message."""
        return [Add(message.time, (message.category,))]


class Delay(Silent):
    """A distribution."""

    name = "delivery delay"
    summary = "seconds from sent to stored"
    description = "How long messages were under way, in seconds."
    kind = Kind.DISTRIBUTION
    windows = ("1h",)
    keys = ("category",)


class Log(Silent):
    """The latest of each, with a layout; for all time."""

    name = "release log"
    summary = "the latest events"
    description = "What happened last in each category."
    kind = Kind.LATEST
    keys = ("category", "constraint")
    value = "message"
    layout = {"groups": [{"id": "compose", "title": "Composes"}]}  # noqa: RUF012 as plugins write it


class Users(Silent):
    """How many different ones, by the calendar of a zone."""

    name = "users"
    summary = "people who did something"
    description = "How many different people did something on each day."
    kind = Kind.DISTINCT
    windows = ("1d@Europe/Prague",)
    value = "users"


class FakeStatistics:
    """Answers as `nilometer.statistics.asked.Asked` says, from `table`: rows by idents, in any order.

    Change `progress`, `inbox`, `fill` … by `changed`; `tell` calls those who watch. `failing` is raised by whatever reads.
    """

    def __init__(self, plugins: Sequence[Plugin] = (), table: Mapping[str, Sequence[Row]] | None = None) -> None:
        statistics = [each for plugin in plugins or (ByCategory(), Delay(), Log(), Users()) for each in plugin.statistics()]
        self.statistics = {each.ident: each for each in sorted(statistics, key=lambda each: each.ident)}
        self.table = dict(table or {})
        self.now = StatisticsStatus(inbox=Inbox(0), progress=tuple(map(Progress, self.statistics)))
        self.failing: Exception | None = None
        self.watching: list[Callable[[frozenset[str]], None]] = []

    def changed(self, ident: str, **changes: object) -> None:
        """Change how far one statistic is."""
        progress = (replace(each, **changes) if each.ident == ident else each for each in self.now.progress)  # type: ignore[arg-type]  # its fields
        self.now = replace(self.now, progress=tuple(progress))

    def tell(self, *idents: str) -> None:
        """Say that rows changed."""
        for told in list(self.watching):
            told(frozenset(idents))

    def listed(self) -> list[Listed]:
        """Return all."""
        self._check()
        last = self.now.inbox.last
        return [Listed(self.statistics[each.ident], each, max(last - each.offset, 0)) for each in self.now.progress]

    def find(self, ident: str) -> Listed | None:
        """Return one."""
        return next((each for each in self.listed() if each.progress.ident == ident), None)

    def rows(self, ident: str, query: RowQuery, limit: int, *, cursor: str = "", offset: int = 0) -> Found:
        """Return a page; its cursor is how many rows stand before the next."""
        self._check()
        if cursor and not (cursor.isdecimal() and len(cursor) < LONGEST_CURSOR):
            message = f"{cursor[:80]!r} is no cursor"
            raise InputError(message)
        found, begin = self._fitting(ident, query), int(cursor or offset)
        return Found(found[begin : begin + limit], str(begin + limit) if len(found) > begin + limit else "")

    def count(self, ident: str, query: RowQuery) -> int:
        """Return how many rows fit."""
        self._check()
        return len(self._fitting(ident, query))

    def watch(self, told: Callable[[frozenset[str]], None]) -> Callable[[], None]:
        """Have a function called by `tell`."""
        self.watching.append(told)
        return lambda: self.watching.remove(told)

    def status(self) -> StatisticsStatus:
        """Return `now`."""
        return self.now

    def resume(self, ident: str) -> None:
        """Let it run."""
        self._check()
        self.changed(ident, state=State.RUNNING, error="", culprit="", at=0, since=0.0)

    def _check(self) -> None:
        if self.failing is not None:
            raise self.failing

    def _fitting(self, ident: str, query: RowQuery) -> list[Row]:
        fitting = [row for row in self.table.get(ident, ()) if _fits(row, query)]
        if query.top:
            fitting = [row for row in fitting if _place(row, fitting) < query.top]
        return sorted(fitting, key=lambda row: (row.time, _order(row.key)), reverse=query.order == "desc")


class StoredStatistics(FakeStatistics):
    """Answers from the rows of a store; what else there is, a test says."""

    def __init__(self, store: StatisticsStore, plugins: Sequence[Plugin] = ()) -> None:
        super().__init__(plugins)
        self.store = store
        for each in self.statistics.values():
            store.register(each.ident, each.plugin.kind, each.plugin.version)

    def rows(self, ident: str, query: RowQuery, limit: int, *, cursor: str = "", offset: int = 0) -> Found:
        """Return a page."""
        return self.store.find_rows(ident, query, limit, cursor=cursor, offset=offset)

    def count(self, ident: str, query: RowQuery) -> int:
        """Return how many rows fit."""
        return self.store.count_rows(ident, query)


def sums(ident_rows: Iterable[tuple[float, str | None, float]]) -> list[Row]:
    """Return rows of sums by one word each."""
    return [Row(time, (word,), float(value), newest=time - 1) for time, word, value in ident_rows]


def distribution(time: float, key: Key, values: Iterable[float]) -> Row:
    """Return a row of a distribution."""
    return Row(time, key, sketch=Sketch(values).encode(), newest=time - 1)


def _fits(row: Row, query: RowQuery) -> bool:
    return query.start <= row.time <= query.stop and all(row.key[place] == word for place, word in query.words)


def _place(row: Row, rows: Sequence[Row]) -> int:
    """Return how many rows of its window stand before it, the largest first."""
    size = (-row.value, _order(row.key))
    return sum((-each.value, _order(each.key)) < size for each in rows if each.time == row.time)


def _order(key: Key) -> tuple[tuple[bool, str], ...]:
    return tuple((word is not None, word or "") for word in key)
