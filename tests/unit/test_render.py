from __future__ import annotations

import pickle
import struct
from array import array
from typing import TYPE_CHECKING

import pytest

from nilometer.core.naming import Naming
from nilometer.core.record import Block, Column, Flush, Kind, Window, block
from nilometer.core.wire import render

if TYPE_CHECKING:
    from collections.abc import Sequence

NEW, OLD = Naming(), Naming(legacy=True)


def flush(*blocks: Block, end: float = 1000.5) -> Flush:
    return Flush(Window(end - 10, end, 10.0), blocks)


def counters(*keys: str, each: float = 2.0) -> Block:
    return block(Kind.COUNTER, {"rate": [each / 10 for _ in keys], "count": [each for _ in keys]}, keys)


def text(made: Flush, naming: Naming = NEW) -> list[str]:
    return render.lines(made, naming, render.Plain()).decode().splitlines()


def unpickled(frame: bytes) -> list[tuple[str, tuple[int, str]]]:
    assert struct.unpack("!L", frame[:4]) == (len(frame) - 4,)
    read: list[tuple[str, tuple[int, str]]] = pickle.loads(frame[4:], encoding="utf-8")  # noqa: S301 as carbon reads it
    return read


def test_a_line_is_path_value_and_whole_seconds_rounded_half_up() -> None:
    assert text(flush(counters("a"))) == ["stats.counters.a.rate 0.2 1001", "stats.counters.a.count 2 1001"]


def test_counters_come_first_then_timers_gauges_and_sets() -> None:
    made = flush(
        block(Kind.SET, {"count": [1]}, ["s"]),
        block(Kind.GAUGE, {"value": [1]}, ["g"]),
        block(Kind.TIMER, {"mean": [1]}, ["t"]),
        block(Kind.COUNTER, {"rate": [1]}, ["c"]),
        block(Kind.GAUGE, {"value": [2]}, ["later"]),
    )
    paths = ["stats.counters.c.rate", "stats.timers.t.mean", "stats.gauges.g", "stats.gauges.later", "stats.sets.s.count"]
    assert [line.split(" ")[0] for line in text(made)] == paths


def test_the_statistics_of_a_series_stand_together_and_absent_ones_are_left_out() -> None:
    columns = (Column("mean", array("d", [1, 2]), b"\1\0"), Column("sum", array("d", [3, 4]), b"\1\1"))
    made = flush(Block(Kind.TIMER, b"a\nb", 2, columns))
    assert text(made) == ["stats.timers.a.mean 1 1001", "stats.timers.a.sum 3 1001", "stats.timers.b.sum 4 1001"]


def test_tags_stand_behind_the_statistic_and_the_suffix() -> None:
    made = flush(counters("a;k=v;x"))
    assert text(made, Naming(suffix="sfx"))[1] == "stats.counters.a.count.sfx;k=v;x 2 1001"


@pytest.mark.parametrize(
    ("naming", "paths"),
    [
        (OLD, ["stats.a", "stats_counts.a"]),
        (Naming(legacy=True, counts=False, suffix="s"), ["stats.a.s"]),
        (Naming(counts=False), ["stats.counters.a.rate"]),
        (Naming(prefix="", counter=""), ["a.rate", "a.count"]),
        (Naming(prefix="x.y", counter="c"), ["x.y.c.a.rate", "x.y.c.a.count"]),
        (Naming(suffix=""), ["stats.counters.a.rate.", "stats.counters.a.count."]),
    ],
)
def test_naming_places_the_paths(naming: Naming, paths: list[str]) -> None:
    assert [line.split(" ")[0] for line in text(flush(counters("a")), naming)] == paths


def test_sanitizing_cleans_the_name_and_leaves_the_tags() -> None:
    made = flush(counters("a b/ü\u00a0\tc;t=x/y"))
    assert text(made, Naming(sanitize=True))[0].startswith("stats.counters.a_b-_c.rate;t=x/y ")
    assert text(made)[0].startswith("stats.counters.a b/ü\u00a0\tc.rate;t=x/y ")


def test_an_empty_name_is_a_series_and_an_empty_flush_is_nothing() -> None:
    assert text(flush(counters(""))) == ["stats.counters..rate 0.2 1001", "stats.counters..count 2 1001"]
    assert text(flush(counters())) == []
    assert list(render.pickles(flush(), NEW)) == []
    assert list(render.points(flush(), NEW).items()) == []


def test_points_are_the_paths_and_numbers_of_the_lines() -> None:
    made = flush(counters("a", "b;t=1"), block(Kind.GAUGE, {"value": [0.5]}, ["g"]), end=60)
    points = render.points(made, NEW, render.Plain())
    assert [f"{path} {value} {points.timestamp}" for path, value in points.items()] == [
        "stats.counters.a.rate 0.2 60",
        "stats.counters.a.count 2.0 60",
        "stats.counters.b.rate;t=1 0.2 60",
        "stats.counters.b.count;t=1 2.0 60",
        "stats.gauges.g 0.5 60",
    ]


def test_a_single_path_that_is_empty_is_a_point() -> None:
    made = flush(block(Kind.GAUGE, {"value": [1]}, [""]))
    assert list(render.points(made, Naming(prefix="", gauge="")).items()) == [("", 1.0)]


def test_a_pickle_is_what_carbon_reads() -> None:
    made = flush(counters("a"), block(Kind.GAUGE, {"value": [float("inf")]}, ["g"]), end=60)
    frames = list(render.pickles(made, NEW))
    assert [unpickled(frame) for frame in frames] == [
        [
            ("stats.counters.a.rate", (60, "0.2")),
            ("stats.counters.a.count", (60, "2")),
            ("stats.gauges.g", (60, "Infinity")),
        ]
    ]
    assert frames[0][4:].startswith(b"(l(S'stats.counters.a.rate'\n(L60L\nS'0.2'\ntta")


def test_no_key_breaks_out_of_its_pickle() -> None:
    keys = ["it's", "back\\slash", "ü\U0001f600", "tab\there"]
    made = flush(block(Kind.GAUGE, {"value": [1] * 4}, keys))
    assert [path for path, _ in unpickled(next(iter(render.pickles(made, NEW))))] == [f"stats.gauges.{key}" for key in keys]


def test_frames_hold_at_most_500_metrics_and_half_a_mebibyte() -> None:
    many = flush(counters(*(f"c{number}" for number in range(600))))
    assert [len(unpickled(frame)) for frame in render.pickles(many, NEW)] == [500, 500, 200]
    long = flush(counters(*("x" * 65_000 for _ in range(20))))
    sizes = [len(frame) for frame in render.pickles(long, NEW)]
    assert sum(len(unpickled(frame)) for frame in render.pickles(long, NEW)) == 40
    assert max(sizes) <= 512 * 1024 + 8


class Fixed:
    """A renderer that answers what it is told."""

    def lines(self, block: Block, columns: Sequence[render.Placed], timestamp: int, *, sanitize: bool) -> bytes:
        return f"{block.kind} {len(columns)} {timestamp} {sanitize}\n".encode()

    def points(self, block: Block, columns: Sequence[render.Placed], *, sanitize: bool) -> tuple[bytes, Sequence[float]]:
        return f"{block.kind} {len(columns)} {sanitize}".encode(), [7.0]


def test_another_renderer_can_be_put_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "_installed", render._Installed(render.Plain()))
    render.use(Fixed())
    made = flush(counters("a"), end=60)
    assert render.lines(made, Naming(counts=False)) == b"counter 1 60 False\n"
    assert list(render.points(made, NEW).items()) == [("counter 2 False", 7.0)]
