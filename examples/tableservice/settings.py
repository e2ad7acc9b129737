"""What the service is told when it starts: by options (`__main__.py`), or by environment variables under another server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "TABLESERVICE_"


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be chosen.

    `database`: SQLAlchemy's URL. `statsd`: where metrics go. `node`: this machine's name in them.
    `weather`: whether the storage is bad. `events`: where usage events go, URLs between spaces.
    """

    database: str = "sqlite:///tableservice.db"
    statsd: str = "statsd://127.0.0.1:8125"
    node: str = ""
    weather: bool = False
    events: str = ""


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read ``TABLESERVICE_DATABASE``, ``_STATSD``, ``_NODE``, ``_WEATHER`` and ``_EVENTS``."""
    usual = Settings()
    return Settings(
        environment.get(f"{PREFIX}DATABASE", usual.database),
        environment.get(f"{PREFIX}STATSD", usual.statsd),
        environment.get(f"{PREFIX}NODE", usual.node),
        environment.get(f"{PREFIX}WEATHER", "0") not in {"", "0"},
        environment.get(f"{PREFIX}EVENTS", usual.events),
    )
