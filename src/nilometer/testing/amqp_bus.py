"""An exchange of a real RabbitMQ as tests of buses see it, read by pika, which is not our client."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import pika  # type: ignore[import-untyped]  # it has no types

from nilometer.core.wire import notification
from nilometer.core.wire.event import PRIORITIES
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.core.record import Event
    from nilometer.testing.rabbitmq import RabbitMQ

NUMBERS = itertools.count()


class Taken(NamedTuple):
    """A message as it lay in a queue."""

    key: str
    properties: Any
    body: bytes


class Exchange:
    """A durable exchange with a queue of its own that gets whatever goes over it. It can be stopped with its broker."""

    def __init__(self, server: RabbitMQ, options: str = "") -> None:
        self.server = server
        self.name = f"exchange{next(NUMBERS)}"
        queues = ",".join(f"{self.name}.{priority}" for priority in PRIORITIES)
        self.url = f"{server.url}?timeout=1s&durable=true&exchange={self.name}&topics={self.name}&queues={queues}{options}"
        with Pika(server.port) as channel:
            channel.exchange_declare(self.name, "topic", durable=True)
            channel.queue_declare(f"{self.name}-all", durable=True)
            channel.queue_bind(f"{self.name}-all", self.name, "#")

    def messages(self) -> list[Taken]:
        """Return all that went over the exchange, in order."""
        with Pika(self.server.port) as channel:
            return list(_all(channel, f"{self.name}-all"))

    def arrived(self, count: int) -> list[Event]:
        """Return the events that went over the exchange, without what encoding adds to their context."""
        until(lambda: len(self.messages()) >= count, f"{count} messages arrive")
        found = [notification.decode(message.body, time=0) for message in self.messages()]
        for event in found:
            for name in ("tenant", "project_id"):
                event.context.pop(name, None)  # type: ignore[attr-defined]  # a dict of our own
        return found

    def stop(self) -> None:
        """Stop the broker."""
        self.server.stop()

    def start(self) -> None:
        """Start the broker again."""
        self.server.start()

    def freeze(self) -> None:
        """Have the broker do nothing."""
        self.server.freeze()

    def thaw(self) -> None:
        """Let the broker go on."""
        self.server.thaw()


class Pika:
    """A channel of pika's, as a context."""

    def __init__(self, port: int) -> None:
        self._connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port))

    def __enter__(self) -> Any:  # noqa: ANN401 pika has no types
        return self._connection.channel()

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def _all(channel: Any, queue: str) -> Iterator[Taken]:  # noqa: ANN401 pika has no types
    """Yield what lies in a queue; it goes back when the channel is closed."""
    while True:
        about, properties, body = channel.basic_get(queue)
        if about is None:
            return
        yield Taken(about.routing_key, properties, body)
