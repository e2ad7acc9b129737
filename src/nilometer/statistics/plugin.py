"""What a plugin is: what it is called, what it keeps, and what a message changes.

Rules:

* `process` looks at nothing but its message: no clock, no network, no state. So a message counts once whenever, wherever and in
  whatever order it is processed.
* A plugin makes a statistic for each of its windows. Their idents are made as statscache made them.
* Rows are served as objects: ``timestamp``, the plugin's `keys`, and the columns of its kind.

Source of ident and rows: statscache 0.0.4, ``statscache/plugins/__init__.py`` and ``models.py``.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from nilometer.core.statistics import EVER, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import timedelta

    from nilometer.core.statistics import Change, Message, Row, Window

DELETED = re.compile(r"[\"'()*&?,]")
Cell = str | float | int | None


class Plugin(ABC):
    """A statistic, or a family of them: one for each window.

    `name`, `summary` and `description` are for people, and the name makes the ident. `topics`: globs of those that it looks at,
    ``*`` crossing dots; messages of others do not come to it. `windows` are written as
    `nilometer.core.statistics.window.parse` reads them; ``ever`` keeps one row a key. `keys` names the columns of a key,
    `value` that of the value. `top`: of each window so many rows are shown, the largest, unless others are asked for; 0 for
    all. `backlog_delta` bounds how old, when it comes, a message from the archive may be that still counts, None for any age.
    `layout` is any JSON, for whoever draws it. `keep` is how long rows are kept, None for ever, and `roll_up` from which age
    on rows are merged into which longer windows. A greater `version` has rows made anew.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    description: ClassVar[str]
    topics: ClassVar[tuple[str, ...]] = ("*",)
    kind: ClassVar[Kind] = Kind.SUM
    windows: ClassVar[tuple[str, ...]] = ("ever",)
    keys: ClassVar[tuple[str, ...]] = ()
    value: ClassVar[str] = "volume"
    top: ClassVar[int] = 0
    backlog_delta: timedelta | None = None
    layout: ClassVar[Any] = None
    keep: timedelta | None = None
    roll_up: ClassVar[tuple[timedelta, str] | None] = None
    version: ClassVar[int] = 1

    @abstractmethod
    def process(self, message: Message) -> Iterable[Change]:
        """Return what a message changes. Raise anything: the statistics of this plugin stop there, and no other does."""

    def rows(self, rows: Iterable[Row]) -> Iterable[Mapping[str, Cell]]:
        """Return the objects that are served, made of the rows that are stored; the columns of all are those of the first."""
        from nilometer.statistics.shown import shown  # noqa: PLC0415 which knows plugins

        return shown(self, rows)

    @property
    def ident(self) -> str:
        """What it is called in URLs, without a window: the name in small letters, spaces as hyphens, without ``"'()*&?,``."""
        return DELETED.sub("", self.name.lower().replace(" ", "-"))

    def statistics(self) -> list[Statistic]:
        """Return its statistics, one a window. Raise `ConfigError` for what is wrong with the plugin."""
        from nilometer.statistics.declared import declared  # noqa: PLC0415 which knows plugins

        return [Statistic(self, window) for window in declared(self)]


@dataclass(frozen=True, slots=True)
class Statistic:
    """One plugin in one window: what has an ident, an offset and rows."""

    plugin: Plugin
    window: Window

    @property
    def ident(self) -> str:
        """What it is called in URLs: the plugin's ident, and the window."""
        return self.plugin.ident + self.window.ident

    @property
    def windowed(self) -> bool:
        """Whether its rows are of windows."""
        return self.window != EVER
