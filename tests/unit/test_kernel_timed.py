"""Values that came with their own time: not aggregated, yet under the same rules and limits. All over both kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nilometer.core.record import Kind
from nilometer.ingest.kernel import MAX_TIMED, Aggregation, Overflowed, Rule

if TYPE_CHECKING:
    from nilometer.ingest.kernel import Kernel


def test_values_with_a_time_of_their_own_are_not_aggregated(kernel: Kernel) -> None:
    kernel.feed(b"a:2|c|@0.5|T21|#k:v\na:3|c\ng:-7:8|g|T22\nt:5|ms|T21\ns:x|s|T21")
    aggregates = kernel.flush(1)
    assert aggregates.timed == ((21, Kind.COUNTER, "a;k=v", 4.0), (22, Kind.GAUGE, "g", -7.0), (22, Kind.GAUGE, "g", 8.0))
    assert [(block.kind, block.keys()) for block in aggregates.blocks] == [
        (Kind.COUNTER, ["a"]),
        (Kind.TIMER, ["t"]),
        (Kind.SET, ["s"]),
    ]
    assert kernel.flush(1).timed == ()


def test_values_with_a_time_of_their_own_have_a_bound(kernel: Kernel) -> None:
    kernel.feed(b"a:%s|c|T21\n" % b":".join([b"1"] * 1000) * (MAX_TIMED // 1000) + b"a:1:1|c|T21")
    aggregates = kernel.flush(1)
    assert (len(aggregates.timed), aggregates.tally.timed_over_limit) == (MAX_TIMED, 2)
    kernel.configure(Aggregation(max_line=1 << 20, max_name=1 << 20))
    kernel.feed(b"\n".join(b"x" * (1 << 19) + b":1|g|T21" for _ in range(40)))
    aggregates = kernel.flush(1)
    assert (len(aggregates.timed), aggregates.tally.timed_over_limit) == (32, 8)


def test_rules_and_static_tags_hold(kernel: Kernel) -> None:
    rules = (
        Rule("^debug", action="drop"),
        Rule(r"^req\.([^.]*)\.(.*)$", rename=("req.", 2), tags=(("host", (1,)),), remove_tags=("id",), scale=0.5),
    )
    kernel.configure(Aggregation(rules=rules, tags=(("env", "prod"),)))
    kernel.feed(b"debug.x:1:2|c|T21\nreq.h1.n:6|c|@0.5|T21|#id:7\ng:3|g|T22|#env:test\nx y:1|c|T21")
    aggregates = kernel.flush(1)
    assert aggregates.timed == (
        (21, Kind.COUNTER, "req.n;host=h1;env=prod", 6.0),
        (22, Kind.GAUGE, "g;env=test", 3.0),
        (21, Kind.COUNTER, "x_y;env=prod", 1.0),
    )
    assert (aggregates.tally.dropped_by_rules, aggregates.blocks) == (2, ())


def test_with_keep_what_no_rule_fits_is_dropped(kernel: Kernel) -> None:
    kernel.configure(Aggregation(rules=(Rule("^app", action="keep"),)))
    kernel.feed(b"app.a:1|c|T21\nother:1|c|T21")
    aggregates = kernel.flush(1)
    assert (aggregates.timed, aggregates.tally.dropped_by_rules) == (((21, Kind.COUNTER, "app.a", 1.0),), 1)


def test_a_sample_is_drawn_in_order_with_all_others(kernel: Kernel) -> None:
    kernel.configure(Aggregation(rules=(Rule("", sample=0.1),)))
    kernel.feed(b"a:1|c\na:1|c|T21\n" * 2000)
    aggregates = kernel.flush(1)
    [block], timed = aggregates.blocks, aggregates.timed
    assert {value.value for value in timed} == {10.0}
    assert (block.columns[1].values[0], len(timed)) == (2100.0, 230), "drawn alike every time"


@pytest.mark.parametrize(
    ("limits", "field", "refused"),
    [
        ({"max_name": 3}, "name_over_limit", "abcd"),
        ({"max_tags": 1}, "tags_over_limit", "a;x=1;y=2"),
        ({"max_series": 2}, "series_over_limit", "z"),
        ({"max_key_bytes": 2}, "keys_over_limit", "z"),
        ({"max_series_per_prefix": 1}, "prefix_over_limit", "a.b"),
        ({"max_series_per_source": 2}, "source_over_limit", "z"),
    ],
)
def test_what_a_limit_refuses_goes_to_the_overflow_series(
    kernel: Kernel, limits: dict[str, int], field: str, refused: str
) -> None:
    kernel.configure(Aggregation(overflow="more", **limits))  # type: ignore[arg-type]  # numbers only
    for _ in range(2):
        kernel.feed(f"a:1|c|T21\nb:1|g|T21\na:2|c|T22\n{refused}:4|c|T23".encode(), "192.0.2.1:7")
        aggregates = kernel.flush(1)
        assert aggregates.timed == (
            (21, Kind.COUNTER, "a", 1.0),
            (21, Kind.GAUGE, "b", 1.0),
            (22, Kind.COUNTER, "a", 2.0),
            (23, Kind.COUNTER, "more", 4.0),
        )
        tally = aggregates.tally
        counted = {name: getattr(tally, name) for name in tally.__slots__ if name.endswith("_limit")}
        assert {name: count for name, count in counted.items() if count} == {field: 1}
        assert kernel.overflowed() == [Overflowed("192.0.2.1:7", refused, Kind.COUNTER, field)]
        assert aggregates.tally.series == 0, "no series is made"


def test_timed_values_count_as_series_until_the_window_ends(kernel: Kernel) -> None:
    kernel.configure(Aggregation(max_series=2, overflow="more"))
    kernel.feed(b"a:1|c|T21\nb:1|c|T21\nc:1|g")
    assert [(block.kind, block.keys()) for block in kernel.flush(1).blocks] == [(Kind.GAUGE, ["more"])]
    kernel.feed(b"c:1|g\nc:1|g|T21\nd:1|g|T21")
    aggregates = kernel.flush(1)
    assert [block.keys() for block in aggregates.blocks] == [["more", "c"]]
    assert [value.key for value in aggregates.timed] == ["c", "more"], "a series that there is needs no place"
