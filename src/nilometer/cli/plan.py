"""What a server is asked to serve: the settings and, on statsd's own configuration file, what else that asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from nilometer.cli.sinks import with_history
from nilometer.core import url as urls

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nilometer.core.settings import Settings
    from nilometer.core.url import Url
    from nilometer.ingest.statsd.mode import StatsdMode


@dataclass(frozen=True, slots=True)
class Plan:
    """What to serve: settings and, on statsd's own configuration file, what else it asks for and what to warn of.

    `alone`: a server that has nothing but statistics.
    """

    settings: Settings
    statsd: StatsdMode | None = None
    warnings: tuple[str, ...] = ()
    alone: bool = False

    def sinks(self, store: Path) -> Sequence[Url]:
        """Return the sinks; where the settings name none, the embedded store, or nothing as statsd does, or alone."""
        sinks = self.settings.server.sinks
        if not sinks and self.statsd is None and not self.alone:
            sinks = (urls.parse(f"sqlite:///{quote(str(store))}"),)
        return [with_history(url, self.settings) for url in sinks]
