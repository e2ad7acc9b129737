"""Events over HTTP: found, told one by one, counted, followed; what is wrong is said in words."""

from __future__ import annotations

import csv
import http.client
import json
import subprocess
import time
from contextlib import closing
from io import StringIO
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest

from nilometer.testing.asking import ask
from nilometer.testing.serving import PROGRAM, Serving
from nilometer.testing.waiting import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import Iterator

Address = tuple[str, int]
NOW = int(time.time())
EVENTS = [
    {
        "id": f"e/{number} ü",
        "time": NOW - 100 + number,
        "type": ("table.create.end", "table.delete.error", "scan")[number % 3],
        "priority": ("info", "error")[number % 2],
        "tenant": f"t{number % 2}",
        "publisher": "magnetodb.host1",
        "payload": {"table_name": f"Thread {number}", "größe": [1, None, 0.5]},
        "context": {"request_id": "r"},
    }
    for number in range(12)
]
NEWEST_FIRST = EVENTS[::-1]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    state = tmp_path_factory.mktemp("state")
    server = Serving("--listen=udp://127.0.0.1:0", "--web-listen=http://127.0.0.1:0", state=state, sinks=[])
    try:
        found = server.ready().interface("HTTP interface")
        post(found, EVENTS)
        until(lambda: len(find(found, limit=1000)["events"]) == len(EVENTS), "the events are stored")
        yield found
        assert not [line for line in server.log if "Traceback" in line]
    finally:
        server.kill()


def post(address: Address, events: list[dict[str, Any]]) -> None:
    body = json.dumps(events).encode()
    assert ask(address, "/events", "POST", headers={"content-type": "application/json"}, body=body).status == 202


def find(address: Address, path: str = "/events", **parameters: str | int) -> Any:  # noqa: ANN401 whatever JSON there is
    answer = ask(address, f"{path}?{urlencode(parameters)}")
    assert answer.status == 200, answer.json
    return answer.json


@pytest.mark.parametrize(
    ("parameters", "wanted"),
    [
        ({}, NEWEST_FIRST),
        ({"type": "table.*"}, [each for each in NEWEST_FIRST if each["type"] != "scan"]),
        ({"type": "*.error", "tenant": "t1"}, [each for each in NEWEST_FIRST if each["id"] in ("e/1 ü", "e/7 ü")]),
        ({"priority": "error", "publisher": "magnetodb.host1"}, [each for each in NEWEST_FIRST if each["tenant"] == "t1"]),
        ({"text": '"Thread 1'}, [NEWEST_FIRST[index] for index in (0, 1, 10)]),
        ({"since": NOW - 92, "until": NOW - 90}, NEWEST_FIRST[2:4]),
        ({"since": "-1h", "until": "-2h"}, []),
        ({"publisher": "nobody"}, []),
    ],
)
def test_events_are_found_whole_newest_first(address: Address, parameters: dict[str, Any], wanted: list[object]) -> None:
    assert find(address, **parameters) == {"events": wanted, "cursor": None}


def test_pages_follow_each_other(address: Address) -> None:
    found: list[object] = []
    cursor = ""
    while cursor is not None:
        page = find(address, limit=5, cursor=cursor)
        assert 1 <= len(page["events"]) <= 5
        found, cursor = found + page["events"], page["cursor"]
    assert found == NEWEST_FIRST


def test_one_event_is_told_by_its_id(address: Address) -> None:
    assert ask(address, f"/events/{quote('e/3 ü', safe='')}").json == EVENTS[3]
    answer = ask(address, "/events/nobody")
    assert (answer.status, answer.json["error"]["message"]) == (404, "there is no event 'nobody'")


