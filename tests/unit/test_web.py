"""The HTTP interface: its routes, who may ask, its bounds."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote

import pytest

from nilometer.core import url as urls
from nilometer.ingest._reference import ReferenceKernel
from nilometer.testing.asking import Answer, ask
from nilometer.testing.control import control, status
from nilometer.testing.waiting import until
from nilometer.web import connection as module
from nilometer.web import models, server
from nilometer.web.access import Access
from nilometer.web.app import application
from nilometer.web.parts import Parts
from nilometer.web.server import WebServer
from nilometer.web.tokens import TokenFile, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from nilometer.ingest.admin.control import Control
    from nilometer.web.tokens import Token

    Serve = Callable[..., tuple[str, int]]


@pytest.fixture
def kernel() -> ReferenceKernel:
    return ReferenceKernel()


@pytest.fixture
def asked(kernel: ReferenceKernel) -> Control:
    return control(kernel, sinks=[status("null://", written=7)])


@pytest.fixture
def serve(asked: Control) -> Iterator[Serve]:
    started: list[WebServer] = []

    def begin(access: Access = Access()) -> tuple[str, int]:  # noqa: B008 it is frozen
        parts = Parts(asked, lambda: urls.parse("sqlite:///store"))
        started.append(WebServer(lambda: application(parts, access)))
        host, _, port = started[-1].listen(urls.parse("http://127.0.0.1:0"))[0].rpartition(":")
        started[-1].start()
        return host, int(port)

    yield begin
    for each in started:
        each.stop()


@pytest.fixture
def address(serve: Serve) -> tuple[str, int]:
    return serve()


def code(answer: Answer) -> tuple[int, str]:
    assert list(answer.json) == ["error"]
    assert sorted(answer.json["error"]) == ["code", "message"]
    return answer.status, answer.json["error"]["code"]


def test_series_are_filtered_and_limited(address: tuple[str, int], kernel: ReferenceKernel) -> None:
    kernel.feed(b"web.a:1|c\nweb.b:2|c\ndb:3|c\nt:5|ms:4|ms\nu:x|s\ng:-1|g")

    def series(path: str) -> Any:  # noqa: ANN401 whatever JSON can hold
        return ask(address, path).json["series"]

    assert series("/counters?match=web.*") == [{"key": "web.a", "value": 1}, {"key": "web.b", "value": 2}]
    assert series("/counters?limit=1") == [{"key": "web.a", "value": 1}]
    assert series("/timers") == [{"key": "t", "count": 2, "samples": [5, 4]}]
    assert series("/sets") == [{"key": "u", "count": 1, "members": ["x"]}]
    assert series("/gauges?match=h*") == []
    assert ask(address, "/counters?limit=1").json["count"] == 3


def test_series_are_deleted_one_by_one_or_by_folder(address: tuple[str, int], kernel: ReferenceKernel) -> None:
    kernel.feed(b"a.b:1|c\na.c:1|c\nd;x=1:1|c")
    assert ask(address, "/counters/a.*", "DELETE").json == {"kind": "counter", "deleted": ["a.b", "a.c"]}
    assert ask(address, "/counters/d%3Bx=1", "DELETE").json == {"kind": "counter", "deleted": ["d;x=1"]}
    assert code(ask(address, "/counters/d", "DELETE")) == (404, "not_found")


def test_health_is_said_and_asked(address: tuple[str, int]) -> None:
    assert ask(address, "/health")[::2] == (200, {"health": "up"})
    assert ask(address, "/health", "PUT", body=b'{"health": "down"}')[::2] == (200, {"health": "down"})
    assert ask(address, "/health")[::2] == (503, {"health": "down"})


@pytest.mark.parametrize(
    "body", [b"", b"down", b'{"health": "DOWN"}', b'{"health": "up", "x": 1}', b"[]", b"[" * 1000, b"\xff"]
)
def test_a_wrong_body_is_refused(address: tuple[str, int], body: bytes) -> None:
    assert code(ask(address, "/health", "PUT", body=body)) == (400, "bad_request")


def test_a_long_body_is_refused(address: tuple[str, int]) -> None:
    assert code(ask(address, "/health", "PUT", body=b" " * 2000)) == (413, "too_large")


def test_stats_tell_totals_losses_and_sinks(address: tuple[str, int], kernel: ReferenceKernel) -> None:
    kernel.feed(b"a:1|c\nbad")
    stats = ask(address, "/stats").json
    assert (stats["totals"]["lines"], stats["totals"]["bad_lines"], stats["connections"]) == (2, 1, 3)
    assert stats["losses"]["spool.size"] == 0
    assert [(sink["name"], sink["written"]) for sink in stats["sinks"]] == [("null://", 7)]


def test_the_status_tells_what_is_wrong(address: tuple[str, int], asked: Control, kernel: ReferenceKernel) -> None:
    kernel.feed(b"a:1|c")
    asked.set_health(healthy=False)
    told = ask(address, "/status").json
    assert models.Status.model_validate(told, strict=True)
    assert (told["kernel"], told["health"], told["interval"], told["history"]) == ("reference", "down", 10, "sqlite:///store")
    assert told["metrics"] == "nilometer.*"
    assert told["spools"] == [{"sink": "null://", "items": 0, "bytes": 0, "most": 1 << 30}]
    assert [problem.partition(":")[0] for problem in told["problems"]] == [
        "the reference kernel is in use",
        "nothing is listened to",
        "somebody has said that the server is down; say otherwise",
    ]


def test_settings_have_origins(address: tuple[str, int]) -> None:
    assert ask(address, "/config").json["settings"]["flush.interval"] == {"value": '"10s"', "origin": "default"}


def test_who_talks_most_is_told(address: tuple[str, int], kernel: ReferenceKernel) -> None:
    kernel.feed(b"a:1|c\nb:1|c:1|c\nbad", "10.0.0.9:1")
    assert ask(address, "/top?limit=1").json == {
        "names": [{"kind": "counter", "key": "b", "updates": 2}],
        "sources": [{"source": "10.0.0.9", "lines": 3}],
        "refused": [{"source": "10.0.0.9", "reason": "no value", "refused": 1, "line": "bad"}],
    }


@pytest.mark.parametrize("limit", ["0", "-1", "x", "1e3", "101", "", "9" * 30, "\u0661"])
def test_a_wrong_limit_is_refused(address: tuple[str, int], limit: str) -> None:
    assert code(ask(address, f"/top?limit={quote(limit)}")) == (400, "bad_request")


def test_a_glob_is_bounded(address: tuple[str, int]) -> None:
    assert code(ask(address, f"/counters?match={'*' * 1001}")) == (400, "bad_request")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("POST", "/stats", 405), ("OPTIONS", "/health", 405), ("DELETE", "/counters", 405)],
)
def test_what_is_not_there_has_the_shape_of_an_error(address: tuple[str, int], method: str, path: str, status: int) -> None:
    assert code(ask(address, path, method))[0] == status


def test_what_is_outside_of_the_api_has_the_shape_of_an_error(address: tuple[str, int]) -> None:
    assert code(ask(address, "/nothing", base="")) == (404, "not_found")


def test_a_method_that_is_not_there_is_answered_with_those_that_are(address: tuple[str, int]) -> None:
    assert ask(address, "/health", "OPTIONS").headers["allow"] == "GET, PUT"
    assert ask(address, "/stats", "POST").headers["allow"] == "GET"


def test_a_wrong_parameter_is_named(address: tuple[str, int]) -> None:
    assert ask(address, "/top?limit=x").json["error"]["message"] == "limit: expected a whole number of at most 9 digits"
    assert ask(address, "/top?limit=0").json["error"]["message"].startswith("limit: ")


def test_a_head_is_asked_for(address: tuple[str, int]) -> None:
    with closing(http.client.HTTPConnection(*address, timeout=10)) as connection:
        connection.request("HEAD", "/api/v1/health")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
        assert int(answer.headers["content-length"]) > 0


def test_the_interface_describes_itself(address: tuple[str, int]) -> None:
    told = ask(address, "/openapi.json").json
    assert {"/api/v1/stats", "/api/v1/top", "/api/v1/counters/{name}"} <= told["paths"].keys()
    answers = told["paths"]["/api/v1/top"]["get"]["responses"]
    assert answers["400"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Error"}
    assert "422" not in answers
    names = [operation["operationId"] for path in told["paths"].values() for operation in path.values()]
    assert {"stats", "set_health", "delete_counters"} <= set(names)
    assert len(names) == len(set(names))
    limit = next(each for each in told["paths"]["/api/v1/top"]["get"]["parameters"] if each["name"] == "limit")
    assert (limit["schema"]["minimum"], limit["schema"]["maximum"]) == (1, 100)
    assert told["paths"]["/api/v1/health"]["get"]["security"] == []
    assert told["paths"]["/api/v1/health"]["put"]["security"] == [{"token": ["write"]}]
    assert ask(address, "/openapi.json").json == told


def test_a_server_starts_without_what_takes_long_to_import() -> None:
    program = "import sys, nilometer.cli.server; print(*{'fastapi', 'pydantic', 'starlette', 'uvicorn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_what_stops_before_it_answers_ends(asked: Control) -> None:
    soon = WebServer(lambda: application(Parts(asked), Access()))
    soon.listen(urls.parse("http://127.0.0.1:0"))
    soon.start()
    soon.stop()
    never = WebServer(lambda: application(Parts(asked), Access()))
    never.start()
    never.stop()


def test_an_application_that_cannot_be_made_hangs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> NoReturn:
        message = "cannot import name 'FastAPI'"
        raise ImportError(message)

    made = WebServer(broken)
    host, _, port = made.listen(urls.parse("http://127.0.0.1:0"))[0].rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as waiting:
        made.start()
        with contextlib.suppress(ConnectionResetError):
            assert waiting.recv(1) == b""
    made.stop()
    assert "the HTTP interface has ended" in caplog.text


def test_a_fault_of_ours_has_the_shape_of_an_error(
    address: tuple[str, int], asked: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked, "totals", lambda: 1 / 0)
    assert code(ask(address, "/stats")) == (500, "internal")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "rebound.example"},
        {"Host": "127.0.0.1.evil.example:80"},
        {"Host": ""},
    ],
)
def test_another_site_changes_nothing(
    address: tuple[str, int], kernel: ReferenceKernel, asked: Control, headers: dict[str, str]
) -> None:
    kernel.feed(b"a:1|c")
    assert code(ask(address, "/counters/a", "DELETE", headers=headers)) == (403, "forbidden")
    assert code(ask(address, "/health", "PUT", headers=headers, body=b'{"health": "down"}')) == (403, "forbidden")
    assert asked.healthy
    assert ask(address, "/counters").json["count"] == 1


def test_another_site_reads_nothing(address: tuple[str, int]) -> None:
    assert code(ask(address, "/config", headers={"Host": "rebound.example"})) == (403, "forbidden")
    answer = ask(address, "/health", headers={"Origin": "http://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_the_own_site_changes(address: tuple[str, int]) -> None:
    host = f"localhost:{address[1]}"
    own = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    assert ask(address, "/health", "PUT", headers=own, body=b'{"health": "down"}').status == 200


def test_a_peer_that_asks_nothing_is_closed(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST", 0.1)
    address = serve()
    with socket.create_connection(address, timeout=10) as slow:
        slow.sendall(b"GET /api/v1/health HTTP/1.1\r\n")
        assert slow.recv(1) == b""


@pytest.mark.parametrize(
    "sent",
    [
        b"garbage\r\n\r\n",
        b"PUT /api/v1/health HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\nz\r\n",
        b"GET /api/v1/health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n\x00garbage\r\n\r\n",
        b"GET /api/v1/live HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345z\r\n",
    ],
    ids=["head", "body", "second request", "stream"],
)
def test_what_is_no_http_is_refused_and_fills_no_log(
    address: tuple[str, int], sent: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "LINGER", 0.1)
    with socket.create_connection(address, timeout=10) as peer:
        peer.sendall(sent)
        while peer.recv(1 << 16):
            pass
    assert ask(address, "/health").status == 200
    assert caplog.messages == []


def test_who_goes_astray_while_an_answer_comes_fills_no_log(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "LINGER", 0.1)
    with socket.create_connection(address, timeout=10) as peer:
        peer.sendall(b"GET /api/v1/live HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\n")
        assert peer.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
        peer.sendall(b"z\r\n")
        while peer.recv(1 << 16):
            pass
    assert ask(address, "/health").status == 200
    assert caplog.messages == []


def test_a_peer_that_never_reads_is_closed(serve: Serve, kernel: ReferenceKernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIFE", 0.5)
    kernel.feed(b"\n".join(b"some.name.that.is.rather.long.%d:1|c" % number for number in range(50_000)))
    address = serve()
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(address)
        deaf.sendall(b"GET /api/v1/counters?limit=100000 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        began = time.monotonic()
        until(lambda: gone(deaf), "it is closed")
    assert time.monotonic() - began < module.LIFE + 20
    monkeypatch.undo()
    assert ask(address, "/health").status == 200


def gone(peer: socket.socket) -> bool:
    """Whether the other side has reset the connection; nothing is read."""
    try:
        peer.send(b"x")
    except OSError:
        return True
    return False


def test_who_comes_when_all_places_are_taken_is_told_so(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 2)
    address = serve()
    with ExitStack() as held:
        for _ in range(2):
            taken = http.client.HTTPConnection(*address, timeout=10)
            held.callback(taken.close)
            taken.request("GET", "/api/v1/health")
            assert taken.getresponse().read()
        answer = ask(address, "/health")
        assert code(answer) == (503, "unavailable")
        assert (answer.headers["connection"], answer.headers["retry-after"]) == ("close", "1")
    until(lambda: ask(address, "/health").status == 200, "a place is free")


def test_a_stream_lasts_while_its_token_is_known(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIFE", 0.1)
    file = TokenFile(tmp_path / "tokens.json")
    known = Tokens(file).known
    token = file.create("page", "read")
    file.create("other", "read")
    looked: list[int] = []

    def looking() -> Mapping[str, Token] | None:
        looked.append(1)
        return known()

    stream = http.client.HTTPConnection(*serve(Access(looking)), timeout=10)
    with closing(stream):
        stream.request("GET", "/api/v1/live", headers={"Authorization": f"Bearer {token}"})
        answer = stream.getresponse()
        assert answer.status == 200
        until(lambda: len(looked) > 3, "the server has looked again and again")
        file.revoke(["page"])
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            answer.read()


@pytest.mark.parametrize("rest", [b"x" * 4_000_000, b"x" * 100_000 + b"\r\n\r\n"], ids=["endless", "whole, at once"])
def test_a_long_head_is_refused(address: tuple[str, int], rest: bytes) -> None:
    with socket.create_connection(address, timeout=10) as peer:
        peer.sendall(b"GET /api/v1/health HTTP/1.1\r\nhost: 127.0.0.1\r\nx: " + rest)
        answer = b"".join(iter(lambda: peer.recv(1 << 16), b""))
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "bad_request"
    assert ask(address, "/health").status == 200
