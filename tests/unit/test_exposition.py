"""Prometheus' text: names and labels are sane, no sample comes twice, totals only grow, a real parser reads it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open_metrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from nilometer.core.record import Block, Column, Flush, Kind, block
from nilometer.core.wire.exposition import named, number
from nilometer.testing import flushes
from nilometer.web import cumulative
from nilometer.web.cumulative import Cumulative
from nilometer.web.prometheus import exposed

END = 1_700_000_010.0


def counters(values: dict[str, float]) -> Block:
    return block(Kind.COUNTER, {"rate": values.values(), "count": values.values()}, values)


def flush(*blocks: Block) -> Flush:
    return Flush(flushes.window(END), blocks)


def told(*given_flushes: Flush) -> dict[tuple[str, ...], float]:
    """Return every sample by name and labels, as two parsers read them alike."""
    added = Cumulative()
    for each in given_flushes:
        added.add(each)
    samples = {}
    for read, open_metrics in ((read_text, False), (read_open_metrics, True)):
        found = [sample for family in read(exposed(added).text(open_metrics=open_metrics)) for sample in family.samples]
        samples = {
            (each.name, *(f"{name}={value}" for name, value in sorted(each.labels.items()))): each.value for each in found
        }
        assert len(samples) == len(found)
    return samples


@pytest.mark.parametrize(
    ("key", "name", "labels"),
    [
        ("web.GET-time", "web_GET_time", ""),
        ("9lives", "_9lives", ""),
        ("a;zone=b", "a", 'zone="b"'),
        ('a;zone=b"\\', "a", 'zone="b\\"\\\\"'),
        ("a;le=1;quantile=2;__name__=x;9=y", "a", 'le_="1",quantile_="2",x__name__="x",_9="y"'),
        ("a;x-y=1;x_y=2", "a", 'x_y="1",x_yx="2"'),
        ("", "_", ""),
    ],
)
def test_names_and_labels(key: str, name: str, labels: str) -> None:
    assert named(key) == (name, labels)


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1"), (0.1, "0.1"), (math.inf, "+Inf"), (-math.inf, "-Inf"), (math.nan, "NaN"), (1e300, "1e+300")]
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


def test_counters_only_grow() -> None:
    assert told(flush(counters({"a": 2, "b": 1})), flush(counters({"a": 3, "b": 0}))) == {("a_total",): 5, ("b_total",): 1}


def test_a_counter_goes_on_when_series_come_go_and_come_back() -> None:
    steps = [{"a": 2.0}, {"b": 1.0}, {"b": 1.0, "c": 4.0}, {"c": 1.0, "a": 3.0}]
    assert told(*(flush(counters(values)) for values in steps)) == {("c_total",): 5, ("a_total",): 5}


def test_a_counter_goes_on_in_another_block() -> None:
    own, clients = counters({"own": 1}), counters({"a": 1})
    steps = [(own,), (clients, own), (own,), (clients, own)]
    assert told(*(flush(*blocks) for blocks in steps)) == {("a_total",): 2, ("own_total",): 4}


def test_few_absent_series_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cumulative, "MOST_ABSENT", 1)
    steps = [{"a": 2.0}, {"b": 2.0}, {"c": 2.0}, {"a": 1.0, "b": 1.0}]
    assert told(*(flush(counters(values)) for values in steps)) == {("a_total",): 1, ("b_total",): 3}


def test_keys_that_become_one_name_are_one_sample() -> None:
    assert told(flush(counters({"a.b": 2, "a-b": 3}))) == {("a_b_total",): 5}


def test_a_name_has_one_type() -> None:
    gauge = block(Kind.GAUGE, {"value": [7, 8]}, ["a_total", "b"])
    assert told(flush(counters({"a": 1, "b": 1}), gauge)) == {
        ("a_total",): 1,
        ("b_total",): 1,
        ("a_total_gauge",): 7,
        ("b_gauge",): 8,
    }


def test_a_set_is_a_gauge_of_how_many() -> None:
    assert told(flush(block(Kind.SET, {"count": [3]}, ["users;dc=x"]))) == {("users_unique", "dc=x"): 3}


def timers(bins: dict[str, list[float]]) -> Block:
    columns = [
        Column("upper_90", [3.0], b"\1"),
        Column("upper_99_9", [4.0]),
        Column("count_ps", [0.0], b"\0"),
        Column("count", [4.0]),
        Column("sum", [10.0]),
    ]
    return Block(Kind.TIMER, b"wait;v=1", 1, (*columns, *(Column(name, values) for name, values in bins.items())))


SUMMARY: dict[tuple[str, ...], float] = {("wait", "quantile=0.9", "v=1"): 3, ("wait", "quantile=0.999", "v=1"): 4}
SUMMARY |= {("wait_sum", "v=1"): 20, ("wait_count", "v=1"): 8}


def test_a_timer_is_a_summary() -> None:
    assert told(flush(timers({})), flush(timers({}))) == SUMMARY


@pytest.mark.parametrize(
    "bins",
    [
        {"histogram.bin_0_5": [1.0], "histogram.bin_10": [2.0], "histogram.bin_inf": [1.0]},
        {"histogram.le_0_5": [1.0], "histogram.le_10": [3.0], "histogram.le_inf": [4.0]},
    ],
)
def test_a_timer_with_bins_is_a_histogram_besides(bins: dict[str, list[float]]) -> None:
    buckets = {
        ("wait_histogram_bucket", f"le={bound}", "v=1"): count for bound, count in (("0.5", 2), ("10.0", 6), ("+Inf", 8))
    }
    found = {
        (name, *(each.replace("le=10", "le=10.0") if each == "le=10" else each for each in labels)): value
        for (name, *labels), value in told(flush(timers(bins)), flush(timers(bins))).items()
    }
    assert found == SUMMARY | buckets | {("wait_histogram_sum", "v=1"): 20, ("wait_histogram_count", "v=1"): 8}


keys = st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=12) | st.from_regex(
    r"[a-z_]{0,3}(;[a-z_]{0,3}=[a-z\"\\]{0,3}){0,3}", fullmatch=True
)


@given(st.dictionaries(keys, st.floats(0, 1e9), max_size=8), st.dictionaries(keys, st.floats(), max_size=8))
def test_any_keys_and_values_are_read_by_parsers(counted: dict[str, float], values: dict[str, float]) -> None:
    told(flush(counters(counted), block(Kind.GAUGE, {"value": values.values()}, values)))
