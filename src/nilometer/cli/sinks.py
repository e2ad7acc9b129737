"""The sinks of a server: each URL a backend, a spool and a worker.

Rules:

* A wrong URL is refused before anything starts; a system that is away is not: its flushes wait in the spool.
* A sink's spool is named for where the URL leads, not for its options, so changing an option loses nothing.
* While sinks are exchanged, flushes are held and then given to the new ones: none falls between two workers.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import zlib
from typing import TYPE_CHECKING, NamedTuple

from nilometer.backends import registry
from nilometer.core import statsd_target
from nilometer.core.events import EventWorker
from nilometer.core.pipe import PipeOptions, SinkWorker
from nilometer.core.quantity import written
from nilometer.core.spool import Spool
from nilometer.ingest.selfmetrics import label

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from pathlib import Path

    from nilometer.core.capability import MetricSink
    from nilometer.core.losses import Losses
    from nilometer.core.pipe import Status
    from nilometer.core.record import Event, Flush
    from nilometer.core.settings import Settings
    from nilometer.core.url import Url

LOG = logging.getLogger(__name__)
LONGEST_NAME = 80
STORE, MEMORY = "sqlite", "memory"
ELSEWHERE = {STORE, *statsd_target.SCHEMES}
"""Sinks that get no events: those have a store of their own, and the counters that they move come with the flushes."""


class Opened(NamedTuple):
    """A sink at work."""

    url: Url
    place: str
    worker: SinkWorker
    spool: Spool
    events: EventWorker | None = None


class Prepared(NamedTuple):
    """The sinks to have: every URL by its full text, and the backends of those that are new."""

    urls: dict[str, Url]
    backends: dict[str, MetricSink]

    def close(self) -> None:
        """Let the backends go that were made for nothing."""
        for backend in self.backends.values():
            backend.close()


def _warn_of_sketches(urls: Iterable[Url], settings: Settings) -> None:
    """Say when sketches are asked for that no sink takes."""
    asked = settings.timers.sketch or any(rule.sketch for rule in settings.rules.list)
    if asked and not any(registry.SKETCHES in registry.capabilities(url.scheme) for url in urls):
        takers = [scheme for scheme in registry.TABLE if registry.SKETCHES in registry.capabilities(scheme)]
        LOG.warning("timers' sketches have no effect: no sink takes them; those that do are %s", ", ".join(takers))


class Sinks:
    """The sinks of one server, by the full text of their URLs."""

    def __init__(self, directory: Path, losses: Losses) -> None:
        self._directory, self._losses = directory, losses
        self._opened: dict[str, Opened] = {}
        self._lock = threading.Lock()
        self._held: list[Flush] | None = None
        self._watchers: list[Callable[[Flush], None]] = []

    def watch(self, watcher: Callable[[Flush], None]) -> Callable[[], None]:
        """Call `watcher` with every flush, before any sink has it; it neither waits nor raises. Return what ends that."""
        with self._lock:
            self._watchers = [*self._watchers, watcher]

        def end() -> None:
            with self._lock:
                self._watchers = [each for each in self._watchers if each is not watcher]

        return end

    def deliver(self, flush: Flush) -> None:
        """Give a flush to every sink. Never waits for one."""
        for watcher in self._watchers:
            try:
                watcher(flush)
            except Exception:  # a fault in who looks on must not keep a flush from the sinks
                LOG.exception("who watches flushes failed")
        with self._lock:
            for sink in self._opened.values():
                sink.worker.put(flush)
            if self._held is not None:
                self._held.append(flush)

    def deliver_events(self, events: Sequence[Event], *, kept: bool = False) -> None:
        """Give events to every sink that takes them; count them when none does and they are not `kept` otherwise.

        Never waits for one.
        """
        with self._lock:
            workers = [sink.events for sink in self._opened.values() if sink.events is not None]
        for worker in workers:
            worker.put(events)
        if not workers and not kept:
            self._losses.count("event", "no_sink", len(events))

    def statuses(self) -> list[Status]:
        """Return how each sink is doing."""
        with self._lock:
            opened = list(self._opened.values())
        return [sink.worker.status() for sink in opened]

    def prepare(self, wanted: Iterable[Url]) -> Prepared:
        """Make the backends of the URLs that are new; none of them connects. Raise `ConfigError` for a wrong URL."""
        urls = {url.reveal(): url for url in wanted}
        backends = {text: registry.open(url, registry.METRICS) for text, url in urls.items() if text not in self._opened}
        return Prepared(urls, backends)

    def change(self, prepared: Prepared, settings: Settings) -> None:
        """Open what is new, flush and close what is gone. Raise `StoreError` when a sink's spool cannot be had."""
        with self._lock:
            self._held = []
            gone = [self._opened.pop(text) for text in list(self._opened) if text not in prepared.urls]
        for sink in gone:
            LOG.info("%s is no longer a sink", sink.url)
        close(gone, settings.stop.deadline)
        _warn_of_sketches(prepared.urls.values(), settings)
        self._configure(settings)
        try:
            for text, backend in prepared.backends.items():
                self._open(prepared.urls[text], text, backend, settings)
        finally:
            with self._lock:
                self._held = None

    def _configure(self, settings: Settings) -> None:
        for sink in self._opened.values():
            sink.worker.configure(_options(settings))
            sink.spool.resize(size=settings.spool.size, age=settings.spool.age)

    def _open(self, url: Url, text: str, backend: MetricSink, settings: Settings) -> None:
        place = place_of(url, {sink.place for sink in self._opened.values()})
        spool = Spool(self._directory / place, size=settings.spool.size, age=settings.spool.age, losses=self._losses)
        worker = SinkWorker(_name(url, place), backend, spool, self._losses, options=_options(settings))
        if spool.items:
            LOG.info("%s: %d flushes wait in its spool since the last run", url, spool.items)
        worker.start()
        events = None
        if registry.EVENTS in registry.capabilities(url.scheme) and url.scheme not in ELSEWHERE:
            events = EventWorker(_name(url, place), registry.open(url, registry.EVENTS), self._losses)
        with self._lock:
            self._opened[text] = Opened(url, place, worker, spool, events)
            for flush in self._held or ():
                worker.put(flush)

    def orphans(self) -> list[str]:
        """Return the names of spools that hold flushes for sinks that are not configured."""
        used = {sink.place for sink in self._opened.values()}
        places = sorted(self._directory.iterdir()) if self._directory.is_dir() else []
        return [place.name for place in places if place.name not in used and any(place.glob("*.flush"))]

    def close(self, deadline: float) -> None:
        """Write what can be written within the deadline, all sinks at a time; the rest stays in their spools."""
        with self._lock:
            gone = list(self._opened.values())
            self._opened.clear()
        close(gone, deadline)


