"""What becomes of values beyond a limit. Each test runs over both kernels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from nilometer.core.record import Kind
from nilometer.core.sketch import ERROR, Sketch
from nilometer.ingest.kernel import Aggregation, Overflowed
from nilometer.testing.kernels import as_flush, flushed

if TYPE_CHECKING:
    from nilometer.ingest.kernel import Kernel

MANY = 5000


def limited(**limits: int) -> Aggregation:
    return Aggregation(overflow="more", timer_statistics=("count",), **limits)  # type: ignore[arg-type]  # numbers only


def counts(kernel: Kernel, data: bytes, source: str = "192.0.2.1:7") -> dict[str, str]:
    kernel.feed(data, source, "statsd")
    return {path.removesuffix(".count"): value for path, value in flushed(kernel).items() if not path.endswith(".rate")}


def test_values_of_refused_series_go_to_the_overflow_series_of_their_kind(kernel: Kernel) -> None:
    kernel.configure(limited(max_series=2))
    seen = counts(kernel, b"a:1|c\nb:2|c\nc:3|c|@0.5\na:1|c\nt:1|ms\nu:1|ms\ng:+7|g\nh:-2|g\ns:x|s\nr:x|s\nr:y|s")
    assert seen == {
        "counters.a": "2",
        "counters.b": "2",
        "counters.more": "6",
        "timers.more": "2",
        "gauges.more": "5",
        "sets.more": "2",
    }


@pytest.mark.parametrize(
    ("limits", "field", "kept"),
    [
        ({"max_name": 3}, "name_over_limit", [b"abc", b"ab;tag=long"]),
        ({"max_tags": 1}, "tags_over_limit", [b"a", b"a;x=1", b"long.name"]),
        ({"max_series": 2}, "series_over_limit", [b"a", b"b"]),
        ({"max_key_bytes": 6}, "keys_over_limit", [b"abc", b"abd"]),
        ({"max_series_per_prefix": 2}, "prefix_over_limit", [b"a.b", b"a;x=1", b"b.x"]),
        ({"max_series_per_prefix": 1, "prefix_parts": 2}, "prefix_over_limit", [b"a.b", b"a.c", b"a"]),
        ({"max_series_per_source": 1}, "source_over_limit", [b"a"]),
    ],
)
def test_each_limit_has_its_own_count(kernel: Kernel, limits: dict[str, int], field: str, kept: list[bytes]) -> None:
    refused = {"name_over_limit": b"abcd", "tags_over_limit": b"a;x=1;y=2", "prefix_over_limit": b"a.b.c"}.get(field, b"zz")
    kernel.configure(limited(**limits))
    kernel.feed(b"".join(key + b":1|c\n" for key in (*kept, refused, refused, kept[0])), "192.0.2.1:7", "statsd")
    aggregates = kernel.flush(1)
    assert {name: getattr(aggregates.tally, name) for name in aggregates.tally.__slots__ if name.endswith("_limit")} == {
        name: 2 * (name == field) for name in aggregates.tally.__slots__ if name.endswith("_limit")
    }
    assert aggregates.blocks[0].keys() == [*(key.decode() for key in kept), "more"]
    assert kernel.overflowed() == [Overflowed("192.0.2.1:7", refused.decode(), Kind.COUNTER, field)] * 2
    assert kernel.overflowed() == []


def test_a_source_is_an_address_whatever_its_port(kernel: Kernel) -> None:
    kernel.configure(limited(max_series_per_source=1))
    kernel.feed(b"a:1|c", "192.0.2.1:7", "statsd")
    kernel.feed(b"b:1|c\na:1|c", "192.0.2.1:8", "statsd")
    kernel.feed(b"c:1|c", "[2001:db8::1]:7", "statsd")
    kernel.feed(b"d:1|c", "[2001:db8::1]:8", "statsd")
    kernel.feed(b"e:1|c", "[2001:db8::2]:8", "statsd")
    kernel.feed(b"f:1|c", "/run/nilometer.sock", "statsd")
    assert kernel.flush(1).blocks[0].keys() == ["a", "more", "c", "e", "f"]


def test_what_is_deleted_makes_room(kernel: Kernel) -> None:
    kernel.configure(
        Aggregation(delete_counters=True, max_series=1, max_series_per_prefix=1, max_series_per_source=1, max_key_bytes=3)
    )
    for name in (b"a.b", b"a.c", b"b.c"):
        assert list(flushed(kernel, name + b":1|c")) == [f"counters.{name.decode()}.rate", f"counters.{name.decode()}.count"]


def test_series_that_there_are_stay_when_a_limit_comes_down(kernel: Kernel) -> None:
    kernel.configure(limited())
    counts(kernel, b"long.name:1|c\nb:1|c")
    kernel.configure(limited(max_series=1, max_name=1, max_series_per_source=1))
    assert counts(kernel, b"long.name:1|c\nb:1|c\nc:1|c") == {
        "counters.long.name": "1",
        "counters.b": "1",
        "counters.more": "1",
    }


def test_few_refused_keys_are_kept_and_all_counted(kernel: Kernel) -> None:
    kernel.configure(limited(max_name=3))
    kernel.feed(b"".join(b"%s%d:1|c\n" % (b"x" * 600, number) for number in range(100)), "peer", "statsd")
    assert [len(refused.key) for refused in kernel.overflowed()] == [512] * 32
    assert kernel.flush(1).tally.name_over_limit == 100


def test_a_timer_beyond_its_bound_goes_on_in_a_sketch(kernel: Kernel) -> None:
    kernel.configure(Aggregation(max_samples_per_timer=100, percentiles=(50.0, 99.0, -10.0)))
    samples = [float((number * 7919) % MANY) for number in range(1, MANY + 1)]
    seen = flushed(kernel, *(b"t:%d|ms|@0.5" % sample for sample in samples))
    ranked = sorted(samples)
    exact = {"count": 2 * MANY, "upper": ranked[-1], "lower": ranked[0], "sum": sum(ranked), "mean": sum(ranked) / MANY}
    exact["sum_squares"] = sum(sample * sample for sample in ranked)
    assert {name: float(seen[f"timers.t.{name}"]) for name in exact} == exact
    near = {"upper_50": ranked[MANY // 2 - 1], "upper_99": ranked[MANY * 99 // 100 - 1], "lower_top10": ranked[-MANY // 10]}
    near |= {"sum_50": sum(ranked[: MANY // 2]), "median": (ranked[MANY // 2 - 1] + ranked[MANY // 2]) / 2}
    near["std"] = math.sqrt(sum((sample - exact["mean"]) ** 2 for sample in ranked) / MANY)
    assert {name: float(seen[f"timers.t.{name}"]) for name in near} == pytest.approx(near, rel=ERROR)
    assert seen["timers.t.count_99"] == str(MANY * 99 // 100)


@pytest.mark.parametrize("value", ["0", "1e-320", "5e-324", "1e308", "1e400", "0.1", "7"])
def test_a_timer_of_one_value_is_exact_even_in_a_sketch(kernel: Kernel, value: str) -> None:
    lines = [f"t:{value}|ms".encode()] * 3
    exact = flushed(kernel, *lines)
    kernel.configure(Aggregation(max_samples_per_timer=1))
    sketched = flushed(kernel, *lines)
    names = ["upper", "lower", "median", "mean", "sum", "upper_90"]
    assert {name: sketched[f"timers.t.{name}"] for name in names} == {name: exact[f"timers.t.{name}"] for name in names}


def test_samples_of_all_timers_are_bounded_and_sums_stay_right(kernel: Kernel) -> None:
    kernel.configure(Aggregation(max_samples=2))
    kernel.feed(b"t:1|ms:2|ms:3|ms\nu:5|ms", "", "statsd")
    aggregates = kernel.flush(1)
    rows = {(row[1], row[2]): row[3] for row in as_flush(aggregates).rows()}
    assert aggregates.tally.samples_over_limit == 1
    assert (rows["t", "sum"], rows["t", "count"], rows["u", "mean"], rows["u", "count"]) == (6, 3, 5, 1)
    assert rows["t", "median"] == pytest.approx(2, rel=ERROR)
    assert ("u", "median") not in rows
    assert flushed(kernel, b"t:1|ms:2|ms")["timers.t.median"] == "1.5"


def test_a_set_beyond_its_bound_is_estimated(kernel: Kernel) -> None:
    kernel.configure(Aggregation(max_members_per_set=100))
    lines = [b"s:user-%d|s" % (number % MANY) for number in range(2 * MANY)]
    assert float(flushed(kernel, *lines)["sets.s.count"]) == pytest.approx(MANY, rel=0.025)
    assert flushed(kernel, *lines[:100])["sets.s.count"] == "100"


def test_members_of_all_sets_are_bounded(kernel: Kernel) -> None:
    kernel.configure(Aggregation(max_set_members=2))
    kernel.feed(b"a:1|s\nb:1|s\na:1|s\na:2|s\na:3|s\nb:2|s", "", "statsd")
    aggregates = kernel.flush(1)
    assert aggregates.tally.members_over_limit == 1
    assert [row[3] for row in as_flush(aggregates).rows()] == [3, 1]


def test_a_limit_that_comes_down_holds_for_the_rest_of_the_window(kernel: Kernel) -> None:
    kernel.feed(b"a:1|s", "", "statsd")
    kernel.configure(Aggregation(max_set_members=2))
    kernel.feed(b"a:2|s\na:3|s\nb:1|s", "", "statsd")
    assert kernel.flush(1).tally.members_over_limit == 1


def test_sketches_come_with_the_timers_where_they_are_asked_for(kernel: Kernel) -> None:
    kernel.configure(Aggregation(sketch=True, max_samples_per_timer=2))
    kernel.feed(b"c:1|c\nt:1|ms:2|ms:3|ms\nu:0|ms", "", "statsd")
    counters, timers = kernel.flush(1).blocks
    sketch = Sketch.decode(timers.sketches[0])
    assert (counters.sketches, sketch.count, sketch.sum, sketch.low, sketch.high) == ((), 3, 6, 1, 3)
    sketch.merge(Sketch.decode(timers.sketches[1]))
    assert [sketch.quantile(fraction) for fraction in (0, 0.5, 1)] == pytest.approx([0, 1, 3], rel=ERROR)
    kernel.feed(b"t:1|ms", "", "statsd")
    assert [bool(each) for each in kernel.flush(1).blocks[1].sketches] == [True, False]
