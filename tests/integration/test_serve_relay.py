"""``nilometer serve`` forwards what it receives: beside statsd's own cluster proxy, over streams, changed by a reload."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nilometer.testing._server import Server
from nilometer.testing.asking import ask
from nilometer.testing.javascript import statsd
from nilometer.testing.kernels import IN_SERVERS
from nilometer.testing.ports import free_port
from nilometer.testing.serving import Serving
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Start = Callable[..., Serving]

HOME = "127.0.0.1"


@pytest.fixture(params=IN_SERVERS)
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Start]:
    started: list[Serving] = []

    def begin(*arguments: str) -> Serving:
        listen = ("--listen", f"udp://{HOME}:0", "--listen", f"tcp://{HOME}:0")
        started.append(Serving(*listen, *arguments, state=tmp_path / "state", kernel=request.param))
        return started[-1].ready()

    yield begin
    for serving in started:
        serving.kill()


class Node:
    """A server of a cluster: takes datagrams, and says how it is."""

    def __init__(self) -> None:
        self.server = Server((HOME, 0), socket.SOCK_DGRAM)
        self.admin, self.health = socket.create_server((HOME, 0)), b"health: up\n"
        self.admin_port = int(self.admin.getsockname()[1])
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def _answer(self) -> None:
        while True:
            try:
                link, _ = self.admin.accept()
            except OSError:
                return
            with link:
                link.settimeout(5)
                link.recv(100)
                link.sendall(self.health)

    def lines(self) -> list[bytes]:
        return sorted(self.server.inbox.parts())

    def close(self) -> None:
        self.server.leave()
        self.admin.shutdown(socket.SHUT_RDWR)
        self.admin.close()
        self._thread.join()


@pytest.fixture
def nodes() -> Iterator[list[Node]]:
    made = [Node() for _ in range(3)]
    yield made
    for node in made:
        node.close()


@pytest.fixture
def proxy(nodes: list[Node], tmp_path: Path) -> Iterator[int]:
    """Return the port of statsd's proxy before the nodes."""
    listed = [{"host": HOME, "port": each.server.port, "adminport": each.admin_port} for each in nodes]
    port, config = free_port(socket.SOCK_DGRAM), tmp_path / "proxy.json"
    config.write_text(
        json.dumps({"nodes": listed, "host": HOME, "port": port, "mgmt_port": free_port(), "checkInterval": 60000})
    )
    command = [*statsd("proxy.js"), str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        assert any(b"server is up" in line for line in process.stdout)
        until(lambda: f":{port:04X} " in Path("/proc/net/udp").read_text("ascii"), "the proxy listens, which it says before")
        yield port
        process.terminate()


def send(address: tuple[str, int], *datagrams: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for data in datagrams:
            sender.sendto(data, address)


def ring(nodes: list[Node], interval: str = "60s") -> list[str]:
    to = [f"udp://{HOME}:{each.server.port}?admin={each.admin_port}" for each in nodes]
    return ["--relay-mode", "ring", "--relay-check-interval", interval, *(part for url in to for part in ("--relay-to", url))]


def spread(nodes: list[Node], address: tuple[str, int]) -> list[list[bytes]]:
    """Send 300 names, several a datagram, and return which node got which."""
    for each in nodes:
        each.server.inbox.clear()
    names = [b"app.%d.requests;host=%d:%d|c" % (number, number % 7, number) for number in range(300)]
    names += ["schön.%d:1|c|#tag:x".encode() % number for number in range(20)]
    send(address, *[b"\n".join(names[at : at + 7]) for at in range(0, len(names), 7)])
    until(lambda: sum(len(each.lines()) for each in nodes) == len(names), "all lines arrived")
    return [each.lines() for each in nodes]


def test_names_fall_where_statsd_s_own_proxy_puts_them(start: Start, nodes: list[Node], proxy: int) -> None:
    expected = spread(nodes, (HOME, proxy))
    serving = start(*ring(nodes))
    assert spread(nodes, serving.address("udp")) == expected
    assert all(expected)


def test_the_file_of_statsd_s_proxy_does_the_same(start: Start, nodes: list[Node], proxy: int, tmp_path: Path) -> None:
    expected = spread(nodes, (HOME, proxy))
    serving = start(
        "--statsd-proxy-config", str(tmp_path / "proxy.json"), "--admin-listen", f"tcp://{HOME}:0", "--log-to", "stderr"
    )
    assert spread(nodes, serving.address("udp")) == expected
    places = [(HOME, json.loads((tmp_path / "proxy.json").read_text())["mgmt_port"]), serving.interface("admin interface")]
    theirs, ours = (asked(place, b"status\n").split("\n") for place in places)
    assert (theirs[0].startswith("uptime: "), ours[0].startswith("uptime: ")) == (True, True)
    assert ours[1:] == theirs[1:]


def asked(address: tuple[str, int], command: bytes) -> str:
    """Return all that a management interface answers."""
    with socket.create_connection(address, timeout=10) as client:
        client.sendall(command)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(1 << 16), b"")).decode()


