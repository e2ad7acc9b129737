"""What a source says about the tables it keeps: sizes, counts, status, and how much each figure can be trusted.

Rules:

* What a source does not know is left out. Missing is never zero.
* A table that could not be read is a `Fault` in its place: one bad table spoils nothing.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

SIZE, ITEMS = "size_bytes", "item_count"
"""The figures that most sources have: bytes stored, and rows, items or documents."""


class Quality(enum.StrEnum):
    """How much a figure can be trusted."""

    EXACT = "exact"
    ESTIMATE = "estimate"
    STALE = "stale"


class Figure(NamedTuple):
    """One figure of a table."""

    value: float
    quality: Quality = Quality.EXACT


@dataclass(frozen=True, slots=True)
class Table:
    """One table, or one index of it. `project` is the tenant, schema, database or keyspace; `status` in small letters."""

    project: str
    name: str
    index: str = ""
    status: str = ""
    figures: Mapping[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """A table, or with an empty name a whole project, that could not be read, and why in words."""

    project: str
    name: str
    reason: str
