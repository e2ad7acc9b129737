"""Messages from one AMQP broker, over a connection that is made when it is needed and dropped when it fails.

Rules:

* Every fault of driver and network is `Unavailable` and ends the connection; the next call makes another, at the next address.
* What was received and not settled when a connection ends comes again.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from nilometer.backends._parts.amqp_link import Link, errors
from nilometer.backends._parts.http import shown
from nilometer.core.errors import Rejected, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nilometer.backends._parts.amqp_consume import Consumer
    from nilometer.backends._parts.amqp_link import Place
    from nilometer.core.record import Message
    from nilometer.core.url import Url

Result = TypeVar("Result")
MOST_AHEAD = 65_535
"""Messages that a broker may be asked to send ahead."""


class Receiver:
    """Receives from one place what `consume` consumes on a connection. Errors name `url`."""

    def __init__(self, url: Url, place: Place, consume: Callable[[Link], Consumer]) -> None:
        self._url, self._place, self._consume_on = url, place, consume
        self._hosts = list(place.url.hosts)
        self._lock = Lock()
        self._link: Link | None = None
        self._consumer: Consumer | None = None

    def receive(self, most: int, seconds: float) -> list[Message]:
        """Return up to `most` messages, waiting up to `seconds` for the first. Raise `Unavailable`."""
        return self._run(lambda: self._consuming().receive(most, seconds))

    def settle(self, messages: Sequence[Message]) -> None:
        """Acknowledge the messages. Raise `Unavailable`: then they come again."""
        if messages:
            self._run(lambda: self._consuming().settle(messages))

    def check(self) -> str:
        """Return the broker's product and version, and the virtual host. Raise `Unavailable`."""
        return self._run(lambda: f"{shown(self._linked().server)}, virtual host {self._place.vhost}")

    def close(self) -> None:
        """Hang up; what was received and not settled goes back. Closing twice does nothing."""
        with self._lock:
            self._drop()

    def _run(self, work: Callable[[], Result]) -> Result:
        """Return what the work returns. Every fault of driver and network is `Unavailable`, and ends the connection."""
        with self._lock:
            try:
                return work()
            except Rejected as error:
                self._drop()  # the broker has closed the channel
                message = f"{self._url}: {shown(error)}"
                raise Rejected(message) from error
            except errors() as error:
                self._drop()
                message = f"{self._url}: {shown(error) or type(error).__name__}"
                raise Unavailable(message) from error

    def _linked(self) -> Link:
        if self._link is None:
            try:
                self._link = Link(self._place, self._hosts)
            finally:
                self._hosts = [*self._hosts[1:], self._hosts[0]]
        return self._link

    def _consuming(self) -> Consumer:
        if self._consumer is None:
            self._consumer = self._consume_on(self._linked())
        return self._consumer

    def _drop(self) -> None:
        link, self._link, self._consumer = self._link, None, None
        if link is not None:
            link.close()