def test_a_node_that_is_down_leaves_the_ring_and_nobody_else_s_names_move(start: Start, nodes: list[Node]) -> None:
    serving = start(*ring(nodes, "200ms"), "--web-listen", f"http://{HOME}:0", "--admin-listen", f"tcp://{HOME}:0")
    before = spread(nodes, serving.address("udp"))
    nodes[1].health = b"health: down\n"
    until(lambda: serving.said("is away from the ring"), "a node left")
    told = ask(serving.interface("HTTP interface"), "/stats").json["relay"]
    assert [(each["up"], "health: down" in each["error"]) for each in told] == [(True, False), (False, True), (True, False)]
    assert sum(each["sent"] for each in told) == sum(map(len, before))
    admin, ports = serving.interface("admin interface"), [each.server.port for each in nodes]
    assert f"relay.udp://{HOME}:{ports[1]}.up: 0\n" in asked(admin, b"stats\n")
    assert f"\nnodes: {HOME}:{ports[0]} {HOME}:{ports[2]} \n" in asked(admin, b"status\n")
    after = spread(nodes, serving.address("udp"))
    assert (set(before[0]) < set(after[0]), set(before[2]) < set(after[2]), after[1]) == (True, True, [])
    nodes[1].health = b"health: up\n"
    until(lambda: serving.said("is back on the ring"), "the node came back")
    assert spread(nodes, serving.address("udp")) == before


def test_a_stop_forwards_what_came_in(start: Start) -> None:
    stream, datagrams = Server((HOME, 0), socket.SOCK_STREAM), Server((HOME, 0), socket.SOCK_DGRAM)
    serving = start("--relay-to", f"tcp://{HOME}:{stream.port}", "--relay-to", f"udp://{HOME}:{datagrams.port}")
    send(serving.address("udp"), *[b"a:1|c"] * 100)
    with socket.create_connection(serving.address("tcp")) as client:
        client.sendall(b"b:1|c\nnonsense\n")
    assert serving.stop() == 0
    stream.wait_for_ends()
    assert sorted(b"".join(stream.inbox.parts()).split()) == sorted([b"a:1|c"] * 100 + [b"b:1|c", b"nonsense"])
    until(lambda: len(datagrams.inbox.parts()) == 101, "all datagrams arrived")
    assert (serving.total("a"), serving.total("b")) == (100, 1)
    for server in (stream, datagrams):
        server.leave()


def test_a_reload_changes_targets(start: Start, tmp_path: Path) -> None:
    first, second = Server((HOME, 0), socket.SOCK_DGRAM), Server((HOME, 0), socket.SOCK_DGRAM)
    file = tmp_path / "nilometer.toml"
    file.write_text(f'[relay]\nto = ["udp://{HOME}:{first.port}"]\n')
    serving = start("--config", str(file))
    send(serving.address("udp"), b"a:1|c")
    until(lambda: first.inbox.parts() == [b"a:1|c"], "the first target got it")
    file.write_text(f'[relay]\nto = ["udp://{HOME}:{second.port}"]\n')
    serving.process.send_signal(signal.SIGHUP)
    until(lambda: serving.said("settings reloaded"), "the settings are in force")
    send(serving.address("udp"), b"b:1|c")
    until(lambda: second.inbox.parts() == [b"b:1|c"], "the second target got it")
    assert first.inbox.parts() == [b"a:1|c"]
    for server in (first, second):
        server.leave()
