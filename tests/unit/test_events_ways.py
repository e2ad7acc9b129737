"""Ways in with a queue, sources that a reload exchanges, and what becomes of old events."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import registry
from nilometer.core.errors import CapabilityError, UnknownType
from nilometer.core.event_types import EVERY, Lines, Registry
from nilometer.core.events import EVENTS, EventWorker
from nilometer.core.intake.keeper import Keeper
from nilometer.core.intake.sources import Sources
from nilometer.core.losses import Losses
from nilometer.core.retention import Retention
from nilometer.core.spool import SpoolOf
from nilometer.core.url import parse
from nilometer.events.admission import Admission
from nilometer.events.moves import Moves
from nilometer.events.queued import Full, QueuedWay
from nilometer.events.storing import put_into
from nilometer.events.watchers import Watchers
from nilometer.testing.clock import ManualClock
from nilometer.testing.event_bus import SourceInMemory, StoreInMemory, event
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nilometer.core.capability import EventSink
    from nilometer.core.events import EventSpool
    from nilometer.core.record import Event
    from nilometer.core.url import Url


def way(store: StoreInMemory, folder: Path, losses: Losses, most: int = 10) -> QueuedWay:
    def spool() -> EventSpool:
        return SpoolOf(folder, EVENTS, size=1 << 20, age=3600, losses=losses)

    def work(sink: EventSink) -> EventWorker:
        return EventWorker("events from http", sink, losses, spool=spool, most=most)

    return QueuedWay("http", Keeper("x", put_into(store), losses), [], work=work, most=most)


def test_a_full_queue_takes_nothing_of_what_is_offered(tmp_path: Path) -> None:
    store, losses = StoreInMemory(), Losses()
    store.away = "away"
    http = way(store, tmp_path, losses)
    http.offer([event(number) for number in range(8)])
    with pytest.raises(Full, match="8 events wait for the store; try again later"):
        http.offer([event(8), event(9), event(10)])
    http.offer([event(8), event(9)])
    assert (http.status().received, http.status().waiting) == (10, 10)

    store.away = ""
    until(lambda: len(store.events) == 10, "all is stored")
    until(lambda: http.status().waiting == 0, "nothing waits")
    http.offer([event(11)])
    http.close(10)
    assert (len(store.events), sum(losses.totals().values())) == (11, 0)
    with pytest.raises(Full, match="the server ends"):
        http.offer([event(12)])
    http.close(10)


def test_what_waits_at_the_end_is_stored_by_the_next_server(tmp_path: Path) -> None:
    store, losses = StoreInMemory(), Losses()
    store.away = "away"
    http = way(store, tmp_path, losses)
    http.put([event(1), event(2)])
    http.close(0.2)
    assert store.events == {}

    store.away = ""
    after = way(store, tmp_path, losses)
    until(lambda: len(store.events) == 2, "what waited is stored")
    assert after.status().stored == 2
    after.close(10)
    assert sum(losses.totals().values()) == 0


class Opened:
    """What sources the registry was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sources: dict[str, SourceInMemory] = {}
        monkeypatch.setattr(registry, "open", self.open)

    def source(self, url: Url) -> SourceInMemory:
        return registry.open(url, registry.MESSAGES)  # type: ignore[return-value]  # it is `open`

    def open(self, url: Url, capability: str) -> SourceInMemory:
        if url.scheme == "null":
            return registry.check(url, capability)  # type: ignore[return-value]  # it raises
        self.sources[url.reveal()] = SourceInMemory()
        return self.sources[url.reveal()]


def test_a_reload_ends_sources_that_are_gone_and_begins_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Opened(monkeypatch)
    sources = Sources(
        Keeper("x", put_into(StoreInMemory()), Losses()),
        lambda message: event(message.body.decode()),
        Losses(),
        open_source=opened.source,
    )
    one, two, three = (f"nats://u:secret@host?subject={name}" for name in "abc")
    sources.change(sources.prepare([parse(one), parse(two)]), 10)
    kept = opened.sources[two]
    sources.change(sources.prepare([parse(two), parse(three)]), 10)

    assert opened.sources[one].closed
    assert opened.sources[two] is kept
    assert sorted(status.name for status in sources.statuses()) == ["nats://u:***@host", "nats://u:***@host 2"]
    opened.sources[three].send(b"1")
    until(lambda: opened.sources[three].settled, "the new one is taken from")
    sources.close(10)
    assert opened.sources[two].closed
    assert opened.sources[three].closed
    assert sources.statuses() == []


