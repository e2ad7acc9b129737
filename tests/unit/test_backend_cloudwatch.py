"""CloudWatch's backend beside its contract: data, batches, what it leaves out, throttling, what is sent again."""

from __future__ import annotations

import functools
import logging
import math
from array import array
from collections import Counter
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError  # type: ignore[import-untyped]
from botocore.serialize import QuerySerializer  # type: ignore[import-untyped]
from botocore.session import get_session  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from nilometer.backends import registry
from nilometer.backends._parts.distributions import Point, distribution, of_sketch, summary, weighted
from nilometer.backends._parts.metric_data import (
    MOST_VALUES,
    NOT_FINITE,
    OUT_OF_RANGE,
    REFUSED,
    TAG,
    Datum,
    Layout,
    batches,
    identity,
)
from nilometer.backends.cloudwatch import SIZE, SPLITS, CloudWatch
from nilometer.core.errors import Rejected, Unavailable, UrlError
from nilometer.core.record import Block, Column, Flush, Kind, block
from nilometer.core.sketch import ERROR, Sketch
from nilometer.ingest._reference import ReferenceKernel
from nilometer.ingest.kernel import Aggregation
from nilometer.testing import flushes

END = 1_700_000_010.0
VALUES, SET = Layout(), Layout(values=False)
TIMER = {"count": 10.0, "sum": 64.0, "mean": 6.4, "lower": 1.0, "upper": 20.0, "count_90": 9.0, "sum_90": 44.0, "upper_90": 9.0}


def timers(*rows: dict[str, float]) -> Flush:
    names = [f"t{number}" for number in range(len(rows))]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return Flush(flushes.window(END), (block(Kind.TIMER, columns, names),))


def gauges(values: dict[str, float]) -> Flush:
    return Flush(flushes.window(END), (block(Kind.GAUGE, {"value": values.values()}, values),))


def data(flush: Flush, layout: Layout = VALUES) -> list[dict[str, Any]]:
    return [each.fields for each in layout.data(flush, Counter())]


# -- what a series becomes -----------------------------------------------------------------------------------------------


def test_counters_gauges_and_sets_are_values_with_units() -> None:
    made = [each for each in data(flushes.every_kind(END)) if "." not in each["MetricName"].removeprefix("contract.")]
    assert [(each["MetricName"], each["Value"], each["Unit"]) for each in made] == [
        ("contract.requests", 15.0, "Count"),
        ("contract.errors", 1.0, "Count"),
        ("contract.heat", -5.5, "None"),
        ("contract.large", 1e21, "None"),
        ("contract.idle", 0.0, "None"),
        ("contract.users", 3.0, "Count"),
    ]
    assert made[1]["Dimensions"] == [{"Name": "code", "Value": "500"}, {"Name": "zone", "Value": "a"}]
    assert "Dimensions" not in made[0]
    assert {(each["Timestamp"].timestamp(), each["StorageResolution"]) for each in made} == {(END, 60)}


def test_a_timer_is_a_statistic_set() -> None:
    (made,) = data(timers(TIMER), SET)
    assert made["StatisticValues"] == {"SampleCount": 10.0, "Sum": 64.0, "Minimum": 1.0, "Maximum": 20.0}
    assert (made["MetricName"], made["Unit"]) == ("t0", "Milliseconds")


def test_a_timer_is_values_with_counts() -> None:
    (made,) = data(timers(TIMER))
    assert made["Values"] == [1.0, pytest.approx(34 / 7), 9.0, 20.0]
    assert made["Counts"] == [1.0, 7.0, 1.0, 1.0]
    assert "StatisticValues" not in made


def test_a_timer_without_percentiles_is_a_statistic_set() -> None:
    (made,) = data(timers({name: value for name, value in TIMER.items() if "90" not in name}))
    assert made["StatisticValues"]["SampleCount"] == 10.0


def test_a_sampled_timer_keeps_its_mean() -> None:
    (made,) = data(timers(TIMER | {"count": 100.0}), SET)
    assert made["StatisticValues"] == {"SampleCount": 100.0, "Sum": 640.0, "Minimum": 1.0, "Maximum": 20.0}
    (made,) = data(timers(TIMER | {"count": 100.0}))
    assert made["Counts"] == [10.0, 70.0, 10.0, 10.0]


