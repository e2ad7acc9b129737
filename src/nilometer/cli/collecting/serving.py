"""Collecting within a server: tables and health checks of the settings become lines for its own kernel.

Rules:

* Wrong settings are refused before anything changes; a system that is away is not.
* Tables and health checks are runs of their own: a source that hangs does not keep a check from being asked.
* What failed is counted (`LOSSES`), told once in the log when it begins and when it ends, and in words as long as it lasts.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nilometer.collect import health, tables
from nilometer.collect.schedule import SHARE, Periodic, Timing
from nilometer.core.quantity import written
from nilometer.core.show import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from threading import Event

    from nilometer.collect.health import Checked, Checker
    from nilometer.collect.sample import Sample
    from nilometer.collect.tables import Reader, Reading
    from nilometer.core.losses import Losses
    from nilometer.core.settings import Settings

    Feed = Callable[[bytes], None]

LOG = logging.getLogger(__name__)
SHOWN = 3
"""Faults of one source that are named in the log."""


class Prepared(NamedTuple):
    """What settings ask for, opened and not connected."""

    settings: Settings
    reader: Reader | None
    checker: Checker | None

    def close(self) -> None:
        """Let go what was opened for nothing."""
        if self.reader is not None:
            self.reader.close()


def prepare(settings: Settings) -> Prepared:
    """Open what the settings name. Raise `ConfigError` for what is wrong."""
    own = settings.tables
    if not own.sources and not own.health:
        return Prepared(settings, None, None)
    from nilometer.cli.collecting import opening  # noqa: PLC0415 a server that collects nothing starts without it
    from nilometer.cli.link import Access, token_in  # noqa: PLC0415 see above

    token = token_in(Path(own.token_file), "tables.token_file") if own.token_file else ""
    access = Access(token, Path(own.ca) if own.ca else None, "tables.ca")
    checker = None
    if own.health:
        checker = opening.checker(own.health, access, seconds=own.every * SHARE, at_once=own.at_once, timeout=own.timeout)
    reader = opening.reader(own.sources, tables.Bounds(own.at_once, own.every * SHARE, own.most)) if own.sources else None
    return Prepared(settings, reader, checker)


class Collecting:
    """What one server collects. `feed` takes whole lines."""

    def __init__(self, feed: Feed, losses: Losses) -> None:
        self._feed, self._losses = feed, losses
        self._prepared: Prepared | None = None
        self._running: list[Periodic] = []
        self._troubles = Troubles()
        self._skipped: dict[str, int] = {}

    def change(self, prepared: Prepared, deadline: float) -> None:
        """Collect as the settings say from now on; what goes on may take `deadline` seconds to end."""
        old = self._prepared
        if old is not None and old.settings.tables == prepared.settings.tables:
            prepared.close()
            return
        self.stop(deadline)
        self._prepared = prepared
        self._troubles = Troubles()
        _announce(prepared.settings)
        if prepared.reader is not None:
            self._start("tables", lambda stop: self._read(prepared, stop))
        if prepared.checker is not None:
            self._start("health", lambda stop: self._check(prepared, stop))

    def _start(self, name: str, work: Callable[[Event], None]) -> None:
        assert self._prepared is not None  # noqa: S101 set by who calls
        own = self._prepared.settings.tables
        periodic = Periodic(name, work, Timing(own.every, own.delay, own.jitter, own.align))
        self._running.append(periodic)
        self._skipped[name] = 0
        periodic.start()

    def stop(self, deadline: float) -> None:
        """Collect no more. What goes on may take `deadline` seconds to end."""
        end = time.monotonic() + deadline
        running, self._running = self._running, []
        ended = [periodic.stop(max(end - time.monotonic(), 0.0)) for periodic in running]
        prepared, self._prepared = self._prepared, None
        if prepared is not None and all(ended):
            prepared.close()

    def problems(self) -> list[str]:
        """Return what is wrong now, in words."""
        late = [
            f"{periodic.name}: a run has gone on for {standing.running:.0f} s: raise tables.every, or see what is slow"
            for periodic, standing in ((each, each.standing()) for each in list(self._running))
            if standing.running is not None and standing.running > periodic.every
        ]
        return [*late, *self._troubles.words()]

    def _read(self, prepared: Prepared, stop: Event) -> None:
        assert prepared.reader is not None  # noqa: S101 it is read only then
        own = prepared.settings.tables
        naming = tables.Naming(own.prefix, own.name, tags=own.tags)
        readings = prepared.reader.run(stop)
        if stop.is_set():
            return
        made = [*tables.samples(readings, naming), *self._late("tables", naming)]
        self._hand_over(made)
        for reading in readings:
            self._losses.count("collect", "source", int(bool(reading.error)))
            self._losses.count("collect", "table", reading.faulty)
        self._troubles.note("tables", {f"tables of {each.source}": _trouble(each) for each in readings})

    def _check(self, prepared: Prepared, stop: Event) -> None:
        assert prepared.checker is not None  # noqa: S101 it is asked only then
        checked = prepared.checker.run(stop)
        if stop.is_set():
            return
        self._count_late("health")
        self._hand_over(health.samples(checked, prepared.settings.tables.prefix))
        self._troubles.note("health", {each.name: _unwell(each) for each in checked})

    def _late(self, name: str, naming: tables.Naming) -> Sequence[Sample]:
        return [tables.skipped(self._count_late(name), naming)]

    def _count_late(self, name: str) -> int:
        """Count the runs that were skipped since the one before."""
        standing = next((each.standing() for each in self._running if each.name == name), None)
        total = 0 if standing is None else standing.skipped
        grown, self._skipped[name] = total - self._skipped[name], total
        self._losses.count("collect", "late", grown)
        return grown

    def _hand_over(self, samples: Iterable[Sample]) -> None:
        from nilometer.cli.collecting import sending  # noqa: PLC0415 see `prepare`

        for piece in sending.pieces(samples):
            self._feed(piece)


def _announce(settings: Settings) -> None:
    every = written(settings.tables.every)
    for url in settings.tables.sources:
        LOG.info("every %s the tables of %s", every, url)
    for check in settings.tables.health:
        LOG.info("every %s the health of %s", every, check)


def _trouble(reading: Reading) -> str:
    if reading.error:
        return reading.error
    told = [f"{'.'.join(filter(None, (fault.project, fault.name)))}: {fault.reason}" for fault in reading.faults[:SHOWN]]
    more = f" and {reading.faulty - len(told):,} more" if reading.faulty > len(told) else ""
    return f"{'; '.join(told)}{more}" if told else ""


def _unwell(checked: Checked) -> str:
    return "" if checked.health.up else checked.health.reason or "it is down"


class Troubles:
    """What is wrong, by what it is wrong with. The log is told when that changes."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, str]] = {}

    def note(self, kind: str, found: Mapping[str, str]) -> None:
        """Take what a run found: for each thing what is wrong with it, or the empty string."""
        before = self._found.get(kind, {})
        now = {name: printable(reason) for name, reason in found.items() if reason}
        for name, reason in now.items():
            if name not in before:
                LOG.warning("%s: %s", name, reason)
        for name in before.keys() - now.keys():
            LOG.info("%s: well again", name)
        self._found[kind] = now

    def words(self) -> list[str]:
        """Return what is wrong now."""
        return [f"{name}: {reason}" for found in list(self._found.values()) for name, reason in found.items()]
