"""What may be asked of the statistics that run: what routes and commands stand on.

Rules:

* Every method may be called from any thread. Those that read raise `Unavailable` while the store is away, `TooSlow` when it
  takes too long, and `InputError` for a cursor that is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.core.statistics import Found, Progress, RowQuery, StatisticsStatus
    from nilometer.statistics.plugin import Statistic


class Listed(NamedTuple):
    """A statistic, how far it is, and how many messages of the inbox it has not seen yet."""

    statistic: Statistic
    progress: Progress
    lag: int


class Asked(Protocol):
    """The statistics of a server, as those see them who ask. The running ones are `nilometer.statistics.service.Statistics`."""

    def listed(self) -> list[Listed]:
        """Return all that run, in order of their idents."""

    def find(self, ident: str) -> Listed | None:
        """Return the one with that ident."""

    def rows(self, ident: str, query: RowQuery, limit: int, *, cursor: str = "", offset: int = 0) -> Found:
        """Return up to `limit` rows, behind a cursor or an offset."""

    def count(self, ident: str, query: RowQuery) -> int:
        """Return how many rows there are."""

    def watch(self, told: Callable[[frozenset[str]], None]) -> Callable[[], None]:
        """Have a function called with the idents of statistics that changed; what is returned ends that.

        It is called by any thread, and must return at once.
        """

    def status(self) -> StatisticsStatus:
        """Return how all of it fares, as far as was known last: it never waits for the store, and never raises."""

    def resume(self, ident: str) -> None:
        """Let a statistic that was stopped try again."""
