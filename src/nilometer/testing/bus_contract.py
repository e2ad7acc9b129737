"""The contracts of sinks of events and of sources of messages, as tests that run over any bus.

A test module derives a class for each part that its backend keeps and gives it a fixture::

    class TestNats(EventSinkContract, MessageSourceContract, AwayContract):
        @pytest.fixture
        def bus(self) -> Iterator[Bus]:
            ...

Each test has a bus that is empty at its beginning.
"""
# assert is how a test speaks, and its name says what it states
# ruff: noqa: S101, D102

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Protocol

import pytest

from nilometer.backends import registry
from nilometer.core.capability import EventSink, Health, MessageSource
from nilometer.core.errors import Unavailable, UrlError
from nilometer.testing.event_examples import several
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nilometer.core.record import Event, Message

PATIENCE = 30.0
"""Seconds within which messages that are there are received."""
BOUND = 30.0
"""Seconds within which a call gives up, with such a timeout for each of its few steps."""


class Bus(Protocol):
    """A bus as tests see it. `url` reaches it, with a timeout of few seconds; what is not settled comes again soon."""

    url: str

    def arrived(self, count: int) -> list[Event]:
        """Wait for so many events. Return what arrived, read by a client that is not ours, in order."""


class AwayBus(Bus, Protocol):
    """One that can be stopped and frozen."""

    def stop(self) -> None:
        """Stop the server: nobody answers at the address any more."""

    def start(self) -> None:
        """Start it again, with what it held."""

    def freeze(self) -> None:
        """Have the server do nothing, while connections are still accepted."""

    def thaw(self) -> None:
        """Let it go on."""


@contextlib.contextmanager
def sink_of(url: str) -> Iterator[EventSink]:
    """Open a sink of events, and close it in the end."""
    sink = registry.open(url, registry.EVENTS)
    try:
        yield sink
    finally:
        sink.close()


@contextlib.contextmanager
def source_of(url: str) -> Iterator[MessageSource]:
    """Open a source of messages, and close it in the end."""
    source = registry.open(url, registry.MESSAGES)
    try:
        yield source
    finally:
        source.close()


def received(source: MessageSource, count: int) -> list[Message]:
    """Receive until there are so many messages. Raise TimeoutError with how many there were."""
    found: list[Message] = []
    end = time.monotonic() + PATIENCE
    while len(found) < count:
        if time.monotonic() > end:
            message = f"{len(found)} of {count} messages came"
            raise TimeoutError(message)
        found += source.receive(count - len(found), 0.5)
    return found


def write_until_taken(sink: EventSink, events: Sequence[Event]) -> None:
    """Write as a pipe does: the same events again while the sink is unavailable."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            sink.write_events(events)
        except Unavailable:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


class EventSinkContract:
    """What every sink of events keeps."""

    def test_what_is_written_arrives(self, bus: Bus) -> None:
        with sink_of(bus.url) as sink:
            assert isinstance(sink, EventSink)
            sink.write_events(several(3))
            sink.write_events([])
            assert bus.arrived(3) == several(3)

    def test_many_at_once_arrive_in_order(self, bus: Bus) -> None:
        with sink_of(bus.url) as sink:
            sink.write_events(several(500))
        assert bus.arrived(500) == several(500)

    def test_a_sink_that_is_closed_twice_is_quiet(self, bus: Bus) -> None:
        sink = registry.open(bus.url, registry.EVENTS)
        sink.close()
        sink.close()

    def test_an_unknown_option_is_refused_by_name(self, bus: Bus) -> None:
        for capability in (registry.EVENTS, registry.HEALTH):
            with pytest.raises(UrlError, match="no_such_option"):
                registry.open(f"{bus.url}&no_such_option=1", capability)

    def test_the_check_says_one_line(self, bus: Bus) -> None:
        health = registry.open(bus.url, registry.HEALTH)
        assert isinstance(health, Health)
        said = health.check()
        health.close()
        assert said
        assert "\n" not in said


class MessageSourceContract:
    """What every source of messages keeps, of a bus that is a sink, too."""

    def test_what_was_written_is_received_once_settled_no_more(self, bus: Bus) -> None:
        with sink_of(bus.url) as sink, source_of(bus.url) as source:
            assert isinstance(source, MessageSource)
            assert source.receive(10, 0.1) == []
            sink.write_events(several(5))
            found = received(source, 5)
            assert len({message.id for message in found}) == len(found)
            assert all(message.topic and message.content_type for message in found)
            source.settle(found)
            source.settle([])
            assert source.receive(10, 0.2) == []
        with source_of(bus.url) as again:
            assert again.receive(10, 0.5) == []

    def test_no_more_are_given_than_asked_for(self, bus: Bus) -> None:
        with sink_of(bus.url) as sink, source_of(bus.url) as source:
            sink.write_events(several(5))
            assert len(source.receive(1, 10)) == 1

    def test_what_was_not_settled_comes_again(self, bus: Bus) -> None:
        with sink_of(bus.url) as sink:
            sink.write_events(several(6))
        with source_of(bus.url) as source:
            first = received(source, 6)
            source.settle(first[:2])
        with source_of(bus.url) as source:
            second = received(source, 4)
            assert sorted(message.body for message in second) == sorted(message.body for message in first[2:])
            assert {message.id for message in second} == {message.id for message in first[2:]}
            source.settle(second)
            assert source.receive(10, 0.2) == []


class AwayContract:
    """What a bus keeps that can be stopped and frozen."""

    def test_one_that_is_stopped_is_unavailable_and_works_again(self, bus: AwayBus) -> None:
        with sink_of(bus.url) as sink, source_of(bus.url) as source:
            sink.write_events(several(2, "before"))
            held = received(source, 2)
            bus.stop()
            within_bounds(lambda: sink.write_events(several(2)))
            within_bounds(lambda: source.receive(1, 0.1))
            within_bounds(lambda: source.settle(held))
            bus.start()
            write_until_taken(sink, several(2, "after"))
            until(lambda: {event.type for event in bus.arrived(4)} >= {"before", "after"}, "both arrive")

    def test_one_that_is_frozen_is_unavailable_and_works_again(self, bus: AwayBus) -> None:
        with sink_of(bus.url) as sink, source_of(bus.url) as source, source_of(bus.url) as late:
            sink.write_events(several(1, "before"))
            held = received(source, 1)
            bus.freeze()
            within_bounds(lambda: sink.write_events(several(1)))
            within_bounds(lambda: source.receive(1, 0.1))
            within_bounds(lambda: source.settle(held))
            within_bounds(lambda: late.receive(1, 0.1))
            bus.thaw()
            write_until_taken(sink, several(1, "after"))
            until(lambda: {event.type for event in bus.arrived(2)} >= {"before", "after"}, "both arrive")

    def test_closing_when_it_is_frozen_ends(self, bus: AwayBus) -> None:
        began = time.monotonic()
        with sink_of(bus.url) as sink, source_of(bus.url) as source:
            sink.write_events(several(1))
            received(source, 1)
            bus.freeze()
        assert time.monotonic() - began < 2 * BOUND
        bus.thaw()


def within_bounds(call: Callable[[], object]) -> None:
    """Call something that must end as `Unavailable`, within `BOUND` seconds."""
    began = time.monotonic()
    with pytest.raises(Unavailable):
        call()
    assert time.monotonic() - began < BOUND
