"""Events over HTTP: what is taken, in which forms, and what is said about what is not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from nilometer.core import url as urls
from nilometer.core.errors import UnknownType
from nilometer.core.wire import cloudevents
from nilometer.events.queued import Full
from nilometer.ingest._reference import ReferenceKernel
from nilometer.testing.asking import Answer, ask
from nilometer.testing.control import control
from nilometer.testing.event_bus import event
from nilometer.web.access import Access
from nilometer.web.app import application
from nilometer.web.events_in import MOST
from nilometer.web.parts import Parts
from nilometer.web.server import WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nilometer.core.record import Event

JSON = "application/json"


class Taking:
    """Stands for the queue: remembers what it is given, or refuses it."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.error: Exception | None = None
        self.address = ("", 0)

    def take(self, events: Sequence[Event]) -> None:
        if self.error is not None:
            raise self.error
        self.events += events

    def post(self, body: Any, content: str | None = JSON, **headers: str) -> Answer:  # noqa: ANN401 whatever JSON can hold
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {"content-type": content} if content is not None else {}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(self.address, "/events", "POST", headers=named | given, body=data)


@pytest.fixture(scope="module")
def server() -> Iterator[Taking]:
    found = Taking()
    web = WebServer(lambda: application(Parts(control(ReferenceKernel()), take_events=found.take), Access()))
    host, _, port = web.listen(urls.parse("http://127.0.0.1:0"))[0].rpartition(":")
    found.address = host, int(port)
    web.start()
    yield found
    web.stop()


@pytest.fixture
def taking(server: Taking) -> Taking:
    server.events, server.error = [], None
    return server


def test_one_event_and_a_list_of_them(taking: Taking) -> None:
    assert taking.post({"id": "1", "type": "a.b", "time": 5, "tenant": "acme", "payload": {"x": [1]}})[::2] == (
        202,
        {"accepted": 1},
    )
    assert taking.post([{"type": "c"}, {"type": "d"}], None)[::2] == (202, {"accepted": 2})
    assert taking.post([], "application/json; charset=utf-8").json == {"accepted": 0}

    first, second, third = taking.events
    assert (first.id, first.time, first.type, first.tenant, first.payload) == ("1", 5.0, "a.b", "acme", {"x": [1]})
    assert second.id != third.id
    assert second.time > 1e9


def test_the_same_body_twice_without_ids_is_two_events(taking: Taking) -> None:
    for _ in range(2):
        taking.post({"type": "a"})
    assert len({each.id for each in taking.events}) == 2


def test_cloudevents_in_every_mode(taking: Taking) -> None:
    one, two = event(1, time=5.0), event(2, time=6.0)
    binary = cloudevents.encode_binary(one)
    assert taking.post(cloudevents.encode(one), cloudevents.STRUCTURED).json == {"accepted": 1}
    assert taking.post(cloudevents.encode_batch([one, two]), cloudevents.BATCH).json == {"accepted": 2}
    assert taking.post(binary.body, binary.content_type, **binary.headers).json == {"accepted": 1}
    text = {"ce-specversion": "1.0", "ce-id": "3", "ce-source": "/x", "ce-type": "t"}
    assert taking.post(b"hello", "text/plain", **text).json == {"accepted": 1}

    assert [each.id for each in taking.events] == ["1", "1", "2", "1", "3"]
    assert taking.events[0] == taking.events[1] == taking.events[3] == one
    assert taking.events[4].payload == {"data": "hello"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"\xff", "UTF-8"),
        (b"[" * 100_000, "deep"),
        ({"type": "a", "prioritty": "info"}, "'prioritty'; did you mean 'priority'"),
        ({"payload": {}}, "payload"),
        ([{"type": "a"}, {"type": ""}], "number 1 of the list: an event needs type"),
        ([{"type": "a", "time": "soon"}], "number 0 of the list"),
        ([{"type": "a"}] * (MOST + 1), f"{MOST + 1} events are more than the {MOST} of one request"),
        (7, "number"),
    ],
)
def test_a_wrong_body_is_told_with_the_event_that_is_wrong(taking: Taking, body: Any, words: str) -> None:  # noqa: ANN401 whatever JSON can hold
    answer = taking.post(body)
    assert (answer.status, answer.json["error"]["code"]) == (400, "bad_request")
    assert words in answer.json["error"]["message"]
    assert taking.events == []


def test_a_batch_of_cloudevents_names_the_wrong_one(taking: Taking) -> None:
    answer = taking.post(
        [{"specversion": "1.0", "id": "1", "source": "/x", "type": "t"}, {"specversion": "0.3"}], cloudevents.BATCH
    )
    assert answer.status == 400
    assert "number 1" in answer.json["error"]["message"]


def test_a_type_that_is_refused_is_the_senders_fault(taking: Taking) -> None:
    taking.error = UnknownType("event 0: type 'x' is not known")
    answer = taking.post({"type": "x"})
    assert (answer.status, answer.json["error"]["message"]) == (400, "event 0: type 'x' is not known")


def test_a_full_queue_is_told_as_503(taking: Taking) -> None:
    taking.error = Full("10 events wait for the store; try again later")
    answer = taking.post({"type": "x"})
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert answer.json["error"]["message"] == "10 events wait for the store; try again later"


def test_another_content_is_not_supported(taking: Taking) -> None:
    answer = taking.post(b"type=x", "application/x-www-form-urlencoded")
    assert (answer.status, answer.json["error"]["code"]) == (415, "unsupported_media_type")
    assert "application/cloudevents+json" in answer.json["error"]["message"]


def test_a_body_that_is_too_long_is_refused_while_it_is_read(taking: Taking) -> None:
    assert taking.post({"type": "x", "payload": {"x": "x" * (1 << 20)}}).status == 413


def test_a_server_that_takes_no_events_says_so() -> None:
    web = WebServer(lambda: application(Parts(control(ReferenceKernel())), Access()))
    host, _, port = web.listen(urls.parse("http://127.0.0.1:0"))[0].rpartition(":")
    web.start()
    try:
        answer = ask((host, int(port)), "/events", "POST", body=b"{}")
    finally:
        web.stop()
    assert answer.status == 503
    assert "takes no events" in answer.json["error"]["message"]
