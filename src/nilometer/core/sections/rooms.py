# ruff: noqa: RUF009, FBT003  `option` makes a dataclass field; the first argument is its default
"""Events, tables, the usage audit, and statistics."""

from __future__ import annotations

from dataclasses import dataclass

from nilometer.core.quantity import Duration, Moment, NamedDuration, moment
from nilometer.core.sections import checks
from nilometer.core.setting import option
from nilometer.core.url import NamedUrl, Url, parse

MINUTE, DAY = 60, 86400


@dataclass(frozen=True, slots=True)
class EventsSection:
    """Events: where they are taken from, where and for how long they are kept."""

    sources: tuple[Url, ...] = option(
        (), "Buses to take events from, such as amqp://localhost or nats://localhost; any number."
    )
    store: Url = option(
        parse("sqlite"), "The store that keeps events; sqlite alone is events.db in server.state, none keeps none."
    )
    retention: Duration = option(Duration(90 * DAY), "How long events are kept; 0 keeps them for ever.")
    queue: int = option(
        10_000, "Events from HTTP, and as many from DogStatsD, that may wait for the store.", minimum=1, maximum=10_000_000
    )
    metrics: bool = option(True, "Events move metrics: a counter for each type, and the usage that they tell.")
    unknown: str = option(
        "keep", "What becomes of events of types that are not known; refuse counts them as lost.", choices=("keep", "refuse")
    )


@dataclass(frozen=True, slots=True)
class TablesSection:
    """Other systems that are asked at regular times: what their tables use, and whether they are well."""

    sources: tuple[Url, ...] = option(
        (), "Whose tables to read, such as magnetodb+http://host or postgresql://host/database; any number."
    )
    health: tuple[NamedUrl, ...] = option(
        (), "Health checks in JSON, as URL or NAME=URL, such as shop=https://shop.example/health; magnetodb+http://host, too."
    )
    every: Duration = option(Duration(MINUTE), "How often they are asked.", minimum=1, maximum=DAY)
    delay: Duration = option(Duration(0), "How long after the start they are asked first.", maximum=DAY)
    jitter: Duration = option(Duration(0), "Up to how much later each run begins, by chance.", maximum=DAY)
    align: bool = option(False, "Begin runs on multiples of tables.every of the clock.")
    prefix: str = option("", "What the names of their series begin with.", check=checks.prefix)
    name: str = option(
        "tables.{project}.{table}",
        "What the series of a table are called, of {source}, {project} and {table}.",
        check=checks.table_name,
    )
    tags: bool = option(False, "Name series tables.FIGURE, and have tags say whose it is and what it is worth.")
    timeout: Duration = option(Duration(10), "How long a health check may take to answer.", minimum=0.1, maximum=3600)
    token_file: str = option("", "A file with the token that health checks are asked with, as Authorization: Bearer.")
    ca: str = option("", "The authorities to trust for health checks, a PEM file; the system's when empty.")
    at_once: int = option(4, "How many sources, and how many health checks, are asked at a time.", minimum=1, maximum=100)
    most: int = option(100_000, "Tables that are taken of one source.", minimum=1, maximum=10_000_000)


@dataclass(frozen=True, slots=True)
class UsageSection:
    """The usage audit: what each table of tables.sources, and each that events name, took in a period, as events."""

    period: str = option("off", "How long a period is, in UTC; off tells nothing.", choices=("off", "hour", "day"))
    to: tuple[Url, ...] = option((), "Where these events go, too, besides the server's own store, such as amqp://localhost.")
    service: str = option("magnetodb", "Whose tables these are: what the types of the events begin with.", check=checks.prefix)


@dataclass(frozen=True, slots=True)
class StatisticsSection:
    """Statistics over what a bus brings: plugins, the store they keep rows in, and the archive that fills gaps."""

    buses: tuple[Url, ...] = option(
        (), "Buses to take messages from, such as amqp://localhost or fedora-messaging:///etc/fedora-messaging/config.toml."
    )
    store: Url = option(
        parse("sqlite"), "Where statistics are kept, SQLite or PostgreSQL; sqlite alone is statistics.db in server.state."
    )
    archive: tuple[Url, ...] = option(
        (), "Archives that are asked for what was missed, such as datagrepper+https://apps.fedoraproject.org/datagrepper."
    )
    plugins: tuple[str, ...] = option(
        ("all",), "Plugins to run, by name, or all that are installed; a file of yours as ./NAME.py. There may be commas."
    )
    since: Moment = option(moment("2015-08-08"), "The time, in UTC, before which the archive is asked for nothing.")
    window: Duration = option(
        Duration(0),
        "The longest time whose messages the archive is asked for at once; 0 leaves it to what is found. "
        "Whether there are any is asked of longer ones.",
        maximum=366 * DAY,
    )
    retention: Duration = option(
        Duration(14 * DAY), "How long messages stay in the inbox, for plugins that are new or stopped; 0 keeps them for ever."
    )
    backlog: tuple[NamedDuration, ...] = option(
        (), "How old what the archive gives may be for a plugin, as NAME=7d, whatever the plugin says."
    )
    keep: tuple[NamedDuration, ...] = option(
        (), "How long the rows of a plugin are kept, as NAME=90d, whatever the plugin says."
    )
