"""What the service is told when it starts: by options (`__main__.py`), or by environment variables under another server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "TABLESERVICE_"


@dataclass(frozen=True, slots=True)
class Settings:
    """`database`: SQLAlchemy's URL. `statsd`: where metrics go, nowhere when empty. `weather`: whether storage is bad."""

    database: str = "sqlite:///tableservice.db"
    statsd: str = "statsd://127.0.0.1:8125"
    weather: bool = False


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read ``TABLESERVICE_DATABASE``, ``TABLESERVICE_STATSD`` and ``TABLESERVICE_WEATHER``."""
    usual = Settings()
    return Settings(
        environment.get(f"{PREFIX}DATABASE", usual.database),
        environment.get(f"{PREFIX}STATSD", usual.statsd),
        environment.get(f"{PREFIX}WEATHER", "0") not in {"", "0"},
    )
