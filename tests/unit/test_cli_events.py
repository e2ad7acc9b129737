"""``nilometer events``: what is found and how it is shown, what is sent, how a server that goes away is followed on."""

from __future__ import annotations

import csv
import io
import itertools
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from nilometer.backends import memory, registry
from nilometer.cli.events import places
from nilometer.cli.events.places import Seen, Served, Stored
from nilometer.cli.events.shown import as_line_of_json, line
from nilometer.cli.link import Access, Answer
from nilometer.cli.main import main
from nilometer.cli.moment import Moment
from nilometer.core.errors import Unavailable
from nilometer.core.event_query import EventQuery
from nilometer.core.record import Event
from nilometer.events.reading import as_json
from nilometer.testing.event_examples import several

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STORE = "memory://cli-events"


@pytest.fixture
def store() -> Iterator[str]:
    memory.forget("cli-events")
    with_events = registry.open(STORE, registry.EVENT_STORE)
    with_events.write_events([*several(3), *several(2, "scan")])
    yield STORE
    memory.forget("cli-events")


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(["events", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


# -- search ------------------------------------------------------------------------------------------------------------


def test_search_prints_the_newest_first_a_line_each(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(capsys, "search", "--store", store, "--type", "table.*")
    assert [text.split()[2] for text in found] == ["table.create.end"] * 3
    assert found[0].startswith("2023-11-14T22:13:22.250Z info     table.create.end tenant=tenant0 publisher=magnetodb.host2 {")
    assert printed(capsys, "search", "--store", store, "--tenant", "tenant1", "--priority", "debug", "--text", "rows") == [
        *printed(capsys, "search", "--store", store, "--publisher", "magnetodb.host1")
    ]


def test_search_pages_until_the_limit(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(printed(capsys, "search", "--store", store, "--limit", "4")) == 4
    assert len(printed(capsys, "search", "--store", store, "--limit", "0")) == 5


def test_search_prints_json_and_csv(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(capsys, "search", "--store", store, "--json", "--limit", "1")
    assert json.loads(found[0])["payload"] == several(3)[2].payload
    rows = list(csv.DictReader(io.StringIO("\n".join(printed(capsys, "search", "--store", store, "--csv", "--type", "scan")))))
    assert [row["id"] for row in rows] == ["scan-1", "scan-0"]


def test_search_says_when_nothing_fits(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["events", "search", "--store", store, "--since", "2h"]) == 0
    assert capsys.readouterr() == ("", "nilometer: nothing fits\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("search", "--since", "soon"), "is no time"),
        (("search", "--priority", "eror"), "did you mean 'error'"),
        (("search", "--store", "graphite://localhost"), "has no event store"),
        (("search", "ftp://there"), "expected a URL such as"),
        (("tail", "--last", "5000"), "0<=x<=1000"),
        (("send", ""), "an event needs type"),
        (("send", "a", "--payload", "[1]"), "nothing sent: a list where an object is wanted"),
        (("send", "a", "--payload", "{"), "nothing sent: no JSON"),
        (("send", "a", "--payload", "@/nowhere"), "--payload: /nowhere cannot be read"),
        (("send", "a", "--to", "graphite://localhost"), "has no events"),
    ],
)
def test_wrong_use_is_said(arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["events", *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("command", ["search", "tail"])
def test_a_server_that_is_away_is_a_failure(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["events", command, "http://127.0.0.1:1"]) == 1
    assert "http://127.0.0.1:1/api/v1/events" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "ago"),
    [("2h", 7200), ("5m", 300), ("1d", 86_400), ("-10min", 600), ("1w", 7 * 86_400), ("2h30min", 9000), ("now", 0)],
)
def test_times_may_be_so_long_ago(text: str, ago: int) -> None:
    assert time.time() - Moment().convert(text, None, None) == pytest.approx(ago, abs=60)


def test_times_may_be_dates_and_seconds() -> None:
    assert Moment().convert("2023-11-14T22:13:20Z", None, None) == 1_700_000_000
    assert Moment().convert("1700000000", None, None) == 1_700_000_000


# -- shown -------------------------------------------------------------------------------------------------------------


def test_no_control_character_reaches_the_terminal() -> None:
    event = Event("a", 1.0, "x\x1b[31m\u202e", tenant="\x9b", payload={"a": "\x1b\x9b\n"})
    for text in (line(event), as_line_of_json(event)):
        assert text.isprintable()
    assert json.loads(as_line_of_json(event))["payload"] == event.payload


def test_a_line_is_cut_and_coloured() -> None:
    event = Event("a", 1_700_000_000.0, "x", priority="error", payload={"a": "b" * 200})
    assert line(event, 40) == '\x1b[31m2023-11-14T22:13:20.000Z error    x {"a…\x1b[0m'
    assert len(line(event)) > 200


# -- send --------------------------------------------------------------------------------------------------------------


def test_an_event_is_sent_to_a_backend(store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "payload.json"
    file.write_text('{"größe": 1}')
    found = printed(capsys, "send", "a.b", "--payload", f"@{file}", "--priority", "error", "--tenant", "t", "--to", store)
    (event,) = registry.open(store, registry.EVENT_STORE).find_events(EventQuery(id=found[0])).events
    assert (event.type, event.priority, event.tenant, event.payload) == ("a.b", "error", "t", {"größe": 1})
    assert abs(time.time() - event.time) < 60
    assert printed(capsys, "send", "a.b", "--id", "own", "--to", store) == ["own"]


# -- follow ------------------------------------------------------------------------------------------------------------


class Server:
    """Stands for a server: its store, what it streams before it breaks the connection, and what came to be asked."""

    url = "http://there"

    def __init__(self, *streams: list[Event]) -> None:
        self.events: list[Event] = []
        self.streams = iter(streams)

    def lines(self, path: str, silence: float) -> Iterator[bytes | Answer]:
        del path, silence
        stream = next(self.streams, None)
        if stream is None:
            message = "refused"
            raise Unavailable(message)
        yield b": here\n"
        for event in stream:
            yield from (b"event: event\n", b"data: " + as_json(event) + b"\n", b"\n")
        message = "broken"
        raise Unavailable(message)

    def send(self, method: str, path: str, body: object = None) -> Answer:
        del method, path, body
        events = sorted(self.events, key=lambda event: -event.time)
        return Answer(200, b'{"events":[' + b",".join(map(as_json, events)) + b'],"cursor":null}')


@pytest.fixture
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hurried:
        def time(self) -> float:
            return time.time()

        def wait(self, *_: object) -> bool:
            return False

    monkeypatch.setattr(places, "SYSTEM", Hurried())


def served(server: Server, told: list[str]) -> Served:
    made = Served("http://there", Access(), told.append)
    made._link = server  # type: ignore[assignment]  # stands for it
    return made


@pytest.mark.usefixtures("no_wait")
def test_what_came_while_a_server_was_away_is_given_once() -> None:
    now = time.time()
    events = [Event(str(number), now + number, "a") for number in range(8)]
    server, told = Server([events[2], events[3]], [events[6]]), list[str]()
    server.events = events[:2]
    follow = served(server, told).follow(EventQuery(), 10)
    assert [next(follow).id for _ in range(4)] == ["0", "1", "2", "3"]
    server.events = events[:6]
    assert [next(follow).id for _ in range(3)] == ["4", "5", "6"]
    assert told == ["broken; asking again"]


@pytest.mark.usefixtures("no_wait")
def test_a_server_that_never_answered_is_not_waited_for() -> None:
    with pytest.raises(Unavailable, match="refused"):
        next(served(Server(), []).follow(EventQuery(), 10))


def test_what_is_no_nilometer_is_said() -> None:
    class Odd(Server):
        def lines(self, path: str, silence: float) -> Iterator[bytes | Answer]:
            del path, silence
            yield Answer(404, b'{"error": {"message": "there is no such thing"}}')

        def send(self, method: str, path: str, body: object = None) -> Answer:
            del method, path, body
            return Answer(200, b'{"events": [{"id": 5}], "cursor": null}')

    with pytest.raises(Unavailable, match="404: there is no such thing"):
        next(served(Odd(), []).follow(EventQuery(), 10))
    with pytest.raises(Unavailable, match="what answers is no Nilometer"):
        served(Odd(), []).page(EventQuery(), 10, "")


@pytest.mark.usefixtures("no_wait")
def test_a_store_is_followed(store: str) -> None:
    follow = Stored(store).follow(EventQuery(type="table.*"), 2)
    assert [next(follow).id for _ in range(2)] == ["table.create.end-1", "table.create.end-2"]
    sink: Any = registry.open(store, registry.EVENTS)
    late = Event("late", several(3)[2].time - 5, "table.late")
    sink.write_events([late, Event("other", late.time + 60, "scan"), Event("new", late.time + 60, "table.new")])
    assert [next(follow).id for _ in range(2)] == ["late", "new"]


def test_no_more_is_remembered_than_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "REMEMBERED", 10)
    seen = Seen()
    for number in itertools.islice(itertools.count(), 100):
        assert list(seen.new([Event(str(number), 1.0, "a")]))
    assert len(seen._ids) == len(seen._order) == 10


def test_help_is_quick_and_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("tail", "search", "send"):
        assert main(["events", name, "--help"]) == 0
        said = capsys.readouterr().out
        assert "Examples:" in said
        assert "Exit codes:" in said
