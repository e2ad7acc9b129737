"""A real server answers what Graphite's clients ask: what was sent is found and rendered."""

from __future__ import annotations

import http.client
import json
import socket
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

import pytest

from nilometer.testing.serving import Serving
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SENT = b"web.one.hits:3|c\nweb.two.hits:4|c\nweb.one.wait:20|ms\ntagged.hits:1|c|#dc:east"
FORM = {"content-type": "application/x-www-form-urlencoded"}


class Answer(NamedTuple):
    status: int
    kind: str
    body: bytes


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("graphite-api")
    started = serving(folder, f"sqlite:///{folder}/test.db")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(SENT, started.address("udp"))
    until(lambda: "web" in names(started, "stats.counters.*"), "what was sent is in the store")
    until(lambda: len(known(started)) > 1, "two flushes are there, whose distance is the step")
    yield started
    started.kill()


def serving(folder: Path, sink: str) -> Serving:
    arguments = ("--listen=udp://127.0.0.1:0", "--flush-interval=1s", "--web-listen=http://127.0.0.1:0")
    return Serving(*arguments, state=folder / "state", sinks=[sink]).ready()


def ask(server: Serving, path: str, query: dict[str, str], method: str = "GET") -> Answer:
    text = urlencode(query)
    with closing(http.client.HTTPConnection(*server.interface("HTTP interface"), timeout=60)) as link:
        if method == "POST":
            link.request("POST", path, text, FORM)
        else:
            link.request("GET", f"{path}?{text}")
        answer = link.getresponse()
        return Answer(answer.status, answer.getheader("content-type", ""), answer.read())


def known(server: Serving) -> list[float]:
    (series,) = render(server, "stats.counters.web.one.hits.count")
    return [value for value, _ in series["datapoints"] if value is not None]


def names(server: Serving, pattern: str) -> list[str]:
    return [node["text"] for node in json.loads(ask(server, "/metrics/find", {"query": pattern}).body)]


def render(server: Serving, target: str, method: str = "GET", **more: str) -> Any:  # noqa: ANN401 JSON
    query = {"target": target, "from": "-2min", "format": "json", **more}
    answer = ask(server, "/render", query, method)
    assert answer.status == 200, answer
    return json.loads(answer.body)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_was_sent_is_rendered(server: Serving, method: str) -> None:
    (series,) = render(server, "alias(sumSeries(stats.counters.web.*.hits.count),'hits')", method)
    assert series["target"] == "hits"
    assert max(value for value, _ in series["datapoints"] if value is not None) == 7
    assert [time for _, time in series["datapoints"]] == list(
        range(series["datapoints"][0][1], series["datapoints"][-1][1] + 1)
    )
    few = render(server, "stats.counters.web.one.hits.count", method, maxDataPoints="5")
    assert len(few[0]["datapoints"]) <= 6


def test_tagged_series_are_rendered_and_told(server: Serving) -> None:
    found = render(server, "seriesByTag('dc=east','name=~.*count$')")
    assert [series["tags"]["dc"] for series in found] == ["east"]
    assert {"tag": "dc"} in json.loads(ask(server, "/tags", {}).body)
    assert json.loads(ask(server, "/tags/dc", {}).body)["values"] == [{"value": "east", "count": 2}]
    assert json.loads(ask(server, "/tags/autoComplete/values", {"tag": "dc"}, "POST").body) == ["east"]


def test_the_tree_is_walked(server: Serving) -> None:
    assert "stats" in names(server, "*")
    assert names(server, "stats.counters.web.*") == ["one", "two"]
    assert json.loads(ask(server, "/metrics/expand", {"query": "stats.timers.web.*.wait.mean"}, "POST").body) == {
        "results": ["stats.timers.web.one.wait.mean"]
    }


def test_a_chart_is_drawn(server: Serving) -> None:
    answer = ask(server, "/render", {"target": "stats.counters.web.*.hits.rate", "from": "-1min", "format": "svg"})
    assert (answer.status, answer.kind) == (200, "image/svg+xml")
    assert answer.body.startswith(b"<svg")


def test_an_editor_learns_the_functions(server: Serving) -> None:
    assert json.loads(ask(server, "/functions", {}).body)["sumSeries"]["group"] == "Combine"
    assert json.loads(ask(server, "/functions/scale", {}).body)["name"] == "scale"
    assert ask(server, "/version", {}).status == 200


@pytest.mark.parametrize(
    ("query", "status", "problem"),
    [
        ({"target": "sumSeries(", "format": "json"}, 400, b"cannot read the target"),
        ({"target": "nope(a)", "format": "json"}, 400, b"there is no function 'nope'"),
        ({"target": "timeFunction('t',1)", "from": "0", "format": "json"}, 400, b"more than 5000000 points"),
    ],
)
def test_errors_are_text(server: Serving, query: dict[str, str], status: int, problem: bytes) -> None:
    answer = ask(server, "/render", query)
    assert answer.status == status
    assert answer.kind.startswith("text/plain")
    assert problem in answer.body


def test_without_a_store_the_cure_is_told(tmp_path: Path) -> None:
    server = serving(tmp_path, "console://?format=json")
    try:
        answer = ask(server, "/metrics/find", {"query": "*"})
        assert answer.status == 503
        assert b"sqlite:///" in answer.body
    finally:
        server.kill()
