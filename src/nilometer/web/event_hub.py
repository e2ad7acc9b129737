"""Each event, once it is new, to everybody who follows events live. How following goes is in `following`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nilometer.core.event_query import EventQuery, matches
from nilometer.core.record import Event
from nilometer.web.following import Follower, Following

if TYPE_CHECKING:
    from collections.abc import Iterable

Events = Sequence[Event]


class EventHub(Following[Events, EventQuery, Events]):
    """Hands events on to those whose query they match; an update is as many as came together."""

    name = "nilometer-live-events"
    behind = 64

    def updates(
        self, record: Events, followers: Sequence[Follower[EventQuery, Events]]
    ) -> Iterable[tuple[Follower[EventQuery, Events], Events]]:
        """Yield the events that each follower asks for."""
        for follower in followers:
            found = [event for event in record if matches(follower.wanted, event)]
            if found:
                yield follower, found
