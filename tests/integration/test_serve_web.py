"""``nilometer serve`` as a process, asked over HTTP: who may ask, and TLS."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import subprocess
from contextlib import closing
from signal import SIGHUP
from typing import TYPE_CHECKING

import pytest

from nilometer.testing.asking import ask
from nilometer.testing.carbon import Carbon
from nilometer.testing.certificates import certificate
from nilometer.testing.serving import PROGRAM, Serving
from nilometer.testing.waiting import until
from nilometer.web.tokens import TokenFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Start = Callable[..., Serving]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Serving] = []

    def begin(*arguments: str) -> Serving:
        state = tmp_path / f"state{len(started)}"
        started.append(Serving("--listen=udp://127.0.0.1:0", "--flush-interval=1h", *arguments, state=state))
        return started[-1]

    yield begin
    for server in started:
        server.kill()


def test_the_status_names_what_is_wrong_and_forgets_what_ended(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        away = f"graphite://127.0.0.1:{port}"
        server = start(
            "--web-listen=http://127.0.0.1:0", "--flush-interval=200ms", "--retry-first=10ms", "--retry-most=100ms", away
        ).ready()
        address = server.interface("HTTP interface")

        def problems() -> list[str]:
            told: list[str] = ask(address, "/status").json["problems"]
            return told

        until(lambda: any(f"{away}: away for" in problem for problem in problems()), "the sink that is away is named")
        send(server, b"bad")
        until(lambda: any("nilometer parse" in problem for problem in problems()), "the bad line is told")
    with closing(Carbon(port=port)):
        until(lambda: not any(away in problem for problem in problems()), "the sink is well again")
    told = ask(address, "/status").json
    assert [listener["url"] for listener in told["listeners"]] == ["udp://127.0.0.1:0"]
    assert told["listeners"][0]["buffer"] > 0
    assert {spool["sink"] for spool in told["spools"]} == {"console://", away}
    assert server.stop() == 0


def send(server: Serving, lines: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(lines, server.address("udp"))


def top(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [*PROGRAM, "top", *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_http_beyond_this_machine_takes_a_token(start: Start, tmp_path: Path) -> None:
    server = start("--web-listen=http://0.0.0.0:0")
    assert server.wait() == 2
    assert server.said("listens beyond this machine only with a token; make one: nilometer token create NAME --scope read")

    token = tmp_path / "token"
    token.write_text(TokenFile(tmp_path / "state1/tokens.json").create("top", "read"))
    server = start("--web-listen=http://0.0.0.0:0").ready()
    assert server.said("http://0.0.0.0:0: tokens can be read on the way")
    where = f"http://127.0.0.1:{server.interface('HTTP interface')[1]}"
    assert "a token is needed" in top(where, "--once").stderr
    assert top(where, "--once", "--token-file", str(token)).returncode == 0

    command = [*PROGRAM, "token", "revoke", "top", f"--server-state={tmp_path / 'state1'}"]
    assert subprocess.run(command, check=False).returncode == 0
    assert "this token is not known" in top(where, "--once", "--token-file", str(token)).stderr
    assert server.stop() == 0


def test_http_with_tls_renews_its_certificate(start: Start, tmp_path: Path) -> None:
    made = certificate(tmp_path)
    url = f"https://127.0.0.1:0?cert={made.certificate}&key={made.key}"
    server = start(f"--web-listen={url}").ready()
    address = server.interface("HTTP interface")

    def shown() -> str:
        return ssl.get_server_certificate(address)

    def trusted() -> int:
        context = ssl.create_default_context(cafile=str(made.certificate))
        with closing(http.client.HTTPSConnection("localhost", address[1], timeout=10, context=context)) as connection:
            connection.request("GET", "/api/v1/health")
            return connection.getresponse().status

    first = shown()
    assert trusted() == 200
    certificate(tmp_path)
    server.process.send_signal(SIGHUP)
    until(lambda: shown() != first, "the new certificate is shown")
    assert trusted() == 200

    made.key.write_text("none")
    server.process.send_signal(SIGHUP)
    until(lambda: server.said("settings not reloaded"), "the server says what is wrong")
    assert trusted() == 200
    assert server.stop() == 0


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://127.0.0.1:0", "option cert is missing"),
        ("https://127.0.0.1:0?cert=/nowhere", "cannot use cert: No such file"),
        ("http://127.0.0.1:0?cert=/nowhere", "the HTTP interface has one host"),
        ("http://127.0.0.1:0/path", "the HTTP interface has one host"),
        ("udp://127.0.0.1:0", "the HTTP interface has one host"),
    ],
)
def test_an_address_that_cannot_be_is_refused(start: Start, url: str, reason: str) -> None:
    server = start(f"--web-listen={url}")
    assert server.wait() == 2
    assert server.said(reason)
