"""Request metrics over the life of server processes: forks, stops, killed workers; and hosts without any StatsD server."""

from __future__ import annotations

import os
import textwrap
from typing import TYPE_CHECKING

import pytest

from nilometer.testing.apps.client import ask
from nilometer.testing.apps.kinds import KINDS, TRIALS
from nilometer.testing.apps.paths import CHUNK, HOST
from nilometer.testing.apps.server import running
from nilometer.testing.apps.site import APP, series, site
from nilometer.testing.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

LONG = "10m"
"""How long lines wait where only the end of a process sends them."""
BATCH = 10
MANY = 512
"""Chunks that no buffer holds."""
MOST = 5000
"""Requests after which a second worker should have answered one."""


WORKERS = [
    pytest.param("gunicorn sync", ("--workers", "3", "--preload")),
    pytest.param("uWSGI", ("--processes", "3")),
    *(pytest.param(name, ("--workers", "2"), marks=pytest.mark.slow) for name in ("uvicorn", "hypercorn")),
    *(pytest.param(name, ("--workers", "2"), marks=pytest.mark.slow) for name in ("granian WSGI", "granian ASGI")),
]


@pytest.mark.parametrize(("name", "more"), WORKERS)
def test_several_workers_tell_of_each_request_once(name: str, more: tuple[str, ...]) -> None:
    """The application of the first two was loaded before they were forked."""
    with site(name, *more) as prefork:
        pids: set[bytes] = set()
        asked = 0
        while len(pids) < 2 or asked < BATCH:
            pids.add(prefork.ask("/process/process").body)
            asked += 1
            assert asked < MOST, pids
        assert b"%d" % prefork.server.process.pid not in pids
        assert len(prefork.values("resp_size_bytes", "process", asked)) == asked
        assert len(prefork.seen("timing", "process")) == asked


@pytest.mark.parametrize("name", TRIALS)
def test_a_server_that_is_told_to_stop_sends_what_waits(name: str) -> None:
    with site(name, flush=LONG) as stopping:
        for _ in range(BATCH):
            assert stopping.ask("/last/hello").status == 200
        stopping.server.stop()
        assert len(stopping.values("timing", "last", BATCH)) == BATCH


def test_a_worker_that_is_killed_for_being_late_tells_of_its_request() -> None:
    with site("gunicorn sync", "--timeout", "1", flush=LONG) as late, late.connect() as connection:
        connection.head("POST", "/late/echo", Content_Length=1000)
        connection.pieces([b"some"])
        assert late.values("receive_timeouts", "late") == [1]
        assert late.seen("size_bytes", "late") in ([], [4])
        assert len(late.values("timing", "late")) == 1


GIVES_UP = [("uWSGI", ("--socket-timeout", "1"), "timeouts"), ("hypercorn", ("--read-timeout", "1"), "errors")]


@pytest.mark.parametrize(("name", "more", "counted"), GIVES_UP)
def test_a_server_that_gives_up_on_an_upload_is_noticed(name: str, more: tuple[str, ...], counted: str) -> None:
    with site(name, *more, options={"receive_timeout": 0}) as impatient, impatient.connect() as connection:
        connection.head("POST", "/given_up/echo", Content_Length=1000)
        connection.pieces([b"some"])
        assert impatient.values(f"receive_{counted}", "given_up") == [1]
        assert len(impatient.values("timing.error.499", "given_up")) == 1


def test_a_server_that_gives_up_on_a_reader_is_noticed() -> None:
    with site("uWSGI", "--socket-timeout", "1") as impatient, impatient.connect(1 << 14) as connection:
        connection.head("GET", f"/stuck/big?chunks={MANY}")
        assert impatient.values("resp_size_bytes", "stuck")[0] < MANY * len(CHUNK)
        assert impatient.values("send_errors", "stuck") == [1]
        assert impatient.values("send_timeouts", "stuck") == [1]


def test_tags_tell_node_endpoint_tenant_and_status() -> None:
    options = {"style": "tagged", "groups": ["node", "endpoint", "tenant"]}
    with site("gunicorn gthread", options=options) as tagged:
        tagged.ask("/some/refuse", X_Project_Id="acme")
        tagged.catcher.wait("request.resp_size_bytes")
        (timing,) = tagged.catcher.named("request.timing")
        assert timing.tags == {"host": HOST, "endpoint": "some", "tenant": "acme", "status": "403"}
        assert tagged.catcher.values("request.errors", host=HOST, endpoint="some", tenant="acme") == [1]


def test_a_sample_rate_is_drawn_once_for_each_request() -> None:
    count, rate = 200, 0.25
    with site("gunicorn gthread", options={"rates": {"some": rate}, "groups": ["node", "endpoint"]}) as sampled:
        with sampled.connect() as connection:
            for _ in range(count):
                connection.request("GET", "/some/hello")
        sampled.ask("/all/hello")
        sampled.values("resp_size_bytes", "all")
        by_metric = {metric: sampled.catcher.named(series(metric, "some")) for metric in ("timing", "send_timing")}
        assert {line.rate for lines in by_metric.values() for line in lines} == {rate}
        drawn = len(by_metric["timing"])
        assert count * rate / 4 < drawn < count * rate * 3
        assert len(by_metric["send_timing"]) == drawn
        assert sampled.catcher.total(series("resp_size_bytes", "some")) == pytest.approx(drawn / rate * len(b"hello\n"))


def test_groups_and_measures_are_switched() -> None:
    with site("gunicorn gthread", options={"groups": ["endpoint"], "measures": []}) as few:
        few.ask("/few/refuse")
        few.values("errors", "few")
        names = {name for name in few.catcher.names() if not name.startswith("entered")}
    assert names == {series("timing", "few"), series("errors", "few"), series("timing.error.403", "few")}


@pytest.mark.parametrize("name", ["gunicorn gthread", "uvicorn"])
def test_a_host_without_a_statsd_server_answers_and_stops(name: str) -> None:
    nobody = f"statsd://127.0.0.1:{free_port()}?flush=50ms"
    with running(name, APP.format(KINDS[name].interface), nobody) as server:
        assert {ask(server.port, "/alone/hello").body for _ in range(2 * BATCH)} == {b"hello\n"}
        assert ask(server.port, "/alone/echo", "POST", b"12345").body == b"5\n"
        assert not server.said("Traceback"), server.told()
        server.stop()


@pytest.mark.parametrize("name", ["gunicorn gthread", "uvicorn"])
def test_a_name_server_that_does_not_answer_holds_up_nobody(name: str, tmp_path: Path) -> None:
    interface = KINDS[name].interface
    (tmp_path / "unresolved.py").write_text(
        textwrap.dedent(f"""
            import socket, sys, time
            real = socket.getaddrinfo
            def slow(host, *more, **options):
                if host == "statsd.test":
                    print("asked for statsd.test", flush=True)
                    time.sleep(600)
                return real(host, *more, **options)
            socket.getaddrinfo = slow
            from nilometer.testing.apps.measured_{interface} import application
        """)
    )
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    environment = {"PYTHONPATH": path}
    with running(name, "unresolved:application", "statsd://statsd.test?flush=50ms", environment=environment) as server:
        assert {ask(server.port, "/unresolved/hello").body for _ in range(2 * BATCH)} == {b"hello\n"}
        assert server.said("asked for statsd.test"), server.told()
