"""What statsd's configuration file asks for and our settings do not say: a server that has a `StatsdMode` stands in for statsd.

Rules:

* These are plain values with statsd's defaults; nothing here reads a file or opens anything.
* What has a setting of ours is not here: the file changes that setting.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""What a configuration file can hold."""

PRIORITIES = ("LOG_EMERG", "LOG_ALERT", "LOG_CRIT", "LOG_ERR", "LOG_WARNING", "LOG_NOTICE", "LOG_INFO", "LOG_DEBUG")
"""Syslog's, from the most urgent down."""


@dataclass(frozen=True, slots=True)
class StatsdMode:
    """Serve as statsd does.

    `admin_named`: whether the file says where the admin interface listens. `healthy`: what its command ``health`` answers at
    first. `backends`: the names of statsd's backends that the file loads, in its order. `priority`: of refused lines in
    syslog. `title`: of the process, empty to leave it. `reload`: watch the file. `config`: the file as statsd's command
    ``config`` shows it.
    """

    admin_named: bool = False
    healthy: bool = True
    backends: tuple[str, ...] = ("graphite",)
    priority: str = "LOG_INFO"
    title: str = ""
    reload: bool = True
    config: Mapping[str, Json] = field(default_factory=dict, compare=False)
