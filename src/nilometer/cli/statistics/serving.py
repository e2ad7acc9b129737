"""Statistics within a server: one service over the buses, the store, the archives and the plugins of the settings.

Rules:

* Without a bus and without an archive there are none.
* What is wrong in the settings is refused before anything starts; a bus, a store or an archive that is away is waited for.
* A reload takes other buses, and has what was stopped try again. The rest takes a restart (`FIXED`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nilometer.cli.state import in_state

if TYPE_CHECKING:
    from pathlib import Path

    from nilometer.cli.statistics.opening import Opened
    from nilometer.core.intake.sources import Prepared as Buses
    from nilometer.core.losses import Losses
    from nilometer.core.settings import Settings
    from nilometer.core.statistics import StatisticsStatus
    from nilometer.statistics.service import Statistics

FILE = "statistics.db"
FIXED = tuple(f"statistics.{key}" for key in ("store", "archive", "plugins", "since", "window", "retention", "backlog", "keep"))
"""Settings that take a restart once statistics run."""


class Prepared(NamedTuple):
    """What settings ask for, opened and not connected: buses, a service where there was none; neither where none is wanted."""

    buses: Buses | None = None
    new: Opened | None = None

    def close(self) -> None:
        """Let go what was opened for nothing."""
        if self.buses is not None:
            self.buses.close()
        if self.new is not None:
            self.new.close()


class ServingStatistics:
    """The statistics of one server; `state` is its directory. Those `alone` serve what they have also when nothing comes."""

    def __init__(self, state: Path, losses: Losses, *, alone: bool = False) -> None:
        self._state, self._losses, self._alone = state, losses, alone
        self.service: Statistics | None = None
        """Those that run now, None when there are none."""

    def prepare(self, settings: Settings) -> Prepared:
        """Open what the settings name. Raise `ConfigError` for what is wrong; nothing connects."""
        own = settings.statistics
        if self.service is not None:
            return Prepared(self.service.prepare(own.buses))
        if not (own.buses or own.archive or self._alone):
            return Prepared()
        from nilometer.cli.statistics.opening import opened  # noqa: PLC0415 a server without statistics starts without it

        made = opened(own, in_state(own.store, self._state / FILE), self._losses)
        try:
            return Prepared(made.service.prepare(own.buses), made)
        except BaseException:
            made.close()
            raise

    def change(self, prepared: Prepared, deadline: float) -> None:
        """Use what was prepared; buses that go may take `deadline` seconds to end."""
        if prepared.buses is None:
            return
        if prepared.new is not None:
            self.service = prepared.new.service
            self.service.start(prepared.buses, prepared.new.fillers)
        elif self.service is not None:
            self.service.change(prepared.buses, deadline)
            self.service.retry()

    def status(self) -> StatisticsStatus | None:
        """Return how they are doing, None when there are none."""
        return None if self.service is None else self.service.status()

    def stop(self, deadline: float) -> None:
        """Take no more messages; what was taken is in the inbox, or comes again."""
        if self.service is not None:
            self.service.stop(deadline)

    def close(self) -> None:
        """Let the store go; nobody asks any more."""
        if self.service is not None:
            self.service.close()
