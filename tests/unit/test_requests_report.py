"""Measurements to lines: names in both styles, groups, rates, bounds, and faults that stay inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nilometer.emit.requests import names, report
from nilometer.emit.requests.endpoints import Found, tenant_header, tenant_parameter
from nilometer.emit.requests.measure import Exchange
from nilometer.emit.requests.options import Options
from nilometer.emit.requests.report import Reporter
from nilometer.testing.recorder import Recorder

if TYPE_CHECKING:
    from nilometer.emit.requests.options import Subject


def exchange(endpoint: str | None = "put_item", status: int = 200, method: str = "PUT") -> Exchange:
    """Return a request of 4 s with everything in it."""
    made = Exchange(100.0, method, expected=8, queued=0.25)
    made.received(0.5, 8)
    made.dispatched(101.0, endpoint)
    made.started(102.0, status)
    made.sent(1.0, 20)
    made.closed(104.0)
    return made


def nothing_found(_: Subject) -> None:
    return None


def reporter(recorder: Recorder, **options: Any) -> Reporter:  # noqa: ANN401 as Options takes them
    return Reporter(Options(client=recorder, **{"host": "", **options}), nothing_found)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def test_the_names_of_the_specification(recorder: Recorder) -> None:
    reporter(recorder, groups={"node"}, host="n-1.example").report(exchange(), {})
    head = "n-1_example.mdb.req."
    assert {(line.kind, line.stat.removeprefix(head), line.value) for line in recorder.lines} == {
        ("ms", "timing", 4000.0),
        ("ms", "processing_timing", 1500.0),
        ("ms", "resp_processing_timing", 1000.0),
        ("ms", "dispatch_timing", 500.0),
        ("ms", "receive_timing", 500.0),
        ("ms", "send_timing", 1000.0),
        ("c", "size_bytes", 8),
        ("c", "resp_size_bytes", 20),
        ("ms", "wait_timing", 250.0),
    }
    assert all(line.stat.startswith(head) and not line.tags and line.rate == 1 for line in recorder.lines)


def test_an_error_and_a_failure_are_counted_by_status(recorder: Recorder) -> None:
    told = reporter(recorder, measures=())
    told.report(exchange(status=404), {})
    told.report(exchange(status=503), {})
    raised = exchange(status=200)
    raised.failed()
    told.report(raised, {})
    assert recorder.values("mdb.req.timing") == [4000.0] * 3
    for name in ("errors", "failures", "exceptions", "timing.error.404", "timing.error.503", "timing.error.500"):
        values = [len(recorder.values(f"mdb.req.{name}")), len(recorder.values(f"mdb.req.{name}.put_item"))]
        assert values == ([2, 2] if name == "failures" else [1, 1]), name


def test_a_series_for_each_group(recorder: Recorder) -> None:
    options = {"groups": {"node", "endpoint", "tenant", "endpoint_tenant"}, "measures": (), "tenant": tenant_header()}
    told = reporter(recorder, **options)
    told.report(exchange(status=400), {"HTTP_X_PROJECT_ID": "t.1"})
    assert set(recorder.stats()) == {
        f"mdb.req.{metric}{tail}"
        for metric in ("timing", "timing.error.400", "errors")
        for tail in ("", ".put_item", ".t_1", ".put_item.t_1")
    }
    recorder.clear()
    told.report(exchange(), {})
    assert recorder.stats() == ["mdb.req.timing", "mdb.req.timing.put_item"]


def test_tags_instead_of_names(recorder: Recorder) -> None:
    options = {"style": "tagged", "host": "n1", "tenant": tenant_header(), "groups": {"endpoint", "tenant"}, "method": True}
    reporter(recorder, **options).report(exchange(status=404), {"HTTP_X_TENANT_ID": "t1"})
    tags = {"host": "n1", "endpoint": "put_item", "tenant": "t1", "method": "PUT"}
    by_name = {line.stat: line for line in recorder.lines}
    assert len(by_name) == len(recorder.lines) == 10
    assert by_name["request.timing"].tags == {**tags, "status": "404"}
    assert by_name["request.errors"].tags == by_name["request.size_bytes"].tags == tags


def test_node_alone_has_no_tags_but_its_own(recorder: Recorder) -> None:
    reporter(recorder, style="tagged", groups={"node"}, measures=(), host="n1", host_as="name").report(exchange(), {})
    assert [(line.stat, line.tags) for line in recorder.lines] == [("n1.request.timing", {"status": "200"})]


def test_methods_are_told_apart_where_that_is_asked_for(recorder: Recorder) -> None:
    told = reporter(recorder, groups={"endpoint"}, measures=(), method=True, prefix="api.")
    told.report(exchange(method="PUT"), {})
    told.report(exchange(method="BREW"), {})
    assert recorder.stats() == ["api.timing.PUT_put_item", "api.timing.other_put_item"]


def test_what_has_no_name_is_one_series_and_what_is_too_many_another(recorder: Recorder) -> None:
    told = reporter(recorder, groups={"endpoint"}, measures=(), max_endpoints=2, tenant=tenant_header(), max_tenants=0)
    for name in ("a", "b", "c", "d", None, "a"):
        told.report(exchange(name), {})
    assert [stat.rsplit(".", 1)[1] for stat in recorder.stats()] == ["a", "b", "other", "other", "unmatched", "a"]


def test_the_series_that_are_kept_are_bounded(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "SERIES_KEPT", 3)
    told = reporter(recorder, measures=())
    for name in [*map(str, range(10)), "3"]:
        told.report(exchange(name), {})
        assert len(told._names._kept) <= 3
    assert recorder.stats()[-1] == "mdb.req.timing.3"


def test_a_strange_status_makes_no_series_of_its_own(recorder: Recorder) -> None:
    told = reporter(recorder, groups={"node"}, measures=())
    for status in (999, 12345, 99):
        told.report(exchange(status=status), {})
    assert {stat for stat in recorder.stats() if "error" in stat} == {"mdb.req.timing.error.other"}


def test_who_names_an_endpoint(recorder: Recorder) -> None:
    def by_path(environ: Subject) -> str | None:
        return environ.get("named")

    def by_framework(environ: Subject) -> Found | None:
        return Found("framework", {"project": "p1"}) if "route" in environ else None

    tenant = tenant_parameter("project")
    options = Options(client=recorder, host="", measures=set(), groups={"endpoint_tenant"}, endpoint=by_path, tenant=tenant)
    told = Reporter(options, by_framework)
    told.report(exchange("hook"), {"route": 1, "named": "user"})
    told.report(exchange("hook"), {"route": 1})
    told.report(exchange(None), {"route": 1})
    assert recorder.stats() == [f"mdb.req.timing.{name}.p1" for name in ("user", "hook", "framework")]


def test_a_request_is_drawn_once_and_all_its_lines_carry_the_rate(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter([0.05, 0.95])
    monkeypatch.setattr(report, "random", lambda: next(draws))
    told = reporter(recorder, rate=0.1)
    assert [told.wanted("/"), told.wanted("/")] == [True, False]
    told.report(exchange(), {})
    assert len(recorder.lines) == 18
    assert {line.rate for line in recorder.lines} == {0.1}


def test_rates_by_endpoint_and_exemptions(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "random", lambda: 0.3)
    told = reporter(recorder, rate=0.1, rates={"rare": 1.0, "half": 0.5, "never": 0}, exempt={"failures"}, measures=())
    assert told.wanted("/")
    for name, status in (("rare", 200), ("half", 200), ("never", 200), ("many", 200), ("many", 404), ("many", 500)):
        told.report(exchange(name, status), {})
    found = {(line.stat.rsplit(".", 1)[1], line.rate) for line in recorder.lines if line.stat.startswith("mdb.req.timing.")}
    assert found == {("rare", 1.0), ("half", 0.5), ("many", 1.0), ("500", 1.0)}


def test_a_sampled_sum_is_about_the_whole_sum(recorder: Recorder) -> None:
    told = reporter(recorder, rate=0.2, groups={"node"}, measures={"bytes"})
    for _ in range(5000):
        if told.wanted("/"):
            told.report(exchange(), {})
    assert sum(line.value / line.rate for line in recorder.lines if line.stat == "mdb.req.size_bytes") == pytest.approx(
        5000 * 8, rel=0.25
    )


def test_what_is_excluded_is_not_even_in_the_nodes_series(recorder: Recorder) -> None:
    told = reporter(recorder, exclude={"health.check", "/healthz"}, max_endpoints=0)
    assert [told.wanted("/healthz"), told.wanted("/healthz/x")] == [False, True]
    told.report(exchange("health.check"), {})
    assert recorder.lines == []


@pytest.mark.parametrize("which", ["receive", "send", "bytes", "processing", "wait"])
def test_each_measure_can_be_switched(recorder: Recorder, which: str) -> None:
    broken = exchange()
    broken.receive_failed(timeout=False)
    broken.receive_failed(timeout=True)
    broken.send_failed()
    broken.send_failed(timeout=True)
    reporter(recorder, groups={"node"}, measures={which}).report(broken, {})
    wanted = {metric.name for metric in names.METRICS if metric.measure == which}
    assert {stat.removeprefix("mdb.req.") for stat in recorder.stats()} == {"timing", *wanted}


def test_kinds_are_those_of_the_list(recorder: Recorder) -> None:
    reporter(recorder).report(exchange(status=500), {})
    kinds = {metric.name: metric.kind for metric in names.METRICS} | {"timing.error.500": "ms"}
    for line in recorder.lines:
        assert line.kind == kinds[line.stat.removeprefix("mdb.req.").removesuffix(".put_item")]


def test_a_fault_of_the_users_function_costs_the_name_alone(recorder: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    def fails(environ: Subject) -> str:
        return str(environ["missing"])

    told = reporter(recorder, endpoint=fails, tenant=fails, groups={"endpoint_tenant", "endpoint"}, measures=())
    for _ in range(3):
        told.report(exchange(), {})
    assert recorder.stats() == ["mdb.req.timing.put_item"] * 3
    assert told.losses() == {"endpoint": 3, "tenant": 3}
    assert len(caplog.records) == 2


def test_a_name_that_is_no_text_is_made_one(recorder: Recorder) -> None:
    number: Any = 7
    reporter(recorder, endpoint=lambda _: number, groups={"endpoint"}, measures=()).report(exchange(), {})
    assert recorder.stats() == ["mdb.req.timing.7"]


def test_a_fault_of_the_client_stays_here() -> None:
    class Broken:
        def emit(self, *_: object) -> None:
            raise OSError

    told = Reporter(Options(client=Broken()), nothing_found)
    told.report(exchange(), {})
    assert told.losses() == {"report": 1}


@pytest.mark.parametrize(
    ("options", "culprit"),
    [
        ({"client": object()}, "client: expected a URL, or an object with `emit`"),
        ({"style": "fancy"}, "style: 'fancy' is none of"),
        ({"groups": {"nodes"}}, "groups: 'nodes' is none of"),
        ({"measures": "sends"}, "measures: 'sends' is none of"),
        ({"exempt": {"5xx"}}, "exempt: "),
        ({"host_as": "label"}, "host_as: "),
        ({"rate": 1.5}, "rate: expected a number from 0 to 1, not 1.5"),
        ({"rates": {"a": -1}}, r"rates\['a'\]: "),
        ({"send_timeout": -1}, "send_timeout: expected a number from 0 to inf"),
    ],
)
def test_wrong_options_are_refused_with_their_name(options: dict[str, Any], culprit: str) -> None:
    with pytest.raises(ValueError, match=culprit):
        Options(**options)


def test_one_word_stands_for_a_set_of_one() -> None:
    options = Options(groups="node")  # type: ignore[arg-type]  # as it is written in haste
    assert options.groups == {"node"}