def test_a_wrong_source_is_refused_and_the_others_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Opened(monkeypatch)
    sources = Sources(
        Keeper("x", put_into(StoreInMemory()), Losses()),
        lambda message: event(message.body.decode()),
        Losses(),
        open_source=opened.source,
    )
    with pytest.raises(CapabilityError, match="null:// has no messages"):
        sources.prepare([parse("nats://host"), parse("null://")])
    assert opened.sources["nats://host"].closed


def test_old_events_are_deleted_in_parts_with_a_pause_between(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    store, clock = StoreInMemory(), ManualClock()
    store.write_events([event(number, time=clock.time() - number * 10) for number in range(10)])
    retention = Retention("events", store.drop_events, lambda: 45.0, lambda: True, clock)
    retention.start()
    clock.until_waiting()
    clock.advance(30)
    for waits in (2, 3, 4, 5):
        clock.until_waiting(waits)
        clock.advance(1)
    until(lambda: "events that were too old are deleted" in caplog.text, "it is done")
    retention.close()
    assert sorted(store.events) == ["0", "1"]
    assert clock.waits[:5] == [30.0, 0.2, 0.2, 0.2, 0.2]


@pytest.mark.parametrize(("seconds", "worth"), [(0.0, True), (1.0, False)])
def test_events_stay_where_they_are_kept_for_ever_and_no_store_is_made_for_nothing(seconds: float, *, worth: bool) -> None:
    asked = threading.Event()
    store, clock = StoreInMemory(), ManualClock()
    store.write_events([event(1, time=0.0)])

    def kept() -> float:
        asked.set()
        return seconds

    retention = Retention("events", store.drop_events, kept, lambda: worth, clock)
    retention.start()
    clock.until_waiting()
    clock.advance(30)
    assert asked.wait(10)
    clock.until_waiting(2)
    retention.close()
    assert list(store.events) == ["1"]


def test_a_store_that_is_away_is_asked_again_at_the_next_look() -> None:
    store, clock = StoreInMemory(), ManualClock()
    store.write_events([event(1, time=0.0)])
    store.away = "away"
    retention = Retention("events", store.drop_events, lambda: 1.0, lambda: True, clock)
    retention.start()
    clock.until_waiting()
    clock.advance(30)
    clock.until_waiting(2)
    store.away = ""
    clock.advance(600)
    until(lambda: not store.events, "it is deleted at the next look")
    retention.close()


def test_events_become_lines_while_that_is_wanted() -> None:
    fed: list[bytes] = []
    moves = Moves(Lines(Registry(EVERY)), fed.append)
    moves.tell([event(1), event(2, "other thing")])
    moves.wanted = False
    moves.tell([event(3)])
    assert fed == [b"events.magnetodb.table.create.end:1|c|#tenant:acme\nevents.other_thing:1|c|#tenant:acme"]


def test_who_refuses_a_type_says_which_event_it_was() -> None:
    admission = Admission(Registry(EVERY))
    admission.check_all([event(1, "x.y")])
    admission.refuse = True
    with pytest.raises(UnknownType, match=r"event 1: type 'x\.y' is not known"):
        admission.check_all([event(1), event(2, "x.y")])


def test_a_fault_in_who_watches_keeps_nothing_from_the_others(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[Sequence[Event]] = []

    def fail(_: Sequence[Event]) -> None:
        message = "a fault"
        raise RuntimeError(message)

    watchers = Watchers()
    end = watchers.watch(fail)
    watchers.watch(seen.append)
    watchers.tell([event(1)])
    end()
    watchers.tell([event(2)])
    assert [[each.id for each in events] for events in seen] == [["1"], ["2"]]
    assert caplog.text.count("who watches events failed") == 1