def place_of(url: Url, taken: Collection[str]) -> str:
    """Return the name of a sink's spool; a second sink that leads to the same place gets a number."""
    where = f"{url.scheme}://{url.user or ''}@{','.join(map(str, url.hosts))}{url.path}"
    base = f"{label(str(url))[:LONGEST_NAME]}-{zlib.crc32(where.encode()):08x}"
    numbers = (f"{base}-{number}" if number > 1 else base for number in range(1, len(taken) + 2))
    return next(place for place in numbers if place not in taken)


def readable(sinks: Iterable[Url]) -> Url | None:
    """Return the first sink from which series can be read again, by another process too."""
    return next((url for url in sinks if registry.SERIES in registry.capabilities(url.scheme) and url.scheme != MEMORY), None)


def _options(settings: Settings) -> PipeOptions:
    return PipeOptions(first=settings.retry.first, most=settings.retry.most)


def _name(url: Url, place: str) -> str:
    """Return a worker's name: the URL without its options, numbered as its place is."""
    number = place.rpartition("-")[2]
    plain = str(url).partition("?")[0]
    return f"{plain} {number}" if number.isdigit() and len(number) < 8 else plain  # noqa: PLR2004 eight digits are a checksum


def close(sinks: Iterable[Opened], deadline: float) -> None:
    """Close several workers at a time."""
    workers = [worker for sink in sinks for worker in (sink.worker, sink.events) if worker is not None]
    threads = [threading.Thread(target=worker.close, args=(deadline,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def with_history(url: Url, settings: Settings) -> Url:
    """Return the URL of a series store with the settings of the section ``history``; its own options win."""
    if url.scheme != STORE:
        return url
    given = {name for name, _ in url.query}
    texts = {"retention": written(settings.history.retention), "rollups": ",".join(map(written, settings.history.rollups))}
    chosen = {name for name in texts if settings.origin(f"history.{name}") != "default"}
    return dataclasses.replace(url, query=url.query + tuple((name, texts[name]) for name in texts if name in chosen - given))