def test_events_are_counted_over_time(address: Address) -> None:
    begin = (NOW - 100) // 60 * 60
    found = find(address, "/events/counts", by="type", step=60, most=2, since=begin)
    assert (found["by"], found["step"]) == ("type", 60)
    totals: dict[str, int] = {}
    for each in found["counts"]:
        assert each["time"] % 60 == 0
        totals[each["key"]] = totals.get(each["key"], 0) + each["count"]
    assert totals == {"scan": 4, "table.create.end": 4, "": 4}
    assert sum(each["count"] for each in find(address, "/events/counts", by="tenant", tenant="t0")["counts"]) == 6


def text(address: Address, path: str) -> tuple[str, str]:
    with closing(http.client.HTTPConnection(*address, timeout=PATIENCE)) as connection:
        connection.request("GET", f"/api/v1{path}")
        answer = connection.getresponse()
        return answer.getheader("content-type", ""), answer.read().decode()


def test_events_and_counts_come_as_csv(address: Address) -> None:
    kind, body = text(address, "/events?format=csv&limit=2")
    rows = list(csv.DictReader(StringIO(body)))
    assert kind == "text/csv; charset=utf-8"
    assert [row["id"] for row in rows] == ["e/11 ü", "e/10 ü"]
    assert json.loads(rows[0]["payload"]) == EVENTS[11]["payload"]
    _, body = text(address, "/events/counts?format=csv&by=priority&step=86400")
    assert {row["key"] for row in csv.DictReader(StringIO(body))} == {"info", "error"}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/events?limit=0", "limit: "),
        ("/events?limit=1001", "limit: "),
        ("/events?cursor=zz", "cursor is none that was given"),
        ("/events?since=soon", "'soon' is no time"),
        ("/events?priority=loud", "priority: "),
        (f"/events?type={'x' * 1001}", "type: "),
        (f"/events?text={'x' * 1001}", "text: "),
        ("/events?format=svg", "format: "),
        ("/events/counts?by=id", "by: "),
        ("/events/counts?step=1&since=-7d", "makes more than 2000 slots"),
        ("/events/counts?most=101", "most: "),
    ],
)
def test_what_is_wrong_is_said(address: Address, path: str, message: str) -> None:
    answer = ask(address, path)
    assert answer.status == 400
    assert message in answer.json["error"]["message"]


def test_new_events_are_followed_with_filters(address: Address) -> None:
    with closing(http.client.HTTPConnection(*address, timeout=PATIENCE)) as connection:
        connection.request("GET", "/api/v1/events/live?type=live.*&priority=error")
        answer = connection.getresponse()
        assert answer.getheader("content-type", "").startswith("text/event-stream")
        assert answer.readline().startswith(b":")
        wanted = {"id": "live-1", "type": "live.one", "priority": "error", "payload": {"a": 1}}
        post(address, [{"id": "live-0", "type": "live.one"}, wanted, {"id": "live-2", "type": "dead", "priority": "error"}])
        lines = [answer.readline().strip() for _ in range(3)]
        assert lines[:2] == [b"", b"event: event"]
        told = json.loads(lines[2].removeprefix(b"data: "))
        assert told["id"] == "live-1"
        assert told == ask(address, "/events/live-1").json


def test_the_command_follows_what_another_sends(address: Address) -> None:
    url = f"http://{address[0]}:{address[1]}"
    tail = subprocess.Popen(
        [*PROGRAM, "events", "tail", url, "--json", "--last", "1", "--type", "told.*"], stdout=subprocess.PIPE
    )
    try:
        assert tail.stdout is not None
        post(address, [{"id": "told-0", "type": "told.before"}])
        assert json.loads(tail.stdout.readline())["id"] == "told-0"
        arguments = ["send", "told.after", "--payload", '{"ü": 1}', "--to", url]
        done = subprocess.run([*PROGRAM, "events", *arguments], capture_output=True, text=True, check=True)
        told = json.loads(tail.stdout.readline())
        assert (told["id"], told["payload"]) == (done.stdout.strip(), {"ü": 1})
    finally:
        tail.kill()
        tail.communicate()
