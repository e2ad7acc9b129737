"""Statistics moved on through the inbox of a real store: every message once for each, whatever fails and whenever."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

import pytest

from nilometer.backends import registry
from nilometer.core.losses import Losses
from nilometer.core.statistics import Add, Kind, Latest, Member, RowQuery, Sample, State
from nilometer.statistics.kinds import Count, Distinct, Distribution, LatestByKey
from nilometer.statistics.runner import Runner
from nilometer.statistics.upkeep import Upkeep
from nilometer.testing.clock import ManualClock
from nilometer.testing.statistics_store import START, event
from nilometer.testing.waiting import PATIENCE, until

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from nilometer.core.capability import StatisticsStore
    from nilometer.core.statistics import Message
    from nilometer.statistics.plugin import Plugin


class ByTopic(Count):
    name, summary, description = "by topic", "s", "d"
    windows = ("1m", "1d")
    keys = ("topic",)

    def key(self, message: Message) -> str:
        return message.topic


class All(Count):
    name, summary, description = "all", "s", "d"
    windows = ("1d",)


class Fragile(Count):
    """Raises at one message, as long as it is not mended."""

    name, summary, description = "fragile", "s", "d"
    windows = ("1d",)
    broken: ClassVar[bool] = True

    def process(self, message: Message) -> Iterable[Add]:
        if message.id == "id-3" and self.broken:
            reason = "no such thing"
            raise KeyError(reason)
        return super().process(message)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StatisticsStore]:
    with contextlib.closing(registry.open(f"sqlite:///{tmp_path / 's.db'}", registry.STATISTICS)) as found:
        yield found


class Hurried(ManualClock):
    """A clock on which nobody waits."""

    def wait(self, event: threading.Event, seconds: float | None) -> bool:
        del seconds
        return event.is_set()


class Ticking(Hurried):
    """A clock that is 0.02 s further on each time that it is looked at, and knows for how long it would have been waited."""

    def monotonic(self) -> float:
        self.advance(0.02)
        return super().monotonic()

    def wait(self, event: threading.Event, seconds: float | None) -> bool:
        self.waits.append(seconds)
        return super().wait(event, seconds)


class Running:
    """A runner that moves when it is told to, and what it told."""

    def __init__(self, store: StatisticsStore, *plugins: Plugin) -> None:
        self.told: set[str] = set()
        self.statistics = [each for plugin in plugins for each in plugin.statistics()]
        self.store, self.runner = store, Runner(store, self.statistics, self.told.update, ManualClock(START))

    def on(self) -> Running:
        while self.runner.step():
            pass
        return self

    def total(self, ident: str) -> float:
        return sum(row.value for row in self.store.find_rows(ident, RowQuery(), 9999).rows)

    def state(self, ident: str) -> tuple[State, int]:
        found = self.runner.progress()[ident]
        return found.state, found.offset


def feed(store: StatisticsStore, numbers: Sequence[int], **changes: object) -> None:
    store.take_in([event(number, **changes) for number in numbers], arrived=START, source="bus")


def test_every_message_counts_once_for_each_statistic_over_restarts(store: StatisticsStore) -> None:
    feed(store, range(7))
    Running(store, All()).on()
    feed(store, range(5, 12))
    running = Running(store, All(), ByTopic()).on()
    assert (running.total("all-1d"), running.total("by-topic-1d"), running.total("by-topic-1m")) == (12, 12, 12)
    assert running.told == {"all-1d", "by-topic-1d", "by-topic-1m"}
    assert {each.offset for each in store.progress()} == {store.inbox().last}


def test_one_that_raises_stops_alone_and_goes_on_when_it_is_mended(
    store: StatisticsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed(store, range(6))
    running = Running(store, Fragile(), All()).on()
    assert running.total("all-1d") == 6
    assert running.total("fragile-1d") == 3
    state, offset = running.state("fragile-1d")
    found = running.runner.progress()["fragile-1d"]
    assert (state, offset, found.culprit) == (State.STOPPED, store.read_inbox(0, 3)[-1].number, "id-3")
    assert "KeyError" in found.error
    assert "no such thing" in found.error

    monkeypatch.setattr(Fragile, "broken", False)
    feed(store, range(6, 9))
    again = Running(store, Fragile(), All()).on()
    assert (again.total("fragile-1d"), again.total("all-1d")) == (9, 9)
    assert again.state("fragile-1d")[0] is State.RUNNING


def test_what_is_no_change_of_its_kind_stops_a_plugin(store: StatisticsStore) -> None:
    feed(store, [1])

    def plugin(*changes: object) -> Plugin:
        class Wrong(Count):
            name, summary, description = "wrong", "s", "d"

            def process(self, message: Message) -> Iterable[Add]:
                del message
                return changes  # type: ignore[return-value]  # that is what is tried

        return Wrong()

    for change in (
        Latest(1.0, (), "x", "i"),
        Member(1.0, (), "x"),
        Add(1.0, ("a",)),
        Add(float("nan")),
        Add(1.0, (), float("inf")),
        Add(1.0, (5,)),  # type: ignore[arg-type]  # likewise
        "text",
    ):
        running = Running(store, plugin(change)).on()
        assert running.state("wrong")[0] is State.STOPPED, change
        store.forget("wrong")
    assert Running(store, plugin(Add(1.0), Add(2.0))).on().total("wrong") == 2


@pytest.mark.parametrize("text", [None, 5, {"a": 1}])
def test_a_text_that_is_none_stops_its_plugin_alone(store: StatisticsStore, text: object) -> None:
    class Last(LatestByKey):
        name, summary, description = "last", "s", "d"

        def text(self, message: Message) -> str:
            del message
            return text  # type: ignore[return-value]  # that is what is tried

    feed(store, range(3))
    running = Running(store, Last(), All()).on()
    assert running.total("all-1d") == 3
    assert running.state("last")[0] is State.STOPPED
    assert running.runner.progress()["last"].error.endswith("holds what is no text where one is wanted"), "no line of ours"


def test_a_plugin_that_ends_the_program_stops_alone(store: StatisticsStore) -> None:
    class Exits(Count):
        name, summary, description = "exits", "s", "d"

        def wants(self, message: Message) -> bool:
            raise SystemExit(message.id)

    feed(store, range(3))
    running = Running(store, Exits(), All()).on()
    assert (running.total("all-1d"), running.state("exits")[0]) == (3, State.STOPPED)
    assert running.runner.progress()["exits"].error.startswith("SystemExit: id-0")


@pytest.mark.parametrize("version", [1, 3])
def test_a_plugin_of_another_version_counts_the_inbox_anew_and_says_so(
    store: StatisticsStore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    monkeypatch.setattr(All, "version", 2)
    feed(store, range(3))
    Running(store, All()).on()
    assert Running(store, All()).on().total("all-1d") == 3
    assert "anew" not in caplog.text
    monkeypatch.setattr(All, "version", version)
    assert Running(store, All()).on().total("all-1d") == 3
    assert f"all-1d: it was of version 2, now it is of {version}: its rows are made anew" in caplog.text


def test_texts_that_no_database_stores_become_others(store: StatisticsStore) -> None:
    odd = ("\0", "\ud800", "\udfff")

    class Users(Distinct):
        name, summary, description = "users", "s", "d"

        def members(self, message: Message) -> Iterable[str]:
            del message
            return odd

    class Keyed(Count):
        name, summary, description = "keyed", "s", "d"
        keys = ("word",)

        def key(self, message: Message) -> list[str]:
            del message
            return list(odd)

    class Last(LatestByKey):
        name, summary, description = "last", "s", "d"

        def text(self, message: Message) -> str:
            return message.id

        def process(self, message: Message) -> Iterable[Latest]:
            return [Latest(message.time, (), each, each) for each in odd]

    feed(store, range(2))
    running = Running(store, Users(), Keyed(), Last(), All()).on()
    assert {each.state for each in running.runner.progress().values()} == {State.RUNNING}
    assert (running.total("users"), running.total("keyed"), running.total("all-1d")) == (2, 6, 2)
    (last,) = store.find_rows("last", RowQuery(), 9).rows
    assert last.text == "?"


def test_two_that_run_side_by_side_count_every_message_once(store: StatisticsStore, tmp_path: Path) -> None:
    feed(store, range(40))
    with contextlib.closing(registry.open(f"sqlite:///{tmp_path / 's.db'}", registry.STATISTICS)) as other:
        one, two = Running(store, All()), Running(other, All())
        one.runner.look()
        two.runner.look()
        one.on()
        two.on()
        feed(store, range(40, 60))
        two.on()
        one.on()
    assert one.total("all-1d") == 60


def test_archived_messages_beyond_a_plugin_s_backlog_do_not_count(store: StatisticsStore) -> None:
    class Recent(Count):
        name, summary, description = "recent", "s", "d"
        backlog_delta = timedelta(hours=1)

    feed(store, [1], time=START - 7200.0)
    store.take_in([event(2, time=START - 7200.0), event(3, time=START - 60.0)], arrived=START, source="a", archived=True)
    assert Running(store, Recent(), All()).on().total("recent") == 2


def test_each_kind_keeps_what_it_says(store: StatisticsStore) -> None:
    class Users(Distinct):
        name, summary, description = "users", "s", "d"
        windows = ("1d",)

        def members(self, message: Message) -> Iterable[str]:
            return message.users

    class Numbers(Distribution):
        name, summary, description = "numbers", "s", "d"
        windows = ("1d",)

        def values(self, message: Message) -> Iterable[float]:
            return [message.body["n"]]

    class Last(LatestByKey):
        name, summary, description = "last", "s", "d"
        keys = ("priority",)

        def key(self, message: Message) -> str:
            return message.priority

        def text(self, message: Message) -> str:
            return message.id

    assert (Users.kind, Numbers.kind, Last.kind) == (Kind.DISTINCT, Kind.DISTRIBUTION, Kind.LATEST)
    feed(store, [3, 1, 2])
    Running(store, Users(), Numbers(), Last()).on()
    (users,), (numbers,), (last,) = (store.find_rows(ident, RowQuery(), 9).rows for ident in ("users-1d", "numbers-1d", "last"))
    assert (users.value, numbers.value, last.text, last.key) == (1, 3, "id-3", ("info",))
    assert next(iter(Numbers().rows([numbers])))["upper"] == 3
    assert Sample(1.0, (), 2.0).value == 2.0


def test_the_inbox_keeps_what_a_running_statistic_has_not_seen_and_tells_what_a_stopped_one_lost(
    store: StatisticsStore,
) -> None:
    feed(store, range(6))
    running, losses, clock = Running(store, Fragile(), All()), Losses(), Hurried(START + 100.0)
    upkeep = Upkeep(store, running.statistics, running.runner.progress, lambda: 50.0, losses, clock)
    running.runner.look()
    upkeep.clean()
    assert store.inbox().count == 6
    running.on()
    upkeep.clean()
    assert store.inbox().count == 0
    feed(store, [9])
    upkeep.clean()
    assert upkeep.expired == losses.totals()["statistics", "expired"] > 0


@pytest.mark.parametrize(("most", "rests"), [(5, [0.02]), (4, [])])
def test_after_a_batch_that_was_not_full_who_writes_the_inbox_goes_first(
    store: StatisticsStore, monkeypatch: pytest.MonkeyPatch, most: int, rests: list[float]
) -> None:
    monkeypatch.setattr("nilometer.statistics.runner.BATCH", most)
    feed(store, range(4))
    clock = Ticking()
    runner = Runner(store, All().statistics(), lambda _: None, clock)
    runner.start()
    until(lambda: runner.progress()["all-1d"].offset == 4, "all is counted")
    runner.close(PATIENCE)
    assert clock.waits == pytest.approx(rests)
