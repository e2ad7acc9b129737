"""A server over days: buses and archive come and go, it is killed, messages come again, late and in any order. All count once.

Everything runs over a clock of its own. Messages reach the archive within less than it is given, and the inbox forgets.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, cast

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from nilometer.core.losses import Losses
from nilometer.core.statistics.coverage import DAY, HOUR, MINUTE, Span
from nilometer.statistics.filler.filler import ArchiveFiller, Options
from nilometer.testing.archive_in_memory import ArchiveInMemory, InboxInMemory, down, event
from nilometer.testing.clock import ManualClock

if TYPE_CHECKING:
    from nilometer.core.capability import StatisticsStore
    from nilometer.core.record import Event

NOW, SINCE, RETENTION = 1_795_000_000.0, 3 * DAY, 8 * HOUR
STEP = 60.0
LATE, UNDER_WAY = 13 * MINUTE, 9 * MINUTE
"""How late a message may reach the archive, and a bus."""
TIMES = st.integers(1, 300).map(float)
WORDS = ("run", "run", "send", "send", "send", "bus off", "bus on", "archive off", "archive on", "kill", "again")
ACTIONS = st.lists(st.tuples(st.sampled_from(WORDS), st.integers(1, 90), st.floats(0, 1)), max_size=20)


class World:
    """A bus that loses what nobody hears, an archive, and a server that is killed."""

    def __init__(self, window: float) -> None:
        self.clock, self.store = ManualClock(NOW), InboxInMemory()
        old = [event(-number, NOW - SINCE + number * 4997) for number in range(1, 40)]
        self.archive, self.sent = ArchiveInMemory(old, 20), list(old)
        self.heard: list[Event] = []
        self.coming: list[tuple[float, Event, bool]] = []
        self.since: float | None = NOW
        self.options = Options(since=NOW - SINCE, window=window, retention=RETENTION)
        self.away_for = 0.0
        self.start()

    def start(self) -> None:
        about: dict[str, Any] = {"consumed": self.consumed, "told": lambda: None, "clock": self.clock}
        store = cast("StatisticsStore", self.store)
        self.filler = ArchiveFiller("archive", self.archive, store, self.options, Losses(), **about)

    def consumed(self) -> Span | None:
        return None if self.since is None else Span(self.since, self.clock.time())

    def send(self, number: int, delay: float) -> None:
        """Publish messages: the archive has them after a while; the bus brings them, if anybody listens then."""
        now = self.clock.time()
        for _ in range(number):
            sent = event(len(self.sent), now)
            self.sent.append(sent)
            self.coming += [(now + delay * LATE, sent, True), (now + delay * UNDER_WAY, sent, False)]

    def run(self, minutes: float) -> None:
        end = self.clock.time() + minutes * MINUTE
        while self.clock.time() < end:
            self.pass_by(min(STEP, end - self.clock.time()))
            for _ in range(400):
                if self.filler.step():
                    break

    def pass_by(self, seconds: float) -> None:
        """Let time pass without the filler."""
        self.clock.advance(seconds)
        now = self.clock.time()
        due = [each for each in self.coming if each[0] <= now]
        self.coming = [each for each in self.coming if each[0] > now]
        self.archive.events += [sent for _, sent, archived in due if archived]
        if self.since is not None:
            brought = [sent for _, sent, archived in due if not archived]
            self.store.take_in(brought, arrived=now, source="bus")
            self.heard += brought
        self.store.expire(now - RETENTION)

    def kill(self, minutes: float) -> None:
        """End without a word, and start again later."""
        heard, self.since = self.since, None
        self.pass_by(minutes * MINUTE)
        self.since = None if heard is None else self.clock.time()
        self.start()

    def again(self, number: int) -> None:
        """Have the bus bring again what it brought last."""
        fresh = [each for each in self.heard if each.time > self.clock.time() - HOUR]
        self.store.take_in(fresh[-number:], arrived=self.clock.time(), source="bus")

    def act(self, word: str, number: int, share: float) -> None:
        if word == "run":
            self.run(number)
        elif word == "send":
            self.send(number, share)
            self.run(1)
        elif word == "kill":
            self.kill(number)
        elif word == "again":
            self.again(number)
        elif word == "bus off":
            self.since = None
        elif word == "bus on":
            self.since = self.since or self.clock.time()
        else:
            self.archive.failing = down if word == "archive off" else None
        if self.archive.failing:
            self.away_for += number
        if self.away_for > 3 * 60:  # for longer than the inbox remembers, it must not be away
            self.archive.failing, self.away_for = None, 0.0
            self.run(30)


@settings(max_examples=60, phases=[Phase.explicit, Phase.generate])
@given(ACTIONS, st.sampled_from([0.0, 900.0]))
def test_every_message_counts_once(actions: list[tuple[str, int, float]], window: float) -> None:
    world = World(window)
    for action in actions:
        world.act(*action)
    world.archive.failing = None
    world.run(60)
    assert Counter(world.store.counted) == Counter(each.id for each in world.sent)
    assert world.filler.status().missing <= HOUR
