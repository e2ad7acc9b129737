"""A real server that takes spans in: over HTTP and from OSProfiler's notifications on a real RabbitMQ; killed, and sampling."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import threading
from signal import SIGCONT, SIGHUP, SIGKILL
from typing import TYPE_CHECKING, Any

import pytest
from redis import Redis

from nilometer.backends import registry
from nilometer.core.record import Event
from nilometer.core.retention import Retention
from nilometer.core.traces.query import EVERYTHING
from nilometer.core.traces.span import Span
from nilometer.core.wire import osprofiler
from nilometer.core.wire import span as wire
from nilometer.testing.asking import Answer, ask
from nilometer.testing.frozen import freeze
from nilometer.testing.redis import redis
from nilometer.testing.serving import Serving
from nilometer.testing.trace_examples import MS, START, number, request, several
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from nilometer.testing.rabbitmq import RabbitMQ

    Start = Callable[..., Serving]

pytestmark = pytest.mark.timeout(300)
WEB = "HTTP interface"
MEMORY = "memory://"
UNDECIDED = ("--traces-ratio=0", "--traces-wait=1h")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Serving] = []

    def begin(*arguments: str, store: str = MEMORY) -> Serving:
        always = ("--listen=udp://127.0.0.1:0", "--web-listen=http://127.0.0.1:0", "--flush-interval=500ms")
        kept = (f"--traces-store={store}", "--traces-retention=0")  # these spans are old
        started.append(Serving(*always, *kept, *arguments, state=tmp_path / "state"))
        return started[-1].ready()

    yield begin
    for server in started:
        server.kill()


def send(server: Serving, spans: Sequence[Span]) -> Answer:
    body = json.dumps([wire.as_object(span) for span in spans]).encode()
    return ask(server.interface(WEB), "/traces", "POST", headers={"content-type": "application/json"}, body=body)


def listed(server: Serving, query: str = "") -> list[str]:
    return [trace["trace"] for trace in ask(server.interface(WEB), f"/traces?{query}").json["traces"]]


def status(server: Serving) -> Any:  # noqa: ANN401 whatever the server says
    return ask(server.interface(WEB), "/status").json["traces"]


def test_spans_that_are_sent_can_be_found(start: Start) -> None:
    server = start()
    for trace in several(5):
        assert send(server, trace).json == {"accepted": 3}
    until(lambda: len(listed(server)) == 5, "all are stored")
    found = ask(server.interface(WEB), f"/traces/{number(4, 32)}").json
    assert [span["name"] for span in found["spans"]] == ["GET /v1/tables", "list", "SELECT"]
    assert (status(server)["taken"], status(server)["kept"], status(server)["refused"]) == (15, 15, 0)
    until(lambda: status(server)["written_down"] == 0, "nothing is written down any more")
    assert server.stop() == 0


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "JSON"),
        (b"[1]", "number 0 of the list: a span is a number"),
        (b'[{"trace": "a", "id": "b", "name": "c"}]', "lacks start"),
        (b'{"trace": "a", "id": "b", "name": "c", "start": 2, "end": 1}', "ends before it starts"),
    ],
)
def test_what_is_no_span_is_refused_whole(start: Start, body: bytes, reason: str) -> None:
    server = start()
    answer = ask(server.interface(WEB), "/traces", "POST", body=body)
    assert answer.status == 400
    assert reason in answer.json["error"]["message"]
    assert not listed(server)


def test_what_was_accepted_outlives_a_server_that_is_killed(start: Start) -> None:
    server = start(*UNDECIDED)
    for trace in several(30):
        assert send(server, trace).status == 202
    server.process.send_signal(SIGKILL)
    server.process.wait()
    server = start()
    until(lambda: len(listed(server)) == 30, "the next server stores all of them")
    until(lambda: status(server)["written_down"] == 0, "nothing is written down any more")


@pytest.mark.slow
def test_nothing_that_was_accepted_is_lost_however_often_the_server_is_killed(start: Start) -> None:
    draw = random.Random(7)  # noqa: S311 no secret
    accepted, nr = set[str](), 0
    for _ in range(8):
        server = start("--traces-ratio=0.9999999", "--traces-wait=300ms", store="sqlite")
        killer = threading.Timer(draw.uniform(0.05, 1.5), server.process.kill)
        killer.start()
        with contextlib.suppress(OSError, http.client.HTTPException):
            while server.process.poll() is None:
                nr += 1
                if send(server, request(nr)).status == 202:
                    accepted.add(number(nr, 32))
        killer.join()
        server.process.wait()
    server = start(store="sqlite")
    until(lambda: status(server)["written_down"] == 0, "all that was left is stored")
    found, cursor = set[str](), ""
    while cursor is not None:
        page = ask(server.interface(WEB), f"/traces?limit=1000&cursor={cursor}").json
        found, cursor = found | {trace["trace"] for trace in page["traces"] if trace["spans"] == 3}, page["cursor"]
    assert accepted
    assert accepted <= found


def test_a_server_that_ends_leaves_what_is_undecided_to_the_next(start: Start) -> None:
    server = start(*UNDECIDED)
    send(server, request(1))
    assert server.stop() == 0
    server = start(*UNDECIDED)
    assert status(server)["undecided"] == 1
    send(server, [Span(number(1, 32), "x", "", "late", START, START + MS, status="error")])
    until(lambda: listed(server) == [number(1, 32)], "an error keeps it")
    assert ask(server.interface(WEB), f"/traces/{number(1, 32)}").json["count"] == 4


def test_sampling_keeps_errors_and_slow_ones_and_counts_what_it_drops(start: Start) -> None:
    server = start("--traces-ratio=0", "--traces-wait=500ms", "--traces-slower=18ms", "--traces-sampling=service1/*=1")
    for trace in several(10):
        send(server, trace)
    kept = sorted(number(nr, 32) for nr in (0, 1, 3, 4, 6, 7, 8, 9))
    until(lambda: sorted(listed(server)) == kept, "errors, slow ones, and those of one service")
    until(lambda: status(server)["undecided"] == 0, "all are decided upon")
    assert status(server)["traces"] == {"error": 3, "slow": 2, "chance": 3, "part": 2, "rate": 0}
    assert status(server)["sampled"] == 6


def test_spans_become_metrics_that_lead_to_a_trace(start: Start) -> None:
    server = start("--traces-metrics=server:*/*=requests.{service}.{name}")
    for trace in several(6):
        send(server, trace)
    series = "requests.service1.GET_v1_tables"

    until(lambda: any(series in json.dumps(flush) for flush in server.flushes), "they are flushed")
    found = ask(server.interface(WEB), f"/traces/exemplars?series=stats.timers.{series}.upper_90").json["series"]
    assert [(each["series"], [slow["trace"] for slow in each["exemplars"]]) for each in found] == [
        (series, [number(4, 32), number(1, 32)])
    ]


def test_without_a_store_and_a_sink_nothing_is_taken(start: Start) -> None:
    server = start(store="none")
    assert send(server, request()).status == 503
    assert ask(server.interface(WEB), "/traces").status == 503


@pytest.fixture
def redis_url() -> Iterator[str]:
    with redis() as url:
        yield f"{url}?timeout=1s"


@contextlib.contextmanager
def frozen(url: str) -> Iterator[None]:
    """Have the server at a URL stand still for a while."""
    with contextlib.closing(Redis.from_url(url.partition("?")[0])) as client:
        process = client.info("server")["process_id"]
    freeze(process)
    try:
        yield
    finally:
        os.kill(process, SIGCONT)


def test_a_store_that_hangs_holds_up_neither_spans_nor_metrics(start: Start, redis_url: str) -> None:
    server = start("--traces-queue=100", store=redis_url)
    with frozen(redis_url):
        for trace in several(200):
            until(lambda trace=trace: send(server, trace).status == 202, "it is taken")  # type: ignore[misc]  # bound now
        flushes = len(server.flushes)
        until(lambda: len(server.flushes) > flushes + 2, "flushes go on")
        until(lambda: any("keeps no traces" in each for each in problems(server)), "it is told")
    until(lambda: stored(redis_url) == 200, "all are stored once it answers again")
    assert not any(number for name, number in ask(server.interface(WEB), "/stats").json["losses"].items() if "span" in name)


def test_what_was_accepted_outlives_a_kill_while_the_store_hangs(start: Start, redis_url: str) -> None:
    server = start(store=redis_url)
    with frozen(redis_url):
        for trace in several(50):
            assert send(server, trace).status == 202
        server.process.send_signal(SIGKILL)
        server.process.wait()
    start(store=redis_url)
    until(lambda: stored(redis_url) == 50, "the next server stores all of them")


def test_spans_go_to_further_sinks_too_and_a_reload_changes_these(start: Start, redis_url: str, tmp_path: Path) -> None:
    file = tmp_path / "nilometer.toml"
    file.write_text("")
    server = start(f"--config={file}")
    send(server, request(1))
    file.write_text(f'[traces]\nsinks = ["{redis_url}"]\n')
    server.process.send_signal(SIGHUP)
    until(lambda: server.said("settings reloaded"), "it is reloaded")
    send(server, request(2))
    until(lambda: stored(redis_url) == 1, "the sink has what came since")
    until(lambda: len(listed(server)) == 2, "the store has all")
    assert [sink["name"] for sink in status(server)["sinks"]] == [redis_url.partition("?")[0]]
    assert ask(server.interface(WEB), f"/traces/{number(1, 32)}", "DELETE").status == 200
    assert listed(server) == [number(2, 32)]


def test_traces_are_kept_without_any_setting(tmp_path: Path, start: Start) -> None:
    server = start(store="sqlite")
    assert not (tmp_path / "state" / "traces.db").exists()
    send(server, request(1))
    until(lambda: (tmp_path / "state" / "traces.db").exists() and listed(server) == [number(1, 32)], "it is stored")
    assert server.stop() == 0
    server = start(store="sqlite")
    assert listed(server, "error=false&shortest=30") == [number(1, 32)]
    services = ask(server.interface(WEB), "/traces/services").json
    assert [(call["from"], call["to"]) for call in services["calls"]] == [("tables", "storage")]
    assert ask(server.interface(WEB), f"/traces/{number(1, 32)}", "DELETE").status == 200
    assert listed(server) == []


def test_old_traces_are_deleted(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with contextlib.closing(registry.open(redis_url, registry.TRACES)) as store:
        store.write_spans(request(1))
        assert stored(redis_url) == 1
        found = Retention("traces", store.drop_traces, lambda: 60.0, lambda: True)
        monkeypatch.setattr("nilometer.core.retention.SOON", 0.01)
        found.start()
        until(lambda: stored(redis_url) == 0, "it is deleted")
        found.close()


def stored(url: str) -> int:
    """Return how many traces the store has."""
    with contextlib.closing(registry.open(url, registry.TRACES)) as store:
        return len(store.find_traces(EVERYTHING, 1000).traces)


def problems(server: Serving) -> list[str]:
    found: list[str] = ask(server.interface(WEB), "/status").json["problems"]
    return found


def notifications(server: RabbitMQ, spans: Sequence[Span]) -> None:
    """Send OSProfiler's notifications of spans, each as oslo.messaging would."""
    notes = enumerate(note for span in spans for note in osprofiler.notes(span))
    events = [Event(str(nr), START / 1e9, "profiler.nova", publisher="node1", payload=note) for nr, note in notes]
    with contextlib.closing(registry.open(f"{server.url}?exchange=openstack&topics=profiler", registry.EVENTS)) as sink:
        sink.write_events(events)


def test_osprofilers_notifications_become_traces(start: Start, broker: RabbitMQ) -> None:
    server = start(f"--traces-sources={broker.url}?exchange=openstack&topics=profiler&queue=traces")
    notifications(broker, request(3))
    with contextlib.closing(registry.open(f"{broker.url}?exchange=openstack&topics=profiler", registry.EVENTS)) as sink:
        sink.write_events([Event("x", 1.0, "compute.instance.create.end", payload={"no": "trace"})])
    until(lambda: listed(server) == [number(3, 32)], "they are stored")
    found = ask(server.interface(WEB), f"/traces/{number(3, 32)}").json
    assert [span["name"] for span in found["spans"]] == ["GET /v1/tables", "list", "SELECT"]
    until(lambda: status(server)["ways"][0]["bad"] == 1, "what is no notification of OSProfiler is counted")
    assert status(server)["ways"][0]["received"] == 6
