"""Events and service checks become records, and reach whoever takes events."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from nilometer.core.clock import SYSTEM
from nilometer.core.losses import Losses
from nilometer.core.wire.event import checked
from nilometer.ingest.kernel import MAX_NOTICES, Notice
from nilometer.ingest.notices import Notices, event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.record import Event
    from nilometer.ingest.kernel import Kernel


@pytest.mark.parametrize(
    ("alert", "priority"), [("info", "info"), ("success", "info"), ("warning", "warn"), ("error", "error")]
)
def test_an_event_is_a_record(alert: str, priority: str) -> None:
    fields = {"type": "event", "title": "t", "text": "x", "priority": "low", "alert_type": alert, "tags": ["a:b"]}
    made = event(Notice("peer:1", fields), 5.0)
    assert (made.type, made.time, made.publisher, made.priority) == ("dogstatsd.event", 5.0, "peer:1", priority)
    assert made.payload == {"title": "t", "text": "x", "priority": "low", "alert_type": alert, "tags": ["a:b"]}
    assert event(Notice("peer:1", fields), 5.0).id != made.id


@pytest.mark.parametrize(("status", "priority"), [(0, "info"), (1, "warn"), (2, "critical"), (3, "warn")])
def test_a_service_check_is_a_record(status: int, priority: str) -> None:
    fields = {"type": "service_check", "name": "up", "status": status, "tags": [], "timestamp": 21, "hostname": "web"}
    made = event(Notice("peer:1", fields), 5.0)
    assert (made.type, made.time, made.publisher, made.priority) == ("dogstatsd.service_check", 21.0, "web", priority)


def test_what_the_kernel_had_no_room_for_is_counted(kernel: Kernel) -> None:
    losses = Losses()
    seen: list[Sequence[Event]] = []
    notices = Notices(kernel, losses, SYSTEM, seen.append)
    notices.drain()
    assert seen == []
    kernel.feed(b"_e{1,1}:a|b\n_sc|up|1\n" + b"_e{1,1}:a|b\n" * MAX_NOTICES)
    notices.drain()
    assert [len(events) for events in seen] == [MAX_NOTICES]
    assert [each.payload.get("title") for each in seen[0][:2]] == ["a", None]
    assert losses.totals()["event", "limit"] == 2


def test_a_host_that_no_store_takes_is_made_one_that_all_take() -> None:
    fields_ = {"type": "event", "alert_type": "info", "hostname": "a\0b\x1b" + "x" * 5000}
    found = event(Notice("", fields_), 5.0)

    assert found.publisher == "a\ufffdb\ufffd" + "x" * 251
    assert checked(**{field.name: getattr(found, field.name) for field in fields(found)}) == found
