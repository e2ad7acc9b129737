"""HTTP towards backends: bounded answers, chunks, certificates, hosts that are away."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import registry
from nilometer.backends._parts import http
from nilometer.backends._parts.http import Http, Peer
from nilometer.core.errors import Unavailable
from nilometer.core.url import Host
from nilometer.testing.certificates import certificate
from nilometer.testing.elasticsearch import FakeElasticsearch
from nilometer.testing.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path


class Scripted:
    """A server that answers every connection's first request with the same bytes, then closes unless it is to wait."""

    def __init__(self, answer: bytes, wait: threading.Event | None = None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, args=(answer, wait), daemon=True)
        self._thread.start()

    def _serve(self, answer: bytes, wait: threading.Event | None) -> None:
        with self._listener, self._listener.accept()[0] as connection:
            connection.recv(1 << 16)
            connection.sendall(answer)
            if wait is not None:
                wait.wait(10)

    def ask(self, timeout: float = 5.0) -> http.Answer:
        client = Http(Peer("acme://x", [Host("127.0.0.1", self.port)], 1, timeout, {}))
        try:
            return client.send("GET", "/")
        finally:
            client.close()
            self._thread.join(10)


def test_chunks_are_joined() -> None:
    server = Scripted(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n")
    assert server.ask().json() == [1, 2]


def test_a_body_that_is_no_json_is_none() -> None:
    assert Scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[1").ask().json() is None
    nested = b"[" * 100_000
    assert Scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + nested).ask().json() is None


@pytest.mark.parametrize("answer", [b"", b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"])
def test_what_is_no_http_is_unavailable(answer: bytes) -> None:
    with pytest.raises(Unavailable, match=r"acme://x: 127\.0\.0\.1 port"):
        Scripted(answer).ask()


def test_an_answer_that_is_too_long_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MOST", 1000)
    with pytest.raises(Unavailable, match="the answer exceeds 1000 bytes"):
        Scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000).ask()


def test_an_answer_that_stops_midway_is_unavailable() -> None:
    wait = threading.Event()
    server = Scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf", wait)
    client = Http(Peer("acme://x", [Host("127.0.0.1", server.port)], 1, 0.2, {}))
    with pytest.raises(Unavailable, match="timed out"):
        client.send("GET", "/")
    wait.set()
    client.close()


def test_when_no_host_answers_the_first_ones_error_is_told() -> None:
    ports = [free_port(), free_port()]
    client = Http(Peer("acme://x", [Host("127.0.0.1", port) for port in ports], 1, 1.0, {}))
    with pytest.raises(Unavailable, match=f"port {ports[0]}"):
        client.send("GET", "/")
    client.close()


def test_a_certificate_that_nobody_vouches_for_is_refused_with_the_cure(tmp_path: Path) -> None:
    fake = FakeElasticsearch("elasticsearch+https", secure=certificate(tmp_path))
    url = fake.url.partition("&ca=")[0]
    with pytest.raises(Unavailable, match=r"certificate.*ca=FILE"):
        registry.open(url, registry.HEALTH).check()
    unverified = registry.open(url + "&verify=false", registry.HEALTH)
    assert unverified.check().startswith("Elasticsearch")
    unverified.close()
    fake.close()
