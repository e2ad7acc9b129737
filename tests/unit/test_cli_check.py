"""`nilometer check`: the steps, their outcomes and the exit code."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import memory, registry
from nilometer.cli import check
from nilometer.cli.main import main
from nilometer.core import url as urls
from nilometer.core.errors import Unavailable
from nilometer.testing.clock import ManualClock
from nilometer.testing.elasticsearch import FakeElasticsearch

if TYPE_CHECKING:
    import threading
    from pathlib import Path


class Hurried(ManualClock):
    """A clock on which every wait is over at once."""

    def wait(self, event: threading.Event, seconds: float | None) -> bool:
        self.advance(seconds or 0)
        return event.is_set()


def outcomes(url: str, *, write: bool = True) -> dict[str, str]:
    return {step.name: step.outcome for step in check.backend_steps(urls.parse(url), write=write)}


def test_a_backend_that_reads_is_written_and_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    memory.forget("checked")
    assert main(["check", "memory://checked"]) == 0
    title, can, connect, write, back = capsys.readouterr().out.splitlines()
    assert title == "memory://checked"
    assert can.split() == [
        "can",
        "ok",
        "metrics,",
        "sketches,",
        "events,",
        "event",
        "store,",
        "spans,",
        "traces,",
        "series,",
        "health",
    ]
    assert connect.split()[:2] == ["connect", "ok"]
    assert write.endswith("one gauge, nilometer.check")
    assert back.endswith("stats.gauges.nilometer.check came back")
    (found,) = memory.open(urls.parse("memory://checked")).find()
    assert found == "stats.gauges.nilometer.check"


def test_a_backend_that_does_not_read_is_only_written() -> None:
    assert outcomes("null://") == {"can": "ok", "connect": "ok", "write": "ok", "read": "–"}


def test_a_backend_that_confirms_is_asked_whether_what_was_written_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    fake = FakeElasticsearch()
    assert main(["check", fake.url]) == 0
    assert capsys.readouterr().out.endswith("documents in nilometer-metrics: 1\n")
    assert outcomes(fake.url, write=False) == {"can": "ok", "connect": "ok", "write": "–", "read": "–"}
    fake.close()
    assert outcomes(fake.url) == {"can": "ok", "connect": "FAILED", "write": "–", "read": "–"}


def test_no_write_connects_and_reads(capsys: pytest.CaptureFixture[str]) -> None:
    memory.forget("untouched")
    assert outcomes("memory://untouched", write=False) == {"can": "ok", "connect": "ok", "write": "–", "read": "ok"}
    assert memory.open(urls.parse("memory://untouched")).find() == []
    assert main(["check", "--no-write", "memory://untouched"]) == 0
    assert "holds no series" in capsys.readouterr().out


def test_a_store_that_another_process_writes_is_read_all_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path}/n.db"
    writer = registry.open(url, "metrics")
    writer.write(check.probe(1e9))
    assert main(["check", url]) == 1
    assert main(["check", "--no-write", url]) == 0
    writer.close()
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[1] for line in lines if len(line) > 1] == ["ok", "ok", "FAILED", "ok", "ok", "ok", "–", "ok"]
    assert lines[4][-1] == "stats.gauges.nilometer.check"


def test_after_a_failure_the_rest_is_not_tried(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert main(["check", f"graphite://127.0.0.1:{port}", "null://"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[2:4]] == [["connect", "FAILED"], ["write", "–"]]
    assert "not tried" in lines[3]
    assert lines[5] == "null://"


def test_a_point_that_does_not_come_back_is_a_failure() -> None:
    memory.forget("empty")
    clock = Hurried()
    url = urls.parse("memory://empty")
    with pytest.raises(Unavailable, match="did not come back within 5 s"):
        check.read_back(url, check.probe(clock.time()), clock)


def test_another_point_at_the_same_time_is_not_taken_for_ours() -> None:
    memory.forget("other")
    clock = Hurried()
    url = urls.parse("memory://other")
    flush = check.probe(clock.time())
    registry.open(url, "metrics").write(check.probe(clock.time() + 0.25))
    with pytest.raises(Unavailable):
        check.read_back(url, flush, clock)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("grphite://me:hidden@host", "did you mean 'graphite'?"),
        ("upd://host", "did you mean 'udp'?"),
        ("graphite://host?conections=1", "did you mean 'connections'?"),
        ("udp://host?thread=1", "did you mean 'threads'?"),
    ],
)
def test_a_wrong_url_is_refused_before_anything_is_tried(url: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "memory://first", url]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert says in output.err
    assert "hidden" not in output.err


def test_listeners_that_listen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as unixgram,
    ):
        udp.bind(("127.0.0.1", 0))
        tcp.settimeout(5)
        unixgram.bind(str(tmp_path / "sock"))
        given = [f"udp://127.0.0.1:{udp.getsockname()[1]}", f"unixgram://{tmp_path}/sock"]
        assert main(["check", *given]) == 0
        assert (udp.recv(10), unixgram.recv(10)) == (b"\n", b"\n")
    output = capsys.readouterr().out
    assert "UDP gives no better answer" in output
    assert "connected and sent an empty line" in output


def test_listeners_that_do_not_listen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, socket.create_server(("127.0.0.1", 0)) as server:
        sock.bind(("127.0.0.1", 0))
        udp, tcp = sock.getsockname()[1], server.getsockname()[1]
    given = [f"udp://127.0.0.1:{udp}", f"tcp://127.0.0.1:{tcp}", f"unix://{tmp_path}/none"]
    assert main(["check", *given]) == 1
    output = capsys.readouterr().out
    assert output.count("FAILED") == 3
    assert output.count("nothing listens there") == 2


def test_a_late_refusal_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    class Late:
        limit = 10

        def send(self, data: bytes) -> None: ...

        def refused(self, seconds: float) -> bool:
            return seconds > 0

        def close(self) -> None: ...

    monkeypatch.setattr(check, "connect", lambda url: Late())  # noqa: ARG005 the name is part of the call
    (step,) = check.listener_steps(urls.parse("udp://host"))
    assert (step.outcome, "nothing listens" in step.detail) == (check.BAD, True)


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("graphit://x", "did you mean 'graphite'?"),
        ("foo://x", "write udp://127.0.0.1:8125 for a listener, graphite://localhost"),
    ],
)
def test_an_unknown_scheme_is_answered_with_a_known_one(url: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", url]) == 2
    assert hint in capsys.readouterr().err
