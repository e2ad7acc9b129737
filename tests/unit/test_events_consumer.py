"""One bus, taken from: the bus is one of this process, so that it can be away, and bring the same again, at will."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from nilometer.core.errors import InputError, Unavailable
from nilometer.core.event_types import EVERY, Registry
from nilometer.core.intake import consumer as module
from nilometer.core.intake.consumer import Consumer
from nilometer.core.intake.keeper import Keeper
from nilometer.core.intake.way import Way
from nilometer.core.losses import Losses
from nilometer.core.show import BURST
from nilometer.events.admission import Admission
from nilometer.events.storing import put_into
from nilometer.testing.event_bus import SourceInMemory, StoreInMemory, event
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nilometer.core.record import Event, Message

BUS = "nats://localhost"
ADMISSION = Admission(Registry(EVERY))


def decode(message: Message) -> Event:
    """Read a number as an event; stands for every format that there is."""
    if message.body == b"fault":
        message_ = "a fault of ours"
        raise KeyError(message_)
    if not message.body[:1].isdigit():
        wrong = f"{message.body[:20]!r} is no event"
        raise InputError(wrong)
    number, _, type_ = message.body.decode().partition(" ")
    found = event(number, type_ or "a", 1.0)
    ADMISSION.check(found)
    return found


class Set:
    """A consumer with all that is around it."""

    def __init__(self) -> None:
        self.source, self.store, self.losses = SourceInMemory(), StoreInMemory(), Losses()
        self.told: list[str] = []
        keeper = Keeper("x", put_into(self.store), self.losses, [lambda events: self.told.extend(each.id for each in events)])
        self.consumer = Consumer(Way(BUS, keeper), self.source, decode, self.losses)

    def lost(self, reason: str) -> int:
        return self.losses.totals()["event", reason]


@pytest.fixture
def begin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Set]]:
    monkeypatch.setattr(module, "FIRST", 0.01)
    monkeypatch.setattr(module, "LONGEST", 0.02)
    started: list[Set] = []

    def begin() -> Set:
        started.append(Set())
        started[-1].consumer.start()
        return started[-1]

    yield begin
    for each in started:
        each.consumer.close(10)


def test_events_are_stored_told_of_and_settled(begin: Callable[[], Set]) -> None:
    running = begin()
    running.source.send(b"1", b"2", b"1")
    until(lambda: len(running.source.settled) == 3, "all is settled")

    status = running.consumer.status()
    assert list(running.store.events) == running.told == ["1", "2"]
    assert (status.name, status.received, status.stored, status.duplicates) == (BUS, 3, 2, 1)
    assert status.lag is not None
    assert status.lag > 1e9
    assert (status.error, status.away_since) == ("", None)


def test_it_tells_since_when_and_up_to_when_all_is_kept(begin: Callable[[], Set]) -> None:
    running = begin()
    until(lambda: running.consumer.consumed() is not None, "the bus is heard")
    first = running.consumer.consumed()
    assert first is not None
    until(lambda: (span := running.consumer.consumed()) is not None and span.end > first.begin, "nothing waits there")
    running.source.away = Unavailable("away")
    until(lambda: running.consumer.consumed() is None, "it is away")
    running.store.away = "away"
    running.source.send(b"1")
    running.source.away = None
    until(lambda: running.consumer.consumed() is not None, "it is heard again")
    until(lambda: running.source.taken, "a message is taken")
    again = running.consumer.consumed()
    assert again is not None
    assert again.begin > first.begin
    assert again.end < again.begin, "it came, but is not kept"
    running.store.away = ""
    until(lambda: (span := running.consumer.consumed()) is not None and span.end >= again.begin, "it is kept")
    running.consumer.end()
    assert running.consumer.consumed() is None


def test_what_is_no_event_is_counted_shown_without_secrets_and_settled(
    begin: Callable[[], Set], caplog: pytest.LogCaptureFixture
) -> None:
    running = begin()
    secret = json.dumps(
        {"_context_auth_token": "s3cr3t", "user": "u", "headers": {"Authorization": "Bearer t0ps3cr3t"}}
    ).encode()
    running.source.send(b"bad\x1b[31m", b"7", secret, b"fault", b"x" * (module.LARGEST + 1))
    until(lambda: len(running.source.settled) == 5, "all is settled")

    assert list(running.store.events) == ["7"]
    assert running.lost("bad_message") == running.consumer.status().bad == 4
    assert f"{BUS}: a message on events.info is no event: b'bad\\x1b[31m' is no event: bad\\x1b[31m" in caplog.text
    assert "it has 4194305 bytes, more than 4194304" in caplog.text
    assert "KeyError" in caplog.text
    assert "s3cr3t" not in caplog.text
    assert '"user": "u"' in caplog.text


def test_a_flood_of_bad_messages_is_shown_in_part_and_counted_whole(
    begin: Callable[[], Set], caplog: pytest.LogCaptureFixture
) -> None:
    running = begin()
    running.source.send(*[b"bad"] * 1000)
    until(lambda: len(running.source.settled) == 1000, "all is settled")

    assert running.lost("bad_message") == 1000
    assert BURST <= caplog.text.count("is no event: b'bad'") < 100


def test_types_that_are_not_known_are_refused_when_that_is_asked_for(
    begin: Callable[[], Set], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ADMISSION, "refuse", True)
    running = begin()
    running.source.send(b"1 something.else", b"2 magnetodb.table.create.end")
    until(lambda: len(running.source.settled) == 2, "all is settled")

    assert list(running.store.events) == ["2"]
    assert (running.lost("unknown_type"), running.lost("bad_message")) == (1, 0)


def test_nothing_is_settled_while_the_store_is_away(begin: Callable[[], Set]) -> None:
    running = begin()
    running.store.away = "the database is away"
    running.source.send(b"1", b"2")
    until(lambda: len(running.source.taken) == 2, "both are taken")
    running.source.send(b"3")
    assert running.source.settled == []
    assert running.told == []

    running.store.away = ""
    until(lambda: len(running.source.settled) == 3, "all is settled")
    assert list(running.store.events) == running.told == ["1", "2", "3"]


def test_what_was_stored_and_not_settled_comes_again_and_is_known(begin: Callable[[], Set]) -> None:
    running = begin()
    running.source.send(b"1")
    until(lambda: running.source.settled, "it is settled")
    running.source.send(b"1")
    until(lambda: running.consumer.status().duplicates == 1, "it came again")
    assert running.told == ["1"]


def test_a_server_that_ends_while_the_store_is_away_settles_nothing(begin: Callable[[], Set]) -> None:
    running = begin()
    running.store.away = "the database is away"
    running.source.send(b"1")
    until(lambda: running.source.taken, "it is taken")
    running.consumer.close(10)

    assert (running.source.settled, running.source.closed) == ([], True)
    running.source.again()
    assert [message.body for message in running.source.waiting] == [b"1"]


@pytest.mark.parametrize(("error", "said"), [(Unavailable(f"{BUS}: refused"), f"{BUS}: refused"), (OSError("x"), "OSError: x")])
def test_a_source_that_is_away_is_told_of_once_and_asked_again(
    begin: Callable[[], Set], caplog: pytest.LogCaptureFixture, error: Exception, said: str
) -> None:
    running = begin()
    running.source.away = error
    until(lambda: running.consumer.status().error == said, "it is told")
    assert running.consumer.status().away_since is not None
    running.source.send(b"1")
    running.source.away = None
    until(lambda: running.source.settled, "events come again")

    assert running.consumer.status().error == ""
    assert caplog.text.count("no events come from there") == 1


def test_a_consumer_that_was_never_started_closes_its_source() -> None:
    made = Set()
    made.consumer.close(1)
    assert made.source.closed