def test_further_statistics_are_sent_by_pattern() -> None:
    made = data(timers(TIMER), Layout("edge.", statistics=("upper_*", "mean")))
    assert [each["MetricName"] for each in made] == ["edge.t0", "edge.t0.mean", "edge.t0.upper_90"]
    assert (made[1]["Value"], made[1]["Unit"]) == (6.4, "Milliseconds")


@pytest.mark.parametrize("missing", ["count", "lower", "upper"])
def test_a_timer_that_lacks_statistics_sends_those_it_has(missing: str) -> None:
    names = [name for name in TIMER if name != missing]
    made = data(timers({name: TIMER[name] for name in names}))
    assert [each["MetricName"] for each in made] == [f"t0.{name}" for name in names]


def test_names_are_skipped_by_pattern() -> None:
    flush = gauges({"nilometer.lines": 1.0, "test;a=nilometer.x": math.nan, "nilometers": 1.0, "web;b=test": 1.0})
    left_out: Counter[tuple[str, str]] = Counter()
    made = list(Layout(skip=("nilometer.*", "test")).data(flush, left_out))
    assert [each.fields["MetricName"] for each in made] == ["nilometers", "web"]
    assert left_out == {}


def test_statistics_have_their_own_units() -> None:
    row = {"count_ps": 1.0, "count_90": 1.0, "sum_squares": 1.0, "histogram.bin_1": 1.0, "std": 1.0}
    assert [each["Unit"] for each in data(timers(row))] == ["Count/Second", "Count", "None", "Count", "Milliseconds"]


def test_an_idle_timer_has_no_datum() -> None:
    columns = (Column("count", array("d", [0.0, 2.0])), Column("mean", array("d", [0.0, 4.5]), present=b"\0\1"))
    flush = Flush(flushes.window(END), (Block(Kind.TIMER, b"rest\nwork", 2, columns),))
    assert [each["MetricName"] for each in data(flush)] == ["work.count", "work.mean"]


samples = st.lists(st.floats(0, 1e6).map(lambda value: round(value, 3)), min_size=1, max_size=60)


@given(samples, st.lists(st.sampled_from([50.0, 75.0, 90.0, 95.0, 99.0, 99.9]), min_size=1, unique=True))
def test_values_have_the_statistics_of_the_samples(values: list[float], percentiles: list[float]) -> None:
    kernel = ReferenceKernel()
    kernel.configure(Aggregation(percentiles=tuple(percentiles)))
    kernel.feed(b"\n".join(b"t:%r|ms" % value for value in values), "test", "statsd")
    row = {column.name: float(column.values[0]) for column in kernel.flush(10.0).blocks[-1].columns}
    known = summary(row)
    assert known is not None
    points = distribution(row, known) or [Point(known.lower, 1.0)]
    if len(points) > 1 or len(values) == 1:
        assert sum(point.times for point in points) == pytest.approx(len(values))
        assert math.fsum(point.value * point.times for point in points) == pytest.approx(math.fsum(values), rel=1e-6, abs=1e-6)
        assert (points[0].value, points[-1].value) == (min(values), max(values))
        for label in (name.removeprefix("upper_") for name in row if name.startswith("upper_")):
            below = [
                point.value
                for point in points
                if sum(p.times for p in points if p.value <= point.value) >= row[f"count_{label}"]
            ]
            assert below[0] == row[f"upper_{label}"]


def sketched(values: list[float], **statistics: float) -> Flush:
    columns = tuple(Column(name, array("d", [value])) for name, value in statistics.items())
    block = Block(Kind.TIMER, b"t", 1, columns, (Sketch(values).encode() if values else b"",))
    return Flush(flushes.window(END), (block,))


@given(st.lists(st.floats(0.001, 1e9), min_size=1, max_size=200))
def test_a_sketchs_values_have_count_sum_and_extremes_of_the_samples(values: list[float]) -> None:
    points = of_sketch(Sketch(values))
    assert sum(point.times for point in points) == pytest.approx(len(values))
    assert (points[0].value, points[-1].value) == (min(values), max(values))
    assert math.fsum(point.value * point.times for point in points) == pytest.approx(math.fsum(values), rel=ERROR)
    spread = [point.value for point in points for _ in range(round(point.times))]
    assert spread == pytest.approx(sorted(values), rel=2 * ERROR)


