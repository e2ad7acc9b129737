"""The rows that statistics make of messages, without a database.

Rules:

* They are those that a store would serve: the newest first, then by key, the last first. Nothing is rolled up, or too old.
* Messages are processed once each, as they are given. Who reads them sees to it that none comes twice.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.statistics import Row
from nilometer.core.statistics.change import Amount
from nilometer.core.wire.event import text
from nilometer.statistics import catalog
from nilometer.statistics.formats import table
from nilometer.statistics.plugin import Plugin
from nilometer.statistics.tallying import tallied

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from nilometer.core.statistics import Message, Tally
    from nilometer.core.statistics.change import Key
    from nilometer.statistics.formats import Table
    from nilometer.statistics.plugin import Cell, Statistic
    from nilometer.statistics.tallying import Failure


class Tried(NamedTuple):
    """What came of trying: the rows of each statistic, and the plugins that raised; theirs are of what came before."""

    tables: dict[str, Table]
    failures: list[Failure]


def tried(statistics: Sequence[Statistic], messages: Sequence[Message]) -> Tried:
    """Process messages. Raise `nilometer.statistics.formats.Unshown` when a plugin cannot show its rows."""
    found = tallied(statistics, messages)
    tables = {each.ident: table(each, made(found.tallies[each.ident], each.plugin.top)) for each in statistics}
    return Tried(tables, found.failures)


def rows(plugin: Plugin | str | Path, messages: Sequence[Message]) -> dict[str, list[Mapping[str, Cell]]]:
    """Return the rows of a plugin's statistics by ident, as they are served; of all plugins in a file where one is named.

    Raise what the plugin raises, and `ConfigError` for a plugin or a file that is wrong.
    """
    statistics = plugin.statistics() if isinstance(plugin, Plugin) else catalog.statistics([str(plugin)])
    found = tried(statistics, messages)
    for failure in found.failures:
        raise failure.error
    return {ident: shown.rows for ident, shown in found.tables.items()}


def made(tally: Tally, top: int = 0) -> list[Row]:
    """Return the rows that a tally comes to; of each window only `top`, the largest, where that is not 0."""
    found = dict(_rows(tally))
    ranked = sorted(found, key=lambda place: (place[0], -found[place].value, _place(place[1])))
    windows = [list(window) for _, window in itertools.groupby(ranked, key=lambda place: place[0])]
    shown = [found[place] for window in windows for place in window[: top or None]]
    return sorted(shown, key=lambda row: (row.time, _place(row.key)), reverse=True)


def _rows(tally: Tally) -> Iterator[tuple[tuple[int, Key], Row]]:
    """Yield rows with their slots and keys."""
    for (slot, key), each in itertools.chain(tally.sums.items(), _counted(tally).items()):
        yield (slot, key), Row(slot or each.newest, key, float(each.amount), newest=each.newest)
    for (slot, key), (sketch, newest) in tally.sketches.items():
        yield (slot, key), Row(slot or newest, key, float(sketch.count), sketch=sketch.encode(), newest=newest)
    for key, latest in tally.latest.items():
        yield (0, key), Row(latest.time, key, text=latest.value, newest=latest.time)


def _counted(tally: Tally) -> dict[tuple[int, Key], Amount]:
    """Return how many members there are."""
    counts: dict[tuple[int, Key], Amount] = {}
    for (slot, key, _), time in tally.members.items():
        held = counts.get((slot, key), Amount(0, time))
        counts[slot, key] = Amount(held.amount + 1, max(held.newest, time))
    return counts


def _place(key: Key) -> bytes:
    """Return what stores order keys by: the list of words as JSON, byte by byte."""
    return text(list(key))
