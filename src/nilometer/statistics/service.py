"""The statistics of one server: buses into the inbox, the inbox into statistics, and what may be asked of them.

Rules:

* A message is settled on its bus when the inbox has it. What the inbox refuses for good is counted, logged and settled.
* Nothing here waits for the store but who reads rows; status is what was known last.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from typing import TYPE_CHECKING, Protocol

from nilometer.core.clock import SYSTEM
from nilometer.core.intake.keeper import Keeper, Kept
from nilometer.core.intake.sources import Sources
from nilometer.core.statistics import StatisticsStatus
from nilometer.core.wire import messages
from nilometer.statistics.asked import Listed
from nilometer.statistics.runner import Runner
from nilometer.statistics.upkeep import Upkeep

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nilometer.core.capability import MessageSource, StatisticsStore
    from nilometer.core.clock import Clock
    from nilometer.core.intake.sources import Prepared
    from nilometer.core.losses import Losses
    from nilometer.core.record import Event
    from nilometer.core.statistics import FillStatus, Found, RowQuery
    from nilometer.core.statistics.coverage import Span
    from nilometer.core.url import Url
    from nilometer.statistics.plugin import Statistic

    Told = Callable[[frozenset[str]], None]

LOG = logging.getLogger(__name__)
BUS = "bus"
"""What the inbox calls the source of messages that no archive gave."""


class Filler(Protocol):
    """Fills gaps of one bus from an archive."""

    def start(self) -> None:
        """Begin."""

    def close(self, deadline: float) -> None:
        """End, within so many seconds."""

    def status(self) -> FillStatus:
        """Return how it fares, without waiting."""


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """How statistics run: the `name` of the store, and for how many seconds messages stay in the inbox, 0 for ever."""

    name: str = ""
    retention: float = 14 * 86400.0


class Statistics:
    """The statistics that run over one store. Owns the store, and what `fillers` there are."""

    def __init__(  # noqa: PLR0913 what they are made of
        self,
        store: StatisticsStore,
        statistics: Sequence[Statistic],
        losses: Losses,
        options: Options,
        *,
        open_source: Callable[[Url], MessageSource],
        clock: Clock = SYSTEM,
    ) -> None:
        self._store, self._clock = store, clock
        self._statistics = {statistic.ident: statistic for statistic in statistics}
        self._watching: list[Told] = []
        self._lock = threading.Lock()
        self._runner = Runner(store, statistics, self._tell, clock)
        self._upkeep = Upkeep(store, statistics, self._runner.progress, lambda: options.retention, losses, clock)
        self._keeper = Keeper(options.name, self.put, losses, (), clock)
        self._sources = Sources(self._keeper, messages.decode, losses, (), open_source=open_source)
        self._fillers: tuple[Filler, ...] = ()

    # -- its life ------------------------------------------------------------------------------------------------------

    def prepare(self, buses: Sequence[Url]) -> Prepared:
        """Open the buses that are new; none connects. Raise `ConfigError` for a wrong URL."""
        return self._sources.prepare(buses)

    def start(self, buses: Prepared, fillers: Sequence[Filler] = ()) -> None:
        """Begin to take messages, to move statistics on and to fill gaps."""
        self._fillers = tuple(fillers)
        self._runner.start()
        self._upkeep.start()
        self._sources.change(buses, 0)
        for filler in self._fillers:
            filler.start()

    def change(self, buses: Prepared, deadline: float) -> None:
        """Take messages from other buses from now on."""
        self._sources.change(buses, deadline)

    def stop(self, deadline: float) -> None:
        """Take no more; what was taken is in the inbox, or comes again."""
        closes = [self._sources.close, *(filler.close for filler in self._fillers)]
        threads = [threading.Thread(target=close, args=(deadline,)) for close in closes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._runner.close(deadline)
        self._upkeep.close()

    def close(self) -> None:
        """Let the store go; nobody asks it any more."""
        self._store.close()

    def put(self, events: Sequence[Event]) -> Kept:
        """Put messages of a bus into the inbox. Raise `Rejected` and `Unavailable`."""
        new = self._store.take_in(events, arrived=self._clock.time(), source=BUS)
        self.wake()
        return Kept(new, len(events) - len(new))

    def consumed(self) -> Span | None:
        """Return since when all buses are heard without a break, and up to which time their messages are in the inbox.

        None while one is away, or there is none.
        """
        return self._sources.consumed()

    def wake(self) -> None:
        """Hear that the inbox has more."""
        self._runner.wake()
        self._upkeep.wake()

    # -- what may be asked ---------------------------------------------------------------------------------------------

    def listed(self) -> list[Listed]:
        """Return all that run, in order of their idents."""
        last = self._upkeep.inbox.last
        progress = self._runner.progress()
        return [Listed(self._statistics[ident], each, max(last - each.offset, 0)) for ident, each in progress.items()]

    def find(self, ident: str) -> Listed | None:
        """Return the one with that ident."""
        if ident not in self._statistics:
            return None
        progress = self._runner.progress()[ident]
        return Listed(self._statistics[ident], progress, max(self._upkeep.inbox.last - progress.offset, 0))

    def rows(self, ident: str, query: RowQuery, limit: int, *, cursor: str = "", offset: int = 0) -> Found:
        """Return up to `limit` rows, behind a cursor or an offset. Raise as the store does."""
        return self._store.find_rows(ident, query, limit, cursor=cursor, offset=offset)

    def count(self, ident: str, query: RowQuery) -> int:
        """Return how many rows there are. Raise as the store does."""
        return self._store.count_rows(ident, query)

    def watch(self, told: Told) -> Callable[[], None]:
        """Have a function called with the idents of statistics that changed; what is returned ends that."""
        with self._lock:
            self._watching = [*self._watching, told]

        def end() -> None:
            with self._lock:
                self._watching = [each for each in self._watching if each is not told]

        return end

    def _tell(self, idents: frozenset[str]) -> None:
        for told in self._watching:
            try:
                told(idents)
            except Exception:  # a fault of who is told must not stop statistics
                LOG.exception("who is told of statistics failed")

    def status(self) -> StatisticsStatus:
        """Return how all of it fares, as far as was known last."""
        store = self._keeper.status()
        if store is not None and self._runner.error and not store.error:
            store = dataclasses.replace(store, error=self._runner.error)
        return StatisticsStatus(
            ways=tuple(self._sources.statuses()),
            fill=tuple(filler.status() for filler in self._fillers),
            store=store,
            inbox=self._upkeep.inbox,
            progress=tuple(self._runner.progress().values()),
            expired=self._upkeep.expired,
        )

    def retry(self) -> None:
        """Let all that were stopped try again, as soon as the store can be reached."""
        self._runner.retry()

    def resume(self, ident: str) -> None:
        """Let a statistic that was stopped try again. Raise as the store does."""
        self._store.resume(ident)
        self._runner.look()
        self._runner.wake()
