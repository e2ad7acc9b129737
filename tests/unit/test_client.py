"""A client over a real socket: what it sends, what it packs together, what it drops and counts."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

import nilometer
from nilometer import StatsD
from nilometer.core.errors import UrlError
from nilometer.emit.client.losses import REASONS
from nilometer.emit.client.outbox import PRESSED
from nilometer.emit.client.packing import Packer
from nilometer.testing._server import Server
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AT_ONCE = "flush=0"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), socket.SOCK_DGRAM)
    yield made
    made.leave()


def client(server: Server, options: str = AT_ONCE, **more: object) -> StatsD:
    return StatsD(f"statsd://127.0.0.1:{server.port}?{options}", **more)  # type: ignore[arg-type]  # options of the client


def lines(server: Server, count: int) -> list[str]:
    def found() -> list[str]:
        return [text for part in server.inbox.parts() for text in part.decode().split("\n")]

    until(lambda: len(found()) >= count, f"{count} lines", 10, lambda: str(found()))
    return found()


def test_every_method_sends_its_line(server: Server) -> None:
    with client(server) as statsd:
        statsd.incr("c")
        statsd.incr("c", 2.5)
        statsd.decr("c", 3)
        statsd.gauge("g", 4)
        statsd.gauge("g", -4)
        statsd.gauge("g", 1, delta=True)
        statsd.gauge("g", -1, delta=True)
        statsd.timing("t", 12.5)
        statsd.timing("t", timedelta(seconds=2))
        statsd.set("s", "ann")
        statsd.histogram("h", 7)
        statsd.distribution("d", 8.5)
        statsd.emit("ms", "e", 3, 0.25, {"k": "v"})
        statsd.event("title", "text")
        statsd.service_check("check", 0)
    assert lines(server, 16) == [
        *("c:1|c", "c:2.5|c", "c:-3|c"),
        *("g:4|g", "g:0|g", "g:-4|g", "g:+1|g", "g:-1|g"),
        *("t:12.5|ms", "t:2000.0|ms", "s:ann|s", "h:7|h", "d:8.5|d", "e:3|ms|@0.25|#k:v"),
        *("_e{5,4}:title|text", "_sc|check|0"),
    ]
    assert not any(statsd.losses().values())


def test_prefixes_and_tags_of_the_url_and_of_the_client_add_up(server: Server) -> None:
    with client(server, f"{AT_ONCE}&prefix=a&constant=env:prod,zone:x", prefix="b.", tags={"zone": "y"}) as statsd:
        statsd.incr("c", tags={"k": "v"})
        statsd.incr("c", tags=["zone:z"])
    assert lines(server, 2) == ["a.b.c:1|c|#env:prod,zone:y,k:v", "a.b.c:1|c|#env:prod,zone:z"]


def test_tags_that_are_equal_but_read_otherwise_are_written_otherwise(server: Server) -> None:
    given: list[object] = [{"k": "1"}, {"k": 1}, {"k": True}, {"k": 1.0}, [("k", True)], ["k:1"], {"k": []}, {"k": "1"}]
    with client(server, AT_ONCE) as statsd:
        for tags in given * 2:
            statsd.incr("c", tags=cast("Any", tags))
    assert (
        lines(server, 2 * len(given))
        == [f"c:1|c|#k:{value}" for value in ["1", "1", "True", "1.0", "True", "1", "[]", "1"]] * 2
    )


def test_lines_go_together_up_to_the_size_of_a_datagram(server: Server) -> None:
    with client(server, "flush=60s&mtu=512") as statsd:
        for number in range(1000):
            statsd.incr("name", number)
    assert lines(server, 1000) == [f"name:{number}|c" for number in range(1000)]
    sizes = [len(part) for part in server.inbox.parts()]
    assert max(sizes) <= 512
    assert min(sizes[:-1]) > 480


def test_few_lines_wait_no_longer_than_told(server: Server) -> None:
    statsd = client(server, "flush=20ms")
    statsd.incr("a")
    statsd.incr("b")
    assert lines(server, 2) == ["a:1|c", "b:1|c"]
    statsd.close()


def test_a_sample_is_drawn_once(server: Server) -> None:
    with client(server, "flush=60s&mtu=8192") as statsd:
        for _ in range(4000):
            statsd.incr("c", rate=0.5)
            statsd.timing("t", 1, rate=0.25)
            statsd.gauge("g", 1, rate=0.0001)
    found = lines(server, 2000)
    assert set(found) - {"g:1|g|@0.0001"} == {"c:1|c|@0.5", "t:1|ms|@0.25"}
    assert 1800 < found.count("c:1|c|@0.5") < 2200
    assert 850 < found.count("t:1|ms|@0.25") < 1150


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda statsd: statsd.incr(""), "name"),
        (lambda statsd: statsd.incr("a", float("nan")), "value"),
        (lambda statsd: statsd.decr("a", "x"), "value"),
        (lambda statsd: statsd.incr("a", rate="x"), "value"),
        (lambda statsd: statsd.gauge("a", None), "value"),
        (lambda statsd: statsd.gauge("a", "x", delta=True), "value"),
        (lambda statsd: statsd.emit("zz", "a", 1), "kind"),
        (lambda statsd: statsd.incr("a", tags=7), "error"),
        (lambda statsd: statsd.incr("x" * 70_000), "too_long"),
    ],
)
def test_what_cannot_be_sent_is_counted_and_never_raises(server: Server, call: object, reason: str) -> None:
    with client(server) as statsd:
        call(statsd)  # type: ignore[operator]  # a function
        statsd.incr("good")
    assert lines(server, 1) == ["good:1|c"]
    assert statsd.losses() == dict.fromkeys(REASONS, 0) | {reason: 1}


def test_a_closed_client_counts_what_comes(server: Server) -> None:
    statsd = client(server)
    statsd.close()
    statsd.close()
    statsd.incr("late")
    assert statsd.losses()["closed"] == 1


def test_a_host_without_a_server_is_no_harm() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    statsd = StatsD(f"statsd://127.0.0.1:{port}?flush=0")
    for _ in range(50):
        statsd.incr("nobody")
    statsd.close()
    assert 0 < statsd.losses()["refused"] <= 50


def test_a_name_that_nobody_knows_loses_lines_and_counts_them() -> None:
    statsd = StatsD("statsd://no-such-host.invalid?queue=10&flush=60s")
    for _ in range(100):
        statsd.incr("a")
    statsd.close(deadline_seconds=5)
    lost = statsd.losses()
    assert lost["queue"] + lost["network"] + lost["refused"] == 100


def test_added_up_counters_are_one_line(server: Server) -> None:
    with client(server, "flush=60s&aggregate=true") as statsd:
        for _ in range(1000):
            statsd.incr("c")
            statsd.emit("c", "c", 1, 0.5)
            statsd.gauge("g", 3)
            statsd.gauge("d", 2, delta=True)
            statsd.set("s", "one")
        statsd.gauge("g", -1)
        statsd.gauge("g", 0.5, delta=True)
        statsd.incr("c", "x")  # type: ignore[arg-type]  # a mistake
    found = lines(server, 1004)
    assert {text for text in found if "|s" not in text} == {"c:3000.0|c", "g:0|g", "g:-0.5|g", "d:+2000|g"}
    assert statsd.losses()["value"] == 1


def test_added_up_counters_go_out_in_time(server: Server) -> None:
    with client(server, "flush=10ms&aggregate=true") as statsd:
        statsd.incr("c")
        assert lines(server, 1) == ["c:1|c"]
        statsd.gauge("g", 3)
        assert lines(server, 2) == ["c:1|c", "g:3|g"]


def test_a_timer_measures_blocks_functions_and_coroutines(server: Server) -> None:
    with client(server) as statsd:
        with statsd.timer("block") as timer:
            pass
        assert timer.ms is not None

        @statsd.timer("function")
        def double(value: int) -> int:
            """Double it."""
            return 2 * value

        @statsd.timer("coroutine", tags={"k": "v"})
        async def wait() -> str:
            await asyncio.sleep(0.002)
            return "done"

        assert double(4) == 8
        assert double.__doc__ == "Double it."
        assert asyncio.run(wait()) == "done"
        with pytest.raises(ZeroDivisionError), statsd.timer("failed"):
            _ = 1 / 0
    found = lines(server, 4)
    assert [text.partition(":")[0] for text in found] == ["block", "function", "coroutine", "failed"]
    assert float(found[2].partition(":")[2].partition("|")[0]) >= 2
    assert found[2].endswith("|ms|#k:v")


def test_a_timer_that_is_used_wrongly_says_so(server: Server) -> None:
    with client(server) as statsd:
        timer = statsd.timer("a")
        with pytest.raises(RuntimeError, match="not started"):
            timer.stop()
        with pytest.raises(RuntimeError, match="not stopped"):
            timer.start().send()
        timer.stop()
        with pytest.raises(RuntimeError, match="sent already"):
            timer.send()


def test_a_pipeline_goes_out_together(server: Server) -> None:
    with client(server, "flush=60s") as statsd:
        with statsd.pipeline() as pipe:
            pipe.incr("a")
            pipe.gauge("b", -1)
            with pipe.timer("c"):
                pipe.gauge("d", 1, delta=True)
            assert server.inbox.parts() == []
        assert [text.partition(":")[0] for text in lines(server, 5)] == ["a", "b", "b", "d", "c"]
        assert len(server.inbox.parts()) == 1


def test_threads_lose_nothing(server: Server) -> None:
    def send() -> None:
        for _ in range(2000):
            statsd.incr("c")

    with client(server, "flush=10ms") as statsd:
        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert lines(server, 8000) == ["c:1|c"] * 8000


def test_a_signal_may_come_at_any_moment(server: Server) -> None:
    with client(server, "flush=1ms") as statsd:
        before = signal.signal(signal.SIGALRM, lambda *_: statsd.incr("signal"))
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        try:
            for _ in range(20_000):
                statsd.incr("c")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    found = lines(server, 20_001)
    assert found.count("c:1|c") == 20_000
    assert "signal:1|c" in found


def test_a_client_that_is_thrown_away_sends_what_it_holds(server: Server) -> None:
    statsd = client(server, "flush=60s")
    for number in range(PRESSED + 3):
        statsd.incr("c", number)
    del statsd
    gc.collect()
    assert len(lines(server, PRESSED + 3)) == PRESSED + 3


@pytest.mark.parametrize("scheme", ["statsd+unix", "statsd+unixgram", "statsd+tcp"])
def test_a_server_that_comes_later_gets_what_waited(scheme: str, tmp_path: Path) -> None:
    kind = socket.SOCK_DGRAM if scheme == "statsd+unixgram" else socket.SOCK_STREAM
    place: str | tuple[str, int] = ("127.0.0.1", 0) if scheme == "statsd+tcp" else str(tmp_path / "socket")
    server = Server(place, kind)
    where = f"127.0.0.1:{server.port}" if scheme == "statsd+tcp" else place
    server.leave()
    statsd = StatsD(f"{scheme}://{where}?flush=10ms")
    statsd.incr("early")
    server.come_back()
    statsd.incr("late")
    expected = ["early:1|c", "late:1|c"]
    until(lambda: b"\n".join(server.inbox.parts()).decode().split() == expected, str(expected), 20)
    statsd.close()
    server.leave()


def test_a_stream_that_breaks_goes_on_with_the_next_line() -> None:
    server = Server(("127.0.0.1", 0), socket.SOCK_STREAM)
    statsd = StatsD(f"statsd+tcp://127.0.0.1:{server.port}?flush=5ms")
    statsd.incr("one")
    until(lambda: b"".join(server.inbox.parts()) == b"one:1|c\n", "the first line")
    server.leave()
    server.come_back()
    statsd.incr("two")
    until(lambda: b"two:1|c\n" in b"".join(server.inbox.parts()), "the second line", 20)
    statsd.close()
    server.leave()


@pytest.mark.parametrize(
    "url", ["http://x", "statsd://", "statsd://a?mtu=99999", "statsd://a?tags=x", "statsd+unix://", "statsd://a?nope=1", "x y"]
)
def test_a_wrong_url_is_refused_at_once(url: str) -> None:
    with pytest.raises(UrlError):
        StatsD(url)


def test_a_host_alone_is_told_how_to_become_a_url() -> None:
    with pytest.raises(UrlError, match="write statsd://localhost:8125"):
        StatsD("localhost:8125")


def test_a_fault_of_the_client_s_own_ends_neither_its_thread_nor_the_application(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    statsd = client(server, "flush=5ms")
    monkeypatch.setattr(Packer, "add", lambda *_: 1 / 0)
    statsd.incr("lost")
    until(lambda: statsd.losses()["error"] > 0, "the fault to be counted")
    monkeypatch.undo()
    statsd.incr("sent")
    assert lines(server, 1) == ["sent:1|c"]
    statsd.close()


def test_the_package_names_what_it_has() -> None:
    assert {"StatsD", "StatsClient"} <= set(dir(nilometer))
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = nilometer.Nothing
