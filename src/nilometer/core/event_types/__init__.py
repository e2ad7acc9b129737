"""The registry of event types: what each is called, how urgent it is, where it goes, what it counts for, what it holds.

registry       `Registry`: types by name or pattern, for one service or for all
event_type     `EventType`: what is said of each
table_service  the types of a table service, as MagnetoDB's specification of notifications names them
payloads       what these types hold, as dataclasses
lines          the StatsD lines that an event becomes
"""

from nilometer.core.event_types.event_type import EventType, Usage
from nilometer.core.event_types.lines import Lines, Move
from nilometer.core.event_types.payloads import DataItemPayload, Payload, State, TablePayload, TableUsagePayload
from nilometer.core.event_types.registry import EVERY, Counted, Registry
from nilometer.core.event_types.table_service import SERVICE, TABLE_SERVICE

__all__ = [
    "EVERY",
    "SERVICE",
    "TABLE_SERVICE",
    "Counted",
    "DataItemPayload",
    "EventType",
    "Lines",
    "Move",
    "Payload",
    "Registry",
    "State",
    "TablePayload",
    "TableUsagePayload",
    "Usage",
]
