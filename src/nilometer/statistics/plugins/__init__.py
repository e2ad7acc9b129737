"""The plugins that come with Nilometer: a file for each subject, all of them listed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.statistics.plugins import delivery, forges, people, releng, usage, volume

if TYPE_CHECKING:
    from nilometer.statistics.plugin import Plugin

PLUGINS: tuple[type[Plugin], ...] = (
    *volume.PLUGINS,
    *forges.PLUGINS,
    *releng.PLUGINS,
    *people.PLUGINS,
    *usage.PLUGINS,
    *delivery.PLUGINS,
)
"""What the entry point ``nilometer.statistics`` of this distribution gives."""
