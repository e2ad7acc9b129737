"""The buses that events come from: one consumer for each URL, exchanged by a reload.

`open_source` opens a URL without connecting.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.intake.consumer import Consumer
from nilometer.core.intake.way import Way
from nilometer.core.statistics.coverage import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from nilometer.core.capability import MessageSource
    from nilometer.core.event_status import WayStatus
    from nilometer.core.intake.keeper import Keeper, Tell
    from nilometer.core.losses import Losses
    from nilometer.core.record import Event, Message
    from nilometer.core.url import Url

LOG = logging.getLogger(__name__)
HEARD = 2.0
"""Seconds that new sources may take before the server goes on: who sends once it is up is heard, unless a bus is away."""


class Prepared(NamedTuple):
    """The sources to have: every URL by its full text, and those of them that are new, opened."""

    urls: dict[str, Url]
    opened: dict[str, MessageSource]

    def close(self) -> None:
        """Let the sources go that were opened for nothing."""
        for source in self.opened.values():
            source.close()


class Sources:
    """The consumers of one server, by the full text of their URLs; `told` hear of what is new in what they bring, too."""

    def __init__(
        self,
        keeper: Keeper,
        decode: Callable[[Message], Event],
        losses: Losses,
        told: Sequence[Tell] = (),
        *,
        open_source: Callable[[Url], MessageSource],
    ) -> None:
        self._open = open_source
        self._keeper, self._decode, self._losses, self._told = keeper, decode, losses, told
        self._consumers: dict[str, Consumer] = {}

    def prepare(self, wanted: Iterable[Url]) -> Prepared:
        """Open the sources that are new; none of them connects. Raise `ConfigError` for a wrong URL."""
        urls = {url.reveal(): url for url in wanted}
        prepared = Prepared(urls, {})
        try:
            for text, url in urls.items():
                if text not in self._consumers:
                    prepared.opened[text] = self._open(url)
        except Exception:
            prepared.close()
            raise
        return prepared

    def change(self, prepared: Prepared, deadline: float) -> None:
        """End what is gone, within so many seconds, and begin what is new; wait a moment until it is heard."""
        gone = {text: self._consumers[text] for text in self._consumers if text not in prepared.urls}
        self._consumers = {text: each for text, each in self._consumers.items() if text not in gone}
        _close(gone.values(), deadline)
        for consumer in gone.values():
            LOG.info("%s is no longer a source of events", consumer.name)
        for text, source in prepared.opened.items():
            name = _name(prepared.urls[text], {each.name for each in self._consumers.values()})
            consumer = Consumer(Way(name, self._keeper, self._told), source, self._decode, self._losses)
            self._consumers = {**self._consumers, text: consumer}
            consumer.start()
            LOG.info("messages are taken from %s", name)
        end = time.monotonic() + HEARD
        for text in prepared.opened:
            self._consumers[text].await_first(max(end - time.monotonic(), 0.0))

    def statuses(self) -> list[WayStatus]:
        """Return how each source fares."""
        return [consumer.status() for consumer in self._consumers.values()]

    def consumed(self) -> Span | None:
        """Return since when all sources are heard without a break, and up to which time their messages are kept.

        None while one is away, or there is none.
        """
        spans = [consumer.consumed() for consumer in self._consumers.values()]
        heard = [span for span in spans if span is not None]
        if not heard or len(heard) < len(spans):
            return None
        return Span(max(span.begin for span in heard), min(span.end for span in heard))

    def close(self, deadline: float) -> None:
        """End all, within so many seconds: what was taken is kept and settled, or comes again."""
        gone, self._consumers = self._consumers, {}
        _close(gone.values(), deadline)


def _close(consumers: Collection[Consumer], deadline: float) -> None:
    """End several at a time."""
    for consumer in consumers:
        consumer.end()
    end = time.monotonic() + deadline
    for consumer in consumers:
        consumer.close(max(end - time.monotonic(), 0.0))


def _name(url: Url, taken: Collection[str]) -> str:
    """Return a URL without its options, numbered when several sources have it."""
    plain = str(url).partition("?")[0]
    numbers = (f"{plain} {number}" if number > 1 else plain for number in range(1, len(taken) + 2))
    return next(name for name in numbers if name not in taken)
