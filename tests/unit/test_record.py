from __future__ import annotations

import dataclasses
from array import array

import pytest

from nilometer.core.record import Block, Column, Flush, Kind, Points, Window, block

COUNTERS = block(Kind.COUNTER, {"rate": [0.1, 0.2], "count": [1, 2]}, ["a", "b;k=v"])
PARTLY = Block(Kind.TIMER, b"t\nidle", 2, (Column("mean", array("d", [4, 0]), b"\1\0"), Column("count", array("d", [1, 0]))))


@pytest.mark.parametrize(("end", "timestamp"), [(10.0, 10), (10.49, 10), (10.5, 11), (1_700_000_009.999, 1_700_000_010)])
def test_timestamps_are_rounded_half_up(end: float, timestamp: int) -> None:
    assert Window(0, end, 10).timestamp == timestamp


def test_a_flush_gives_its_rows() -> None:
    flush = Flush(Window(0, 10, 10), (COUNTERS, PARTLY))
    assert flush.series == 4
    assert list(flush.rows()) == [
        (Kind.COUNTER, "a", "rate", 0.1),
        (Kind.COUNTER, "a", "count", 1),
        (Kind.COUNTER, "b;k=v", "rate", 0.2),
        (Kind.COUNTER, "b;k=v", "count", 2),
        (Kind.TIMER, "t", "mean", 4),
        (Kind.TIMER, "t", "count", 1),
        (Kind.TIMER, "idle", "count", 0),
    ]


def test_records_are_immutable() -> None:
    flush = Flush(Window(0, 10, 10), ())
    with pytest.raises(dataclasses.FrozenInstanceError):
        flush.blocks = ()  # type: ignore[misc]  # what is tested


def test_keys_that_are_not_utf8_are_still_keys() -> None:
    assert Block(Kind.SET, b"a\xff\nb", 2, ()).keys() == ["a\ufffd", "b"]
    assert Block(Kind.SET, b"", 1, ()).keys() == [""]
    assert Block(Kind.SET, b"", 0, ()).keys() == []


@pytest.mark.parametrize(
    ("columns", "names"), [({"count": [1.0]}, ["a", "b"]), ({"count": [1.0]}, []), ({"x": [1.0]}, ["a\nb"])]
)
def test_a_block_has_a_value_for_each_name(columns: dict[str, list[float]], names: list[str]) -> None:
    with pytest.raises(ValueError, match=r"name|newline"):
        block(Kind.SET, columns, names)


def test_points_are_pairs() -> None:
    assert list(Points(10, b"a.b\nc", array("d", [1, 2.5])).items()) == [("a.b", 1), ("c", 2.5)]
    assert list(Points(10, b"", array("d")).items()) == []
