# ruff: noqa: RUF009, FBT003  `option` makes a dataclass field; the first argument is its default
"""How a server is asked, and what it says about itself."""

from __future__ import annotations

from dataclasses import dataclass

from nilometer.core.quantity import Duration
from nilometer.core.sections import checks
from nilometer.core.setting import option
from nilometer.core.url import Url, parse

DAY = 86400


@dataclass(frozen=True, slots=True)
class AdminSection:
    """The admin interface on TCP, as statsd has it."""

    listen: tuple[Url, ...] = option(
        (parse("tcp://127.0.0.1:8126"),),
        "Where the admin interface listens, as tcp://127.0.0.1:8126; none turns it off. It asks for no password.",
    )


@dataclass(frozen=True, slots=True)
class WebSection:
    """The HTTP interface."""

    listen: tuple[Url, ...] = option(
        (parse("http://127.0.0.1:8127"),),
        "Where the HTTP interface listens, as http://127.0.0.1:8127 or https://HOST?cert=FILE&key=FILE; none turns it off.",
    )
    origins: tuple[str, ...] = option(
        (), "Sites whose pages a browser lets use the HTTP interface, such as https://grafana.example.", check=checks.origin
    )


@dataclass(frozen=True, slots=True)
class LogSection:
    """What the server says about itself."""

    level: str = option("info", "The least that is logged.", choices=("debug", "info", "warning", "error"))
    format: str = option("text", "The form of a line of the log.", choices=("text", "json"))
    to: str = option("stderr", "Where the log goes.", choices=("stderr", "stdout", "syslog"))
    name: str = option("nilometer", "The program's name in syslog.")
    messages: bool = option(False, "Log every line that comes in, at level info; how many were too fast for that is told.")


@dataclass(frozen=True, slots=True)
class KeyflushSection:
    """A log of the names that lines come with most often, as statsd's keyFlush."""

    interval: Duration = option(
        Duration(0),
        "How often it is written; 0 turns it off. While it is on, datagrams are read several times slower.",
        maximum=DAY,
    )
    percent: float = option(100.0, "The share of the names to write, the most frequent first.", minimum=0, maximum=100)
    log: str = option("", "The file to append to; standard output when empty.")


@dataclass(frozen=True, slots=True)
class SelfSection:
    """The server's metrics about itself."""

    prefix: str = option("nilometer", "What the names of the server's metrics about itself begin with.", check=checks.prefix)
    names: str = option(
        "nilometer", "Which metrics about itself it reports: its own, or statsd's few.", choices=("nilometer", "statsd")
    )
