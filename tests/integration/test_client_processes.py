"""A client in real processes: forks, ends of every kind, gevent, asyncio, servers that are away."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from nilometer.testing._server import Server
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = """
import asyncio, os, signal, sys, threading, time
from nilometer import StatsD
statsd = StatsD(sys.argv[1])
"""


@pytest.fixture(params=["statsd", "statsd+tcp"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), socket.SOCK_DGRAM if request.param == "statsd" else socket.SOCK_STREAM, buffer=0)
    made.scheme = request.param  # type: ignore[attr-defined]  # for the URL
    yield made
    made.leave()


def url(server: Server, options: str = "flush=60s") -> str:
    return f"{server.scheme}://127.0.0.1:{server.port}?{options}"  # type: ignore[attr-defined]  # set above


def run(code: str, server: Server, options: str = "flush=60s", status: int = 0) -> None:
    """Run a program that has a client to its end."""
    done = subprocess.run(
        [sys.executable, "-c", HEAD + code, url(server, options)], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == status, done.stderr.decode()
    assert (b"Error" in done.stderr) == (status == 1), done.stderr.decode()


def counts(server: Server) -> dict[str, int]:
    found: dict[str, int] = {}
    for text in b"\n".join(server.inbox.parts()).decode().split():
        found[text] = found.get(text, 0) + 1
    return found


def arrived(server: Server, **expected: int) -> None:
    wanted = {f"{name}:1|c": count for name, count in expected.items()}
    until(lambda: counts(server) == wanted, f"{wanted}", 10, lambda: str(counts(server)))


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("raise ValueError", 1),
        ("signal.signal(15, lambda *_: sys.exit(4)); os.kill(os.getpid(), 15)", 4),
    ],
)
def test_whatever_ends_a_program_its_lines_go_out(server: Server, end: str, status: int) -> None:
    run(f"[statsd.incr('c') for _ in range(100)]\n{end}", server, status=status)
    arrived(server, c=100)


def test_a_forked_child_sends_its_own_lines_and_none_of_its_parent_s(server: Server) -> None:
    run(
        """
for _ in range(10): statsd.incr("parent")
children = []
for _ in range(3):
    child = os.fork()
    if not child:
        for _ in range(20): statsd.incr("child")
        statsd.close()
        os._exit(0)
    children.append(child)
for child in children: os.waitpid(child, 0)
statsd.incr("parent")
""",
        server,
    )
    arrived(server, parent=11, child=60)


def test_a_forked_child_forgets_what_its_parent_has_added_up(server: Server) -> None:
    code = """
for _ in range(10): statsd.incr("parent")
child = os.fork()
if not child:
    for _ in range(20): statsd.incr("child")
    statsd.close()
    os._exit(0)
os.waitpid(child, 0)
statsd.incr("parent")
"""
    run(code, server, "flush=60s&aggregate=true")

    def sums() -> dict[str, int]:
        found: dict[str, int] = {}
        for line, times in counts(server).items():
            name, _, value = line.removesuffix("|c").partition(":")
            found[name] = found.get(name, 0) + int(value) * times
        return found

    until(lambda: sums() == {"parent": 11, "child": 20}, "all is counted once", 10, lambda: str(counts(server)))


def test_processes_of_multiprocessing_send_theirs_at_their_end(server: Server) -> None:
    run(
        """
import multiprocessing
def work():
    for _ in range(20): statsd.incr("child")
statsd.incr("parent")
context = multiprocessing.get_context("fork")
workers = [context.Process(target=work) for _ in range(2)]
for worker in workers: worker.start()
for worker in workers: worker.join()
""",
        server,
    )
    arrived(server, parent=1, child=40)


@pytest.mark.parametrize("patch", ["from gevent import monkey; monkey.patch_all()", ""])
def test_greenlets_send(server: Server, patch: str) -> None:
    code = """
import gevent
def work():
    for _ in range(50):
        statsd.incr("c")
        gevent.sleep(0)
gevent.joinall([gevent.spawn(work) for _ in range(4)])
"""
    done = subprocess.run(
        [sys.executable, "-c", patch + HEAD + code, url(server)], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    arrived(server, c=200)


def test_a_loop_of_asyncio_goes_on_while_the_server_stalls() -> None:
    server = Server(("127.0.0.1", 0), socket.SOCK_STREAM)
    server.scheme = "statsd+tcp"  # type: ignore[attr-defined]  # for the URL
    server.inbox.stall()
    run(
        """
async def main():
    late = 0.0
    for _ in range(200):
        for _ in range(500): statsd.incr("name.of.some.length", tags={"region": "north"})
        before = time.perf_counter()
        await asyncio.sleep(0)
        late = max(late, time.perf_counter() - before)
    print(late)
asyncio.run(main())
lost = statsd.losses()
assert lost["queue"] > 0, lost
statsd.close(deadline_seconds=0.2)
""",
        server,
        "flush=10ms&queue=1000",
    )
    server.leave()


def test_the_end_does_not_wait_long_for_a_server_that_is_away(server: Server) -> None:
    server.leave()
    run("began = time.time()\nfor _ in range(1000): statsd.incr('c')\n", server)
    server.come_back()


def test_without_a_clean_end_only_what_still_waits_is_lost(server: Server) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", HEAD + "statsd.incr('c'); statsd.flush(); print('up', flush=True); time.sleep(60)", url(server)],
        stdout=subprocess.PIPE,
    )
    with program:
        assert program.stdout is not None
        program.stdout.readline()
        program.send_signal(signal.SIGKILL)
    arrived(server, c=1)
