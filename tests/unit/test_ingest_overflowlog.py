"""The log of refused keys: what it shows, how much, and that nothing hostile comes through."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from nilometer.core.record import Kind
from nilometer.ingest.kernel import Overflowed, Tally
from nilometer.ingest.overflowlog import BURST, RATE, REASONS, OverflowLog
from nilometer.testing.clock import ManualClock

if TYPE_CHECKING:
    import pytest

    from nilometer.ingest.kernel import Kernel


class Refusing:
    """Stands for a kernel whose limits have refused keys."""

    def __init__(self, key: str = "a.b") -> None:
        self.key = key

    def overflowed(self) -> list[Overflowed]:
        return [Overflowed("192.0.2.7:4711", self.key, Kind.COUNTER, "series_over_limit")] * 32


def make(key: str = "a.b") -> tuple[ManualClock, OverflowLog]:
    clock = ManualClock()
    kernel: Kernel = Refusing(key)  # type: ignore[assignment]  # of a kernel, the log uses `overflowed` only
    return clock, OverflowLog(kernel, clock)


def test_a_key_is_shown_with_its_source_and_the_limit(caplog: pytest.LogCaptureFixture) -> None:
    make()[1].drain()

    assert caplog.messages[0] == "no series for counter a.b from 192.0.2.7:4711: there are as many series as limits.series"


def test_a_flood_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    clock, log = make()
    log.drain()
    log.drain()
    assert len(caplog.messages) == BURST

    clock.advance(3)
    log.drain()
    assert len(caplog.messages) == BURST + 3 * RATE


def test_control_characters_are_escaped(caplog: pytest.LogCaptureFixture) -> None:
    make("a\x1b[31m")[1].drain()

    assert "a\\x1b[31m" in caplog.messages[0]


def test_every_limit_on_series_has_its_reason() -> None:
    fields = {field.name for field in dataclasses.fields(Tally) if field.name.endswith("_over_limit")}

    assert set(REASONS) == fields - {"samples_over_limit", "members_over_limit", "timed_over_limit"}
