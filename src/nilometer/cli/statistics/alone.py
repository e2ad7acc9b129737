"""The settings of a server that has nothing but statistics."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from nilometer.core import url as urls
from nilometer.core.sections import AdminSection, EventsSection, RelaySection, TablesSection, UsageSection

if TYPE_CHECKING:
    from nilometer.core.settings import Settings


def only_statistics(settings: Settings) -> Settings:
    """Return settings without all that other rooms do."""
    return dataclasses.replace(
        settings,
        server=dataclasses.replace(settings.server, listen=(), sinks=()),
        admin=AdminSection(listen=()),
        relay=RelaySection(),
        events=EventsSection(store=urls.parse("none")),
        tables=TablesSection(),
        usage=UsageSection(),
    )
