"""The service of statistics, and what fills its gaps, made of the settings."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple

from nilometer.backends import registry
from nilometer.statistics import catalog
from nilometer.statistics.filler.filler import ArchiveFiller, backlog
from nilometer.statistics.filler.filler import Options as Wanted
from nilometer.statistics.service import Options, Statistics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.capability import MessageSource
    from nilometer.core.losses import Losses
    from nilometer.core.sections import StatisticsSection
    from nilometer.core.url import Url
    from nilometer.statistics.plugin import Statistic

AMQP = {"exchange": "amq.topic", "keys": "#", "queue": "nilometer.statistics", "durable": "true"}
"""The options of a bus of AMQP, unless they are given: fedora-messaging's exchange, and a queue of our own."""


class Opened(NamedTuple):
    """A service that does not run yet, and its fillers."""

    service: Statistics
    fillers: tuple[ArchiveFiller, ...]

    def close(self) -> None:
        """Let go what was opened for nothing."""
        for filler in self.fillers:
            filler.close(0)
        self.service.close()


def opened(settings: StatisticsSection, url: Url, losses: Losses) -> Opened:
    """Open the store at a URL and the archives, and find the plugins. Raise `ConfigError`; nothing connects."""
    plugins = found(settings)
    for each in settings.archive:
        registry.check(each, registry.ARCHIVE)
    store = registry.open(url, registry.STATISTICS)
    service = Statistics(store, plugins, losses, Options(name_of(url), settings.retention), open_source=open_bus)
    made = Opened(service, ())
    try:
        for each in settings.archive:
            archive, options = registry.open(each, registry.ARCHIVE), wanted(settings, plugins)
            filler = ArchiveFiller(name_of(each), archive, store, options, losses, consumed=service.consumed, told=service.wake)
            made = made._replace(fillers=(*made.fillers, filler))
    except BaseException:
        made.close()
        raise
    return made


def found(settings: StatisticsSection) -> list[Statistic]:
    """Return the statistics of the plugins that are wanted. Raise `ConfigError`."""
    return catalog.adjusted(catalog.statistics(settings.plugins), settings.backlog, settings.keep)


def wanted(settings: StatisticsSection, plugins: Sequence[Statistic]) -> Wanted:
    """Return what is wanted of an archive."""
    archives = tuple(map(name_of, settings.archive))
    return Wanted(settings.since, settings.window, settings.retention, backlog(plugins), archives)


def name_of(url: Url) -> str:
    """Return what a store or an archive is called: its URL, without options and secrets."""
    return str(url).partition("?")[0]


def open_bus(url: Url) -> MessageSource:
    """Open a bus that messages come from. Raise `UrlError`. It connects at its first use."""
    return registry.open(_with_defaults(url), registry.MESSAGES)


def _with_defaults(url: Url) -> Url:
    """Return the URL with `AMQP` where it says nothing of queues or topics: then all messages of a topic exchange are meant."""
    given = {name for name, _ in url.query}
    if url.scheme not in {"amqp", "amqps"} or given & {"queues", "topics"}:
        return url
    return dataclasses.replace(url, query=(*url.query, *((name, value) for name, value in AMQP.items() if name not in given)))
