"""What statsd's configuration file asks for and our settings do not say: a server that has a `StatsdMode` stands in for statsd.

Rules:

* These are plain values with statsd's defaults; nothing here reads a file or opens anything.
* What has a setting of ours is not here: the file changes that setting.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""What a configuration file can hold."""

UDP4, UDP6, TCP = "udp4", "udp6", "tcp"
PRIORITIES = ("LOG_EMERG", "LOG_ALERT", "LOG_CRIT", "LOG_ERR", "LOG_WARNING", "LOG_NOTICE", "LOG_INFO", "LOG_DEBUG")
"""Syslog's, from the most urgent down."""


class Target(NamedTuple):
    """A host and a port. An empty host is, for a listener, every address."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class KeyFlush:
    """The log of the most frequent keys: every `interval` seconds the first `percent` of them, to the file or the output."""

    interval: float
    percent: float = 100.0
    log: Path | None = None


@dataclass(frozen=True, slots=True)
class Repeater:
    """Where every packet goes verbatim. `protocol` is ``udp4``, ``udp6`` or ``tcp`` (which ends each with a newline)."""

    targets: tuple[Target, ...]
    protocol: str = UDP4


@dataclass(frozen=True, slots=True)
class StatsdMode:
    """Serve as statsd does.

    `prefix`: of its figures about itself. `admin_named`: whether the file says where the admin interface listens. `healthy`:
    what its command ``health`` answers at first. `key_flush` and `repeater`: None when the file does not ask for them.
    `dump_messages`: log every line that comes in. `backends`: the names of statsd's backends that the file loads, in its
    order. `priority`: of refused lines in syslog. `title`: of the process, empty to leave it. `reload`: watch the file.
    `config`: the file as statsd's command ``config`` shows it.
    """

    prefix: str = "statsd"
    admin_named: bool = False
    healthy: bool = True
    key_flush: KeyFlush | None = None
    repeater: Repeater | None = None
    dump_messages: bool = False
    backends: tuple[str, ...] = ("graphite",)
    priority: str = "LOG_INFO"
    title: str = ""
    reload: bool = True
    config: Mapping[str, Json] = field(default_factory=dict, compare=False)
