"""What is sent can be found, read and followed over HTTP, within a flush."""

from __future__ import annotations

import http.client
import json
import socket
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import pytest

from nilometer.testing.asking import ask
from nilometer.testing.serving import Serving
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HITS = "stats.counters.shop.hits.count"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    started = Serving(
        "--listen=udp://127.0.0.1:0",
        "--flush-interval=1s",
        "--web-listen=http://127.0.0.1:0",
        state=tmp_path / "state",
        sinks=[f"sqlite:///{tmp_path}/test.db"],
    )
    yield started.ready()
    started.kill()


def send(server: Serving, line: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(line, server.address("udp"))


def found(server: Serving, query: str) -> list[str]:
    answer = ask(server.interface("HTTP interface"), f"/series?{query}")
    return [each["path"] for each in answer.json["series"]]


def text(server: Serving, path: str) -> tuple[str, str]:
    with closing(http.client.HTTPConnection(*server.interface("HTTP interface"), timeout=30)) as link:
        link.request("GET", f"/api/v1{path}")
        answer = link.getresponse()
        return answer.getheader("content-type", ""), answer.read().decode()


def test_what_was_sent_is_found_and_read(server: Serving) -> None:
    address = server.interface("HTTP interface")
    send(server, b"shop.hits:3|c\nshop.wait:5|ms|#dc:east")
    until(lambda: HITS in found(server, "match=*shop*"), "the counter is in the store")

    assert found(server, "match=*shop.hits*&limit=1") == [HITS]
    assert all(path.endswith(";dc=east") for path in found(server, "match=*&tag=dc%3Deast"))
    first = ask(address, "/series?limit=1").json
    second = ask(address, f"/series?limit=1&cursor={first['next']}").json
    assert first["series"][0]["path"] < second["series"][0]["path"]
    assert {ask(address, f"/series?cursor={spoiled}").status for spoiled in ("!!!", "zzzz", "%00", "_w")} == {400}

    def row() -> dict[str, Any]:
        return dict(ask(address, f"/series/data?path={HITS}&from=-1min").json["series"][0])

    until(lambda: row()["step"] == 1, "two points, which tell their distance", told=lambda: str(row()))
    assert 3 in row()["values"]
    kind, table = text(server, f"/series/data?path={HITS}&from=-1min&format=csv")
    assert kind.startswith("text/csv")
    assert any(line.startswith(f"{HITS},") and line.endswith(",3.0") for line in table.splitlines())
    kind, chart = text(server, f"/series/data?path={HITS}&from=-1min&format=svg&title=hits")
    assert (kind, chart[:4]) == ("image/svg+xml", "<svg")


REFUSED = {
    "": "path: ",
    "path=a&from=whenever": "'whenever' is no time",
    "path=a&from=now&until=-1h": "until lies before from",
    "path=a&from=0&step=1": "more than 1000000 values",
    "path=a&aggregate=median": "aggregate: ",
    "path=a&format=xls": "format: ",
}


def test_what_cannot_be_answered_is_refused(server: Serving) -> None:
    for query, message in REFUSED.items():
        answer = ask(server.interface("HTTP interface"), f"/series/data?{query}")
        assert answer.status == 400
        assert message in answer.json["error"]["message"]


def events(answer: http.client.HTTPResponse, count: int) -> list[dict[str, Any]]:
    """Return so many events of a stream."""
    read = list[dict[str, Any]]()
    while len(read) < count:
        line = answer.readline()
        assert line, "the stream has ended"
        if line.startswith(b"data: "):
            read.append(json.loads(line.removeprefix(b"data: ")))
    return read


def test_whoever_follows_sees_each_flush_and_ingest_goes_on(server: Serving) -> None:
    with ExitStack() as links:
        streams = []
        for _ in range(50):
            link = http.client.HTTPConnection(*server.interface("HTTP interface"), timeout=30)
            links.callback(link.close)
            link.request("GET", f"/api/v1/live?path={HITS}")
            streams.append(link.getresponse())
        assert {stream.status for stream in streams} == {200}
        send(server, b"shop.hits:7|c")
        for stream in streams:
            while not (event := events(stream, 1)[0])["values"].get(HITS):
                pass
            assert (event["values"], event["interval"]) == ({HITS: 7}, 1)
            assert event["time"] <= time.time()
        assert server.stop() == 0


def test_without_a_store_the_cure_is_told(tmp_path: Path) -> None:
    server = Serving("--listen=udp://127.0.0.1:0", "--web-listen=http://127.0.0.1:0", state=tmp_path / "state")
    try:
        answer = ask(server.ready().interface("HTTP interface"), "/series")
        assert (answer.status, answer.json["error"]["code"]) == (503, "unavailable")
        assert "sqlite://" in answer.json["error"]["message"]
    finally:
        server.kill()