def test_a_sketchs_values_have_the_sum_of_the_samples() -> None:
    values = [1.01**number for number in range(1000)]
    points = of_sketch(Sketch(values))
    assert math.fsum(point.value * point.times for point in points) == pytest.approx(math.fsum(values), rel=1e-9)


@pytest.mark.parametrize(
    "values", [[0.0], [-5.0, 5.0], [-1.0, 0.0, 1.0, -1e-320], [3.0] * 9, [1e300, -1e300, 1e-300], [1.7e308] * 5]
)
def test_a_sketch_of_any_sign_has_its_extremes_and_count(values: list[float]) -> None:
    points = weighted(of_sketch(Sketch(values)), 2 * len(values))
    assert (points[0].value, points[-1].value) == (min(values), max(values))
    assert sum(point.times for point in points) == pytest.approx(2 * len(values))


def test_a_timer_with_a_sketch_is_its_values_with_counts() -> None:
    (made,) = data(sketched([1.0, 4.0, 4.0, 9.0], count=40.0, upper_50=2.0))
    assert (made["Values"], made["Counts"]) == ([1.0, pytest.approx(4.0), 9.0], [10.0, 20.0, 10.0])
    assert (made["MetricName"], made["Unit"]) == ("t", "Milliseconds")


def test_a_timer_with_a_sketch_is_a_statistic_set_where_that_is_wanted() -> None:
    (made,) = data(sketched([1.0, 4.0], count=20.0), SET)
    assert made["StatisticValues"] == {"SampleCount": 20.0, "Sum": 50.0, "Minimum": 1.0, "Maximum": 4.0}


def test_a_sketch_of_many_values_is_several_data() -> None:
    values = [1.02**number for number in range(400)]
    made = data(sketched(values))
    assert [len(each["Values"]) for each in made][:-1] == [MOST_VALUES] * (len(made) - 1)
    assert len(made) == 3
    assert sum(sum(each["Counts"]) for each in made) == pytest.approx(400)


def test_an_idle_timer_among_sketches_has_no_datum() -> None:
    assert data(sketched([], count=0.0)) == []


def test_values_of_a_sketch_that_it_cannot_hold_are_counted() -> None:
    left_out: Counter[tuple[str, str]] = Counter()
    (made,) = (each.fields for each in VALUES.data(sketched([1.0, 1e200, math.inf]), left_out))
    assert made["Values"] == [1.0]
    assert left_out == {OUT_OF_RANGE: 1, NOT_FINITE: 1}


# -- what it has no place for --------------------------------------------------------------------------------------------


def test_values_that_it_cannot_hold_are_counted() -> None:
    left_out: Counter[tuple[str, str]] = Counter()
    made = list(VALUES.data(gauges({"a": math.nan, "b": -math.inf, "c": 1e109, "d": 1e-320, "e": -(2.0**360)}), left_out))
    assert [(each.fields["MetricName"], each.fields["Value"]) for each in made] == [("d", 0.0), ("e", -(2.0**360))]
    assert left_out == {NOT_FINITE: 2, OUT_OF_RANGE: 1}


@pytest.mark.parametrize(
    ("tags", "kept", "refused"),
    [
        (";a=1;b=2", {"a": "1", "b": "2"}, 0),
        (";a=1;a=2", {"a": "2"}, 1),
        (";urgent", {"urgent": "true"}, 0),
        (";a=;=b;:c=1; = ", {}, 4),
        (";" + "n" * 256 + "=1;" + "m" * 255 + "=1", {"m" * 255: "1"}, 1),
        (";a=" + "v" * 1025, {}, 1),
        (";stadt=köln;a=\x01", {"stadt": "k%C3%B6ln", "a": "%01"}, 0),
        ("".join(f";t{n}={n}" for n in range(33)), {f"t{n}": f"{n}" for n in range(30)}, 3),
    ],
)
def test_tags_that_cannot_be_dimensions_are_counted(tags: str, kept: dict[str, str], refused: int) -> None:
    left_out: Counter[tuple[str, str]] = Counter()
    series = identity("name" + tags, left_out)
    assert series is not None
    assert {each["Name"]: each["Value"] for each in series.dimensions} == kept
    assert left_out[TAG] == refused


