"""Windows of time: by the second, and by the calendar of a zone."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.errors import InputError
from nilometer.core.statistics import EVER
from nilometer.core.statistics.window import parse

BY_SECONDS = ("1s", "5s", "15s", "1m", "5m", "1h")
WINDOWS = (*BY_SECONDS, "1d", "1w", "1mo", "1d@Europe/Prague", "1w@America/New_York", "1mo@Asia/Kathmandu")


def at(*when: int, zone: str = "UTC") -> int:
    return int(datetime(*when, tzinfo=ZoneInfo(zone)).timestamp())  # type: ignore[arg-type, misc]  # numbers of a date


@given(st.sampled_from(WINDOWS), st.floats(-2e9, 8e9))
def test_a_time_lies_in_its_window_and_the_next_window_begins_at_its_end(text: str, time: float) -> None:
    window = parse(text)
    slot = window.slot(time)
    assert window.begin(slot) <= time < slot
    assert window.begin(window.slot(slot)) == slot
    assert str(window) == text


@pytest.mark.parametrize(
    ("text", "time", "begin", "end"),
    [
        ("15s", at(2026, 1, 5, 0, 0, 15), at(2026, 1, 5, 0, 0, 15), at(2026, 1, 5, 0, 0, 30)),
        ("1d", at(2026, 1, 5, 23, 59, 59), at(2026, 1, 5), at(2026, 1, 6)),
        ("1w", at(2026, 1, 11, 23), at(2026, 1, 5), at(2026, 1, 12)),
        ("1mo", at(2024, 2, 29, 12), at(2024, 2, 1), at(2024, 3, 1)),
        (
            "1d@America/New_York",
            at(2026, 11, 1, 12, zone="America/New_York"),
            at(2026, 11, 1, zone="America/New_York"),
            at(2026, 11, 2, zone="America/New_York"),
        ),
    ],
)
def test_windows_follow_the_calendar(text: str, time: int, begin: int, end: int) -> None:
    window = parse(text)
    assert (window.begin(window.slot(time)), window.slot(time)) == (begin, end)


def test_a_day_in_autumn_has_an_hour_more() -> None:
    window = parse("1d@America/New_York")
    slot = window.slot(at(2026, 11, 1, 12, zone="America/New_York"))
    assert slot - window.begin(slot) == 25 * 3600


def test_idents_and_intervals() -> None:
    assert [parse(text).ident for text in ("1s", "1mo", "1d@Europe/Prague")] == ["-1s", "-1mo", "-1d-europe-prague"]
    assert (EVER.ident, EVER.slot(5.0), EVER.begin(0), EVER.interval) == ("", 0, 0, None)
    interval = parse("15s").interval
    assert interval is not None
    assert interval.total_seconds() == 15
    assert datetime.fromtimestamp(parse("1d").slot(0), UTC).isoformat() == "1970-01-02T00:00:00+00:00"


@pytest.mark.parametrize(
    "text", ["", "7s", "90m", "2d", "2w", "1y", "1d@Nowhere/City", "1m@Europe/Prague", "1d@../etc", "0s", "-1s"]
)
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse(text)
