"""Charts: well-formed for any data, no peak lost, gaps shown, marks where people expect them."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.chart import Day, Line, Look, Stack, calendar, scale, stacked, svg

START = datetime(2026, 3, 1, 22, 58, 20, tzinfo=UTC).timestamp()
SVG = "{http://www.w3.org/2000/svg}"


def paths(text: str) -> list[str]:
    return [each.get("d", "") for each in ET.fromstring(text).findall(f"{SVG}path") if each.get("stroke-linecap")]  # noqa: S314 ours


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.-]+) ([\d.-]+)", path)]


anything = st.none() | st.floats()
lines = st.builds(
    Line, st.text(max_size=30), st.floats(START - 1e6, START + 1e6), st.floats(0.1, 1e5), st.lists(anything, max_size=40)
)


@given(st.lists(lines, max_size=12), st.floats(0, 1e6), st.text(max_size=50), st.integers(-5, 6000), st.integers(-5, 6000))
def test_any_data_make_well_formed_xml(drawn: list[Line], seconds: float, title: str, width: int, height: int) -> None:
    text = svg(drawn, START, START + seconds, Look(width, height, title))
    root = ET.fromstring(text)  # noqa: S314 ours
    assert root.tag == f"{SVG}svg"
    assert "nan" not in text.partition("</style>")[2].partition("<text")[0]


def test_points_stand_where_their_time_and_value_are() -> None:
    [path] = paths(svg([Line("a", START, 10, [0.0, 5.0, 10.0])], START, START + 20, Look(legend=False)))
    (left, low), (middle, half), (right, high) = points(path)
    assert left < middle < right
    assert (middle - left, low - half) == pytest.approx((right - middle, half - high), abs=0.2)


def test_a_missing_value_is_a_gap_and_a_lonely_point_a_dot() -> None:
    [path] = paths(svg([Line("a", START, 10, [1.0, None, 2.0, math.nan, 3.0, 4.0])], START, START + 50))
    assert path.count("M") == 3
    assert path.count("h0") == 3


def test_no_peak_is_lost_among_many_points() -> None:
    values: list[float | None] = [1.0] * 100_000
    values[54_321] = 9.0
    values[77_777] = 0.5
    [path] = paths(svg([Line("a", START, 1, values)], START, START + 100_000))
    heights = [y for _, y in points(path)]
    assert len(heights) < 2500
    assert len(set(heights)) == 3


def test_text_is_escaped_and_cut() -> None:
    text = svg([Line("<script>&\x00" + "x" * 500, START, 1, [1.0])], START, START + 1, Look(title="<b>" * 200))
    assert "<script" not in text
    assert "<b>" not in text
    assert "…" in text


def test_a_colour_of_the_line_is_used_when_it_is_one() -> None:
    text = svg([Line("a", START, 1, [1.0], "#123456"), Line("b", START, 1, [1.0], '"/><script>')], START, START + 1)
    assert "#123456" in text
    assert "script" not in text


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (3, 97, [0, 20, 40, 60, 80, 100]),
        (95, 99, [95, 96, 97, 98, 99]),
        (-7, 12, [-10, -5, 0, 5, 10, 15]),
        (0, 0, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (5, 5, [0, 1, 2, 3, 4, 5]),
        (-5, -5, [-5, -4, -3, -2, -1, 0]),
        (5e-324, 5e-324, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (1.5e307, 1.5e307, [0, 2e299, 4e299, 6e299, 8e299, 1e300]),
        (-5e-324, 0, [0, 0.2, 0.4, 0.6, 0.8, 1]),
    ],
)
def test_marks_of_values(low: float, high: float, marks: list[float]) -> None:
    assert scale.values(low, high).marks == pytest.approx(marks)


@given(st.floats(-1e299, 1e299), st.floats(-1e299, 1e299), st.integers(1, 20))
def test_a_scale_holds_all_values_and_has_few_marks(one: float, other: float, most: int) -> None:
    low, high = min(one, other), max(one, other)
    found = scale.values(low, high, most)
    slack = (found.high / 2 - found.low / 2) * 1e-9  # far less than a pixel
    assert found.low - slack <= low <= high <= found.high + slack
    assert found.low < found.high
    assert 2 <= len(found.marks) <= 4 * most + 2
    assert found.marks == sorted(found.marks)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1234, "1.234k"),
        (40, "40"),
        (0.002, "0.002"),
        (-1.5e6, "-1.5M"),
        (2.5e9, "2.5G"),
        (1e-7, "1e-07"),
        (999.99, "1k"),
        (1e40, "1e+16Y"),
    ],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert scale.short(value) == text


@pytest.mark.parametrize(
    ("seconds", "first", "number"),
    [
        (60, "22:58:20", 7),
        (3600, "23:00", 6),
        (86_400, "2 Mar", 8),
        (7 * 86_400, "2 Mar", 7),
        (300 * 86_400, "May 2026", 4),
        (3000 * 86_400, "2028", 4),
    ],
)
def test_marks_of_time(seconds: int, first: str, number: int) -> None:
    marks = scale.times(START, START + seconds)
    assert marks[0][1] == first
    assert len(marks) == number
    assert all(START <= time <= START + seconds for time, _ in marks)


def test_marks_of_time_are_those_of_the_zone() -> None:
    zone = ZoneInfo("Asia/Kathmandu")
    marks = scale.times(START, START + 6 * 3600, zone)
    assert all(datetime.fromtimestamp(time, zone).minute == 0 for time, _ in marks)


@given(st.floats(0, 2.5e11), st.floats(0, 1e11))
def test_there_are_never_many_marks_of_time(start: float, seconds: float) -> None:
    assert len(scale.times(start, min(start + seconds, 2.534e11))) <= 60


def bars(text: str) -> list[list[tuple[float, float, float, float]]]:
    """Return the bars of each series: left, bottom, top, width."""
    paths = [each.get("d", "") for each in ET.fromstring(text).findall(f"{SVG}path") if each.get("fill")]  # noqa: S314 ours
    found = [re.findall(r"M([\d.-]+) ([\d.-]+)V([\d.-]+)h([\d.-]+)", path) for path in paths]
    return [[(float(a), float(b), float(c), float(d)) for a, b, c, d in each] for each in found]


def test_bars_stand_on_each_other_over_their_time() -> None:
    spans = [(START, START + 60), (START + 60, START + 180), (START + 180, START + 240)]
    first, second = bars(stacked([Stack("a", [1, 2, None]), Stack("b", [3, 0, 4])], spans, Look(width=72 + 240)))
    assert [round(bar[1] - bar[2], 0) for bar in first] == [round((first[0][1] - first[0][2]) * size, 0) for size in (1, 2)]
    assert second[0][1] == first[0][2]
    assert second[1][1] == first[0][1]
    assert [bar[3] for bar in first] == [54, 108]
    assert 56 < first[0][0] < first[0][0] + first[0][3] < 116 < first[1][0] < second[1][0]


def test_bars_are_no_more_than_pixels_and_the_highest_stays() -> None:
    values = [1.0] * 10_000
    values[5432] = 9.0
    spans = [(START + each, START + each + 1) for each in range(10_000)]
    [drawn] = bars(stacked([Stack("a", values)], spans, Look(width=372)))
    assert len(drawn) <= 300
    assert max(bottom - top for _, bottom, top, _ in drawn) > 8 * min(bottom - top for _, bottom, top, _ in drawn)


@given(st.lists(st.lists(anything, min_size=3, max_size=3), max_size=9), st.text(max_size=30), st.integers(-5, 6000))
def test_any_bars_make_well_formed_xml(values: list[list[float | None]], name: str, size: int) -> None:
    spans = [(START, START + 1), (START + 1, START + 2), (START + 2, START + 3)]
    text = stacked([Stack(name, each) for each in values], spans, Look(size, size, name))
    assert ET.fromstring(text).tag == f"{SVG}svg"  # noqa: S314 ours
    assert "nan" not in text.partition("</style>")[2].partition("<text")[0]


def test_no_bars_are_a_chart() -> None:
    assert ET.fromstring(stacked([], [])).tag == f"{SVG}svg"  # noqa: S314 ours


def test_a_calendar_has_a_square_a_day_and_darker_ones_for_more() -> None:
    first = date(2025, 12, 29)
    values: list[float | None] = [*range(12), None, math.nan, -1, 1e300]
    text = calendar([Day(first + timedelta(number), value) for number, value in enumerate(values)], Look(title="<days>"))
    squares = [each for each in ET.fromstring(text).findall(f"{SVG}rect") if each.get("rx")]  # noqa: S314 ours
    fills = [each.get("fill") for each in squares]
    assert len(squares) == len(values)
    assert [fills.count(shade) for shade in ("#9be9a8", "#40c463", "#30a14e", "#216e39", None)] == [3, 3, 3, 3, 4]
    assert ["".join(each.itertext()) for each in squares[:2]] == ["2025-12-29: 0", "2025-12-30: 1"]
    places = [(int(each.get("x", 0)), int(each.get("y", 0))) for each in squares]
    assert len(set(places)) == len(places)
    assert places[1] == (places[0][0], places[0][1] + 13)
    assert (places[10][0], places[10][1]) == (places[3][0] + 13, places[3][1])


@pytest.mark.parametrize(
    "days",
    [[], [Day(date(1, 1, 1), 1.0)], [Day(date(9999, 12, 31), None)], [Day(date(year, 2, 28), 1) for year in range(1900, 2000)]],
)
def test_any_days_make_a_calendar(days: list[Day]) -> None:
    root = ET.fromstring(calendar(days))  # noqa: S314 ours
    assert len([each for each in root if each.get("rx")]) == min(len(days), 20)
