"""Which tables a source tells of: the options that table sources share, and what they mean."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nilometer.core.table import Fault, Table

INCLUDE = "globs over `project.table`, joined by commas: only these tables; empty: all"
EXCLUDE = "globs over `project.table`, joined by commas: not these"
MOST = "tables and indexes that one reading takes, at most"


class Options(Protocol):
    """What a source's options have."""

    @property
    def include(self) -> str:
        """Which tables alone."""

    @property
    def exclude(self) -> str:
        """Which tables not."""


class Filter:
    """Says which tables are wanted."""

    def __init__(self, options: Options) -> None:
        self._include, self._exclude = words(options.include), words(options.exclude)

    def __call__(self, project: str, table: str) -> bool:
        """Say whether a table is wanted."""
        name = f"{project}.{table}"
        return (not self._include or _fits(name, self._include)) and not _fits(name, self._exclude)

    def of(self, found: Iterable[Table | Fault]) -> Iterator[Table | Fault]:
        """Yield what is wanted; a fault of a whole project always is."""
        return (each for each in found if not each.name or self(each.project, each.name))


def _fits(name: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def words(text: str) -> tuple[str, ...]:
    """Return words that commas divide."""
    return tuple(filter(None, (word.strip() for word in text.split(","))))
