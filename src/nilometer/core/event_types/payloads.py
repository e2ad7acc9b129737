"""What events of a table service hold, field by field.

Rules:

* A payload goes out as a mapping of its fields (`as_mapping`); what is None is left out, for missing is never zero.
* Whoever emits may add fields of their own by giving a mapping instead.

Source: https://wiki.openstack.org/wiki/MagnetoDB/notification
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, fields
from typing import Any


class State(enum.StrEnum):
    """The state of a table when the event happened."""

    ACTIVE = "active"
    DELETING = "deleting"
    CREATING = "creating"
    NOT_EXIST = "not_exist"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What every event of a table holds.

    `tenant_id` owns the table, `user_id` did what happened. `message` says in words what happened, in ``.error`` why it failed.
    """

    tenant_id: str | None = None
    user_id: str | None = None
    table_name: str | None = None
    message: str | None = None

    def as_mapping(self) -> dict[str, Any]:
        """Return the fields by name, without those that are None."""
        found = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in found if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePayload(Payload):
    """A table is created or deleted. `table_schema` is JSON in a text, `disk_gb` the storage that it takes, in gigabytes.

    Raises ValueError for a `state` that is none of `State`.
    """

    table_schema: str | None = None
    state: State | str | None = None
    disk_gb: float | None = None

    def __post_init__(self) -> None:
        if self.state is not None:
            State(self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableUsagePayload(TablePayload):
    """What a table, or one index of it, took in a period, whose ends are written as ISO 8601."""

    index_name: str | None = None
    size_bytes: float | None = None
    item_count: float | None = None
    audit_period_beginning: str | None = None
    audit_period_ending: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataItemPayload(Payload):
    """Items are read or written: how many rows that were, and how consistent it had to be."""

    rows_impacted: int | None = None
    consistency_level: str | None = None
