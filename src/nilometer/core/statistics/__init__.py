"""What statistics are made of: messages, the windows they fall into, the changes they make, the rows that come of them."""

from __future__ import annotations

from nilometer.core.statistics.change import Add, Change, Kind, Latest, Member, Sample, Tally
from nilometer.core.statistics.message import Message
from nilometer.core.statistics.progress import Covered, Inbox, Progress, State
from nilometer.core.statistics.rows import Found, Row, RowQuery
from nilometer.core.statistics.status import FillStatus, StatisticsStatus
from nilometer.core.statistics.window import EVER, Window

__all__ = [
    "EVER",
    "Add",
    "Change",
    "Covered",
    "FillStatus",
    "Found",
    "Inbox",
    "Kind",
    "Latest",
    "Member",
    "Message",
    "Progress",
    "Row",
    "RowQuery",
    "Sample",
    "State",
    "StatisticsStatus",
    "Tally",
    "Window",
]