@pytest.mark.parametrize("name", ["", " ", "n" * 256])
def test_names_that_cannot_be_a_metrics_are_counted(name: str) -> None:
    left_out: Counter[tuple[str, str]] = Counter()
    assert list(VALUES.data(gauges({name: 1.0, "good": 1.0}), left_out))[0].fields["MetricName"] == "good"  # noqa: RUF015 one
    assert left_out == {REFUSED: 1}


# -- requests ------------------------------------------------------------------------------------------------------------


def failure(status: int, code: str) -> ClientError:
    answer = {"Error": {"Code": code, "Message": "as the test wants"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "PutMetricData")


class Client:
    """Takes requests; `faults` come first, one a request; data whose name is in `bad` spoil theirs."""

    def __init__(self) -> None:
        self.requests: list[list[str]] = []
        self.faults: list[Exception | None] = []
        self.bad: set[str] = set()
        self.closed = 0

    def put_metric_data(self, Namespace: str, MetricData: list[dict[str, Any]]) -> None:  # noqa: N803 the API's names
        assert Namespace == "N"
        names = [each["MetricName"] for each in MetricData]
        if self.faults and (fault := self.faults.pop(0)):
            raise fault
        self.requests.append(names)
        if self.bad & set(names):
            raise failure(400, "InvalidParameterValue")

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def sink(client: Client) -> CloudWatch:
    return CloudWatch(lambda: client, "cloudwatch://N", "N", VALUES, 1000)


def sizes(client: Client) -> list[int]:
    return [len(request) for request in client.requests]


def test_batches_are_full(client: Client, sink: CloudWatch) -> None:
    sink.write(flushes.many(END))
    assert sizes(client) == [1000] * 10


def test_batches_keep_to_the_size_and_a_large_datum_goes_alone() -> None:
    made = [(number, Datum({}, size)) for number, size in enumerate([10, 10, 10, 500, 10])]
    assert [[number for number, _ in batch] for batch in batches(made, 9, 25)] == [[0, 1], [2], [3], [4]]


def test_a_request_is_never_larger_than_what_is_reckoned() -> None:
    tags = "".join(f";tag{n}=" + "ä" * 20 for n in range(30))
    flush = Flush(flushes.window(END), (block(Kind.GAUGE, {"value": [1.0] * 500}, [f"g{n}{tags}" for n in range(500)]),))
    made = list(enumerate(VALUES.data(flush, Counter())))
    whole = list(batches(made, 1000, SIZE))
    assert len(whole) > 1
    for batch in whole:
        assert sum(query_size(datum.fields) for _, datum in batch) <= sum(datum.size for _, datum in batch) <= SIZE


def query_size(fields: dict[str, Any]) -> int:
    """Return how long a datum is in the oldest and longest of the API's protocols."""
    body = QuerySerializer().serialize_to_request({"Namespace": "N", "MetricData": [fields]}, operation())["body"]
    return len(urlencode({name.replace(".1.", ".1000.", 1): text for name, text in body.items() if name.startswith("Metric")}))


@functools.cache
def operation() -> Any:  # noqa: ANN401 the driver is not typed
    return get_session().get_service_model("cloudwatch").operation_model("PutMetricData")


@pytest.mark.parametrize(
    "fault",
    [
        failure(400, "Throttling"),
        failure(400, "ThrottlingException"),
        failure(400, "RequestLimitExceeded"),
        failure(429, "TooManyRequestsException"),
        failure(403, "AccessDenied"),
        failure(400, "ExpiredTokenException"),
        failure(500, "InternalServiceFault"),
        EndpointConnectionError(endpoint_url="http://localhost"),
    ],
)
def test_what_passes_is_unavailable_and_what_was_taken_is_not_sent_again(
    client: Client, sink: CloudWatch, fault: Exception
) -> None:
    client.faults = [None, None, fault]
    with pytest.raises(Unavailable, match="cloudwatch://N: "):
        sink.write(flushes.many(END, 3500))
    sink.write(flushes.many(END, 3500))
    sink.write(flushes.many(END, 3500))
    assert sizes(client) == [1000, 1000, 1000, 500]
    names = [name for request in client.requests for name in request]
    assert len(set(names)) == len(names) == 3500


def test_another_flush_of_the_same_window_is_sent(client: Client, sink: CloudWatch) -> None:
    for value in (1.0, 2.0):
        sink.write(flushes.marked(END, value))
    sink.write(flushes.marked(END + 10, 2.0))
    assert sizes(client) == [1, 1, 1]


def test_data_at_fault_are_found_logged_and_counted(client: Client, sink: CloudWatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    client.bad = {"contract.many.00003", "contract.many.00700"}
    sink.write(flushes.many(END, 1000))
    whole = [request for request in client.requests if not client.bad & set(request)]
    assert sorted(name for request in whole for name in request) == [
        f"contract.many.{n:05}" for n in range(1000) if n not in (3, 700)
    ]
    assert dict(sink.left_out()) == {REFUSED: 2}
    assert dict(sink.left_out()) == {}
    (message,) = caplog.messages
    assert "refused 2 data, which are lost; the first: cloudwatch://N: InvalidParameterValue (status 400)" in message


def test_a_fault_amid_the_search_sends_nothing_twice(client: Client, sink: CloudWatch) -> None:
    client.bad = {"contract.many.00003"}
    client.faults = [None, None, None, None, failure(400, "Throttling")]
    with pytest.raises(Unavailable):
        sink.write(flushes.many(END, 100))
    sink.write(flushes.many(END, 100))
    names = [name for request in client.requests if not client.bad & set(request) for name in request]
    assert len(names) == len(set(names)) == 99
    assert dict(sink.left_out()) == {REFUSED: 1}


def test_the_search_for_data_at_fault_is_bounded(client: Client, sink: CloudWatch) -> None:
    client.bad = {f"contract.many.{n:05}" for n in range(0, 1000, 2)}
    sink.write(flushes.many(END, 1000))
    assert len(client.requests) <= 2 * SPLITS + 1
    assert sink.left_out()[REFUSED] >= 500


def test_a_flush_that_is_refused_whole_is_rejected(client: Client, sink: CloudWatch) -> None:
    client.bad = {"contract.mark"}
    with pytest.raises(Rejected, match="all 1 data were refused: .*InvalidParameterValue"):  # noqa: RUF043 no path
        sink.write(flushes.marked(END))
    assert dict(sink.left_out()) == {}


def test_what_was_left_out_counts_once_the_flush_is_written(client: Client, sink: CloudWatch) -> None:
    client.faults = [failure(400, "Throttling")]
    with pytest.raises(Unavailable):
        sink.write(flushes.extreme(END))
    assert dict(sink.left_out()) == {}
    sink.write(flushes.extreme(END))
    assert dict(sink.left_out()) == {NOT_FINITE: 3, OUT_OF_RANGE: 1}


def test_a_closed_client_is_closed_once(client: Client, sink: CloudWatch) -> None:
    sink.write(flushes.marked(END))
    sink.close()
    sink.close()
    assert client.closed == 1


# -- the URL -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("cloudwatch://?region=r", "'' cannot be a namespace"),
        ("cloudwatch://AWS/EC2?region=r", "cannot be a namespace"),
        ("cloudwatch://a%25?region=r", "cannot be a namespace"),
        ("cloudwatch://a,b?region=r", "one namespace alone"),
        ("cloudwatch://a:80?region=r", "one namespace alone"),
        ("cloudwatch://u:p@a?region=r", "neither user nor password"),
        ("cloudwatch://a?region=r&timers=sets", "did you mean 'set'"),
        ("cloudwatch://a?region=r&batch=1001", "1001 is above 1000"),
        ("cloudwatch://a?region=r&batch=0", "0 is below 1"),
        ("cloudwatch://a?region=r&resolution=10s", "10 is neither 1s nor 60s"),
        ("cloudwatch://a?region=r&profile=nobody", "nobody"),
        ("cloudwatch://a", r"names no region.*add \?region="),
    ],
)
def test_a_url_that_cannot_be_is_refused_with_the_cure(url: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(UrlError, match=message):
        registry.open(url, "metrics")
