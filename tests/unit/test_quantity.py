from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nilometer.core import quantity
from nilometer.core.errors import SettingError
from nilometer.core.quantity import Duration, Moment, NamedDuration, Quantity, Rollup, Size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10", 10), ("10s", 10), (" 1.5 m ", 90), ("500ms", 0.5), ("2H", 7200), ("7d", 604_800), ("1w", 604_800), ("0", 0)],
)
def test_durations(text: str, seconds: float) -> None:
    assert quantity.duration(text) == seconds
    assert isinstance(quantity.duration(text), Duration)


@pytest.mark.parametrize(
    ("text", "number"),
    [("64", 64), ("64B", 64), ("64KiB", 65_536), ("64k", 65_536), ("64kB", 64_000), ("1.5MiB", 1_572_864), ("1GB", 10**9)],
)
def test_sizes(text: str, number: int) -> None:
    assert quantity.size(text) == number
    assert isinstance(quantity.size(text), Size)


@pytest.mark.parametrize("text", ["", "s", "-1s", "1e3", "1 0s", "1y", "inf", "nan", "٣s", "9" * 400, "1..5s", "1s2"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(SettingError, match=r"duration|unit"):
        quantity.duration(text)


@pytest.mark.parametrize("text", ["", "-1", "1e3", "1TiBs", "KiB", "9" * 400, "0x10"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(SettingError, match=r"size|unit"):
        quantity.size(text)


def test_rollups() -> None:
    assert quantity.rollup("1m:30d") == Rollup(Duration(60), Duration(2_592_000))


@pytest.mark.parametrize("text", ["1m", "1m:", ":1d", "1d:1m", "0s:1d", "1m:1m", "1m:1h:1d"])
def test_what_is_no_rollup(text: str) -> None:
    with pytest.raises(SettingError):
        quantity.rollup(text)


def test_truth_in_any_usual_spelling() -> None:
    assert all(quantity.truth(text) for text in ("1", "true", "Yes", " ON "))
    assert not any(quantity.truth(text) for text in ("0", "FALSE", "no", "off"))
    with pytest.raises(SettingError, match="neither true nor false"):
        quantity.truth("2")


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("1s", Duration, 1),
        ("1k", Size, 1024),
        ("on", bool, True),
        (" -7 ", int, -7),
        ("1e3", float, 1000.0),
        (" a ", str, " a "),
        ("/tmp", Path, Path("/tmp")),  # noqa: S108 nothing is written
    ],
)
def test_convert_reads_every_type(text: str, kind: type, value: object) -> None:
    assert quantity.convert(text, kind) == value


@pytest.mark.parametrize(
    ("text", "kind"), [("1.5", int), ("1_0", int), ("٣", int), ("9" * 5000, int), ("nan", float), ("x", float)]
)
def test_convert_refuses_what_is_of_another_type(text: str, kind: type) -> None:
    with pytest.raises(SettingError):
        quantity.convert(text, kind)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Duration(10), "10s"),
        (Duration(90), "90s"),
        (Duration(3600), "1h"),
        (Duration(604_800), "7d"),
        (Duration(0.5), "500ms"),
        (Duration(0), "0s"),
        (Duration(1e-7), "0.0000001s"),
        (Size(65_536), "64KiB"),
        (Size(1000), "1000"),
        (Size(0), "0"),
        (Size(3 << 30), "3GiB"),
        (Rollup(Duration(60), Duration(86_400)), "1m:1d"),
        (Moment(1_438_992_000), "2015-08-08"),
        (Moment(1_438_992_001.5), "2015-08-08T00:00:01.500000Z"),
        (NamedDuration("volume=x", Duration(60)), "volume=x=1m"),
    ],
)
def test_values_are_written_as_people_write_them(value: Quantity, text: str) -> None:
    assert quantity.written(value) == text


@given(st.integers(0, 10**9).map(lambda thousandths: Duration(thousandths * 0.001)) | st.integers(0, 10**9).map(Duration))
def test_a_written_duration_reads_back(value: Duration) -> None:
    assert quantity.duration(quantity.written(value)) == value


@given(st.floats(0, 1e24, exclude_max=True).map(Duration))
@example(Duration(1e-160))
@example(Duration(5e-324))
def test_a_written_duration_of_any_length_reads_back(value: Duration) -> None:
    assert quantity.duration(quantity.written(value)) == value


@given(st.integers(0, 1 << 50).map(Size))
def test_a_written_size_reads_back(value: Size) -> None:
    assert quantity.size(quantity.written(value)) == value


@given(st.text(max_size=30), st.sampled_from([Duration, Size, Rollup, Moment, NamedDuration, bool, int, float]))
def test_any_text_is_a_value_or_a_setting_error(text: str, kind: type) -> None:
    try:
        value = quantity.convert(text, kind)
    except SettingError:
        return
    assert isinstance(value, kind)
