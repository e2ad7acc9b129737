"""Every setting, section by section: its default, what it is for, what it may be.

A section is a table of the file and a frozen dataclass here, named for it (``[flush]`` is `FlushSection`); each field is one
setting, declared by `option`.
"""

from nilometer.core.sections.delivery import HistorySection, RetrySection, SpoolSection
from nilometer.core.sections.ingest import (
    FlushSection,
    GaugesSection,
    IdleSection,
    LimitsSection,
    NamesSection,
    RelaySection,
    RulesSection,
    ServerSection,
    StopSection,
    TimersSection,
)
from nilometer.core.sections.interfaces import AdminSection, KeyflushSection, LogSection, SelfSection, WebSection
from nilometer.core.sections.rooms import EventsSection, StatisticsSection, TablesSection, UsageSection
from nilometer.core.sections.traces import TracesSection

__all__ = [
    "AdminSection",
    "EventsSection",
    "FlushSection",
    "GaugesSection",
    "HistorySection",
    "IdleSection",
    "KeyflushSection",
    "LimitsSection",
    "LogSection",
    "NamesSection",
    "RelaySection",
    "RetrySection",
    "RulesSection",
    "SelfSection",
    "ServerSection",
    "SpoolSection",
    "StatisticsSection",
    "StopSection",
    "TablesSection",
    "TimersSection",
    "TracesSection",
    "UsageSection",
    "WebSection",
]
