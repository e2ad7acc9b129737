"""Times are those that Graphite means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.query import times
from nilometer.query.limits import QueryError

NOW = int(datetime(2026, 3, 18, 15, 42, 7, tzinfo=UTC).timestamp())
"""A Wednesday."""


def at(*parts: int, zone: tzinfo = UTC) -> int:
    return int(datetime(*parts, tzinfo=zone).timestamp())  # type: ignore[arg-type,misc]  # a date and a time


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", NOW),
        ("", NOW),
        ("-1h", NOW - 3600),
        ("now-90s", NOW - 90),
        ("+1min", NOW + 60),
        ("-1h30min", NOW - 5400),
        ("-2d", NOW - 2 * 86_400),
        ("-1w", NOW - 7 * 86_400),
        ("-1mon", NOW - 30 * 86_400),
        ("-1year", NOW - 365 * 86_400),
        ("1700000000", 1_700_000_000),
        ("12345678", 12_345_678),
        ("20260131", at(2026, 1, 31)),
        ("04:00_20260131", at(2026, 1, 31, 4)),
        ("16:30 20260131", at(2026, 1, 31, 16, 30)),
        ("today", at(2026, 3, 18)),
        ("midnight", at(2026, 3, 18)),
        ("noon", at(2026, 3, 18, 12)),
        ("teatime", at(2026, 3, 18, 16)),
        ("noon yesterday", at(2026, 3, 17, 12)),
        ("noon+1d", at(2026, 3, 19, 12)),
        ("tomorrow", at(2026, 3, 19)),
        ("6pm today", at(2026, 3, 18, 18)),
        ("8am", at(2026, 3, 18, 8)),
        ("8:50am", at(2026, 3, 18, 8, 50)),
        ("10:15pm", at(2026, 3, 18, 22, 15)),
        ("01/31/26", at(2026, 1, 31)),
        ("01/31/1999", at(1999, 1, 31)),
        ("jan 5", at(2026, 1, 5)),
        ("noon december25", at(2026, 12, 25, 12)),
        ("monday", at(2026, 3, 16)),
        ("wed", at(2026, 3, 18)),
        ("thursday", at(2026, 3, 12)),
        ("NOW-1H", NOW - 3600),
        ("2026-01-31", at(2026, 1, 31)),
        ("2026-01-31T12:30:00Z", at(2026, 1, 31, 12, 30)),
        ("2026-01-31 12:30+02:00", at(2026, 1, 31, 10, 30)),
        ("2026-01-31T12:30:00 02:00", at(2026, 1, 31, 10, 30)),
        ("2026-01-31T12:30:00.5 0200", at(2026, 1, 31, 10, 30)),
        ("2026-01-31 12:30", at(2026, 1, 31, 12, 30)),
    ],
)
def test_moments(text: str, moment: int) -> None:
    assert times.moment(text, NOW) == moment


def test_references_are_of_the_zone() -> None:
    zone = timezone(timedelta(hours=9))
    assert times.moment("midnight", NOW, zone) == at(2026, 3, 19, zone=zone)
    assert times.moment("04:00_20260131", NOW, zone) == at(2026, 1, 31, 4, zone=zone)
    assert times.moment("2026-01-31T04:00", NOW, zone) == at(2026, 1, 31, 4, zone=zone)
    assert times.moment("-1h", NOW, zone) == NOW - 3600


def test_an_unknown_zone_is_utc() -> None:
    assert times.zone("Nowhere/Town") is UTC
    assert times.zone("../etc/passwd") is UTC
    assert times.zone("") is UTC


@pytest.mark.parametrize(
    "text",
    ["-1m", "-h", "soon", "25:00", "jan", "20261345-1x", "99999999999999", "-9999999w", "1" * 200, "13/45/20", "²"],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        times.moment(text, NOW)


@pytest.mark.parametrize(
    ("text", "seconds"), [("10s", 10), ("-1h", -3600), ("+2d", 172_800), ("1d12h", 129_600), ("1minute", 60)]
)
def test_spans(text: str, seconds: int) -> None:
    assert times.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "h", "-", "5x", "1h-1h", "1 h"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        times.seconds(text)


@given(st.text(alphabet="0123456789-+:/ apmnowtedyhjs_", max_size=20))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    try:
        found = times.moment(text, NOW)
    except QueryError:
        return
    assert 0 <= found <= times.LATEST
