"""The log of bad lines: what it shows, how much, and that nothing hostile comes through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core.show import BURST, RATE, printable
from nilometer.ingest.badlines import BadLineLog
from nilometer.ingest.kernel import BadLine, Tally
from nilometer.testing.clock import ManualClock

if TYPE_CHECKING:
    import pytest

    from nilometer.ingest.kernel import Kernel


class Refusing:
    """Stands for a kernel that has refused lines."""

    def __init__(self) -> None:
        self.waiting: list[BadLine] = []

    def refuse(self, number: int = 1, line: str = "foo:bar|c", source: str = "192.0.2.7:4711") -> None:
        self.waiting += [BadLine(source, line, "bar,c", "not a number")] * number

    def bad_lines(self) -> list[BadLine]:
        taken, self.waiting = self.waiting[:32], []
        return taken


def make(*, statsd: bool = False) -> tuple[Refusing, ManualClock, BadLineLog]:
    refusing, clock = Refusing(), ManualClock()
    kernel: Kernel = refusing  # type: ignore[assignment]  # of a kernel, the log uses `bad_lines` only
    return refusing, clock, BadLineLog(kernel, clock, statsd=statsd)


def test_a_bad_line_is_shown_with_its_source_and_reason(caplog: pytest.LogCaptureFixture) -> None:
    refusing, _, log = make()
    refusing.refuse()
    log.drain()

    assert caplog.messages == ["bad line from 192.0.2.7:4711: not a number: foo:bar|c"]


def test_statsd_mode_uses_the_words_of_statsd(caplog: pytest.LogCaptureFixture) -> None:
    refusing, _, log = make(statsd=True)
    refusing.refuse()
    log.drain()

    assert caplog.messages == ['DEBUG: Bad line: bar,c in msg "foo:bar|c"']


def test_a_flood_is_cut_and_the_rest_counted(caplog: pytest.LogCaptureFixture) -> None:
    refusing, _, log = make()
    refusing.refuse(32)
    log.drain()
    refusing.refuse(32)
    log.counted(Tally(bad_lines=1254))

    assert len(caplog.messages) == BURST + 1
    assert caplog.messages[-1] == f"… and {1254 - BURST:.0f} more bad lines"


def test_lines_that_were_all_shown_need_no_count(caplog: pytest.LogCaptureFixture) -> None:
    refusing, _, log = make()
    refusing.refuse(2)
    log.counted(Tally(bad_lines=2))

    assert len(caplog.messages) == 2


def test_the_rate_recovers_with_time(caplog: pytest.LogCaptureFixture) -> None:
    refusing, clock, log = make()
    refusing.refuse(32)
    log.drain()
    caplog.clear()
    clock.advance(2)
    refusing.refuse(32)
    log.drain()

    assert len(caplog.messages) == 2 * RATE


def test_no_control_character_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    refusing, _, log = make()
    refusing.refuse(line="a\x1b[2J\r\x00\u202e\x85b", source="\x07")
    log.drain()

    assert caplog.messages == ["bad line from \\x07: not a number: a\\x1b[2J\\r\\x00\\u202e\\x85b"]


def test_what_prints_stays_as_it_is() -> None:
    assert printable("größe:1|c é") == "größe:1|c é"
