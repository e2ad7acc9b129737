"""The program ``nilometer statistics serve`` over a real RabbitMQ, as a test sees it: what it publishes, and what is served.

Each has an exchange and a queue of its own in the broker.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import pika  # type: ignore[import-untyped]  # it has no types

from nilometer.testing.asking import ask
from nilometer.testing.ports import free_port
from nilometer.testing.serving import Serving
from nilometer.testing.waiting import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from signal import Signals

    from nilometer.testing.rabbitmq import RabbitMQ

NUMBERS = itertools.count()
LONG, PAUSE = 2 * PATIENCE, 0.2


class Answer(NamedTuple):
    """What came back: the status, the headers, the text."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:  # noqa: ANN401 whatever JSON can hold
        """The body as JSON."""
        return json.loads(self.text)


class Bus:
    """An exchange, as fedora-messaging's is, and the program's queue. Any thread may publish."""

    def __init__(self, broker: RabbitMQ) -> None:
        self.name = f"statistics-{os.getpid()}-{next(NUMBERS)}"
        self.url = f"{broker.url}?exchange={self.name}&queue={self.name}"
        self._place = pika.URLParameters(broker.url + "/%2F?heartbeat=0")
        self._connection = pika.BlockingConnection(self._place)
        self._channel = self._connection.channel()
        self._channel.exchange_declare(self.name, "topic", durable=True)

    def publish(self, messages: Iterable[Mapping[str, Any]], *, confirmed: bool = True) -> None:
        """Publish messages, as fedora-messaging does, until the broker has `confirmed` each."""
        with closing(pika.BlockingConnection(self._place)) as connection:
            channel = connection.channel()
            if confirmed:
                channel.confirm_delivery()
            self._publish(channel, messages)

    def _publish(self, channel: Any, messages: Iterable[Mapping[str, Any]]) -> None:  # noqa: ANN401 pika has no types
        for message in messages:
            about = pika.BasicProperties(
                content_type="application/json",
                content_encoding="utf-8",
                message_id=message["id"],
                delivery_mode=2,
                headers=dict(message["headers"]),
            )
            channel.basic_publish(self.name, message["topic"], json.dumps(message["body"]).encode(), about)

    def waiting(self) -> int | None:
        """Return how many messages lie in the program's queue, None while there is none."""
        channel = self._connection.channel()
        try:
            return int(channel.queue_declare(self.name, passive=True).method.message_count)
        except pika.exceptions.ChannelClosedByBroker:
            return None
        finally:
            if channel.is_open:
                channel.close()

    def declare(self) -> None:
        """Have the queue before who reads it comes."""
        self._channel.queue_declare(self.name, durable=True)
        self._channel.queue_bind(self.name, self.name, "#")

    def forget(self) -> None:
        """Delete the queue: what is published then comes nowhere."""
        self._channel.queue_delete(self.name)

    def close(self) -> None:
        """Leave nothing behind."""
        self.forget()
        self._channel.exchange_delete(self.name)
        self._connection.close()


class Program:
    """One process, that can be ended and started again over the same store."""

    def __init__(self, bus: Bus, store: str, state: Path, *arguments: str) -> None:
        self.bus, self._state, self.port = bus, state, free_port()
        self._arguments = ["--bus", bus.url, "--store", store, "--listen", f"127.0.0.1:{self.port}", *arguments]
        self.serving = self._started()

    def _started(self) -> Serving:
        return Serving(*self._arguments, state=self._state, sinks=(), command=("statistics", "serve")).ready()

    def start(self) -> None:
        """Start it again."""
        self.serving = self._started()

    def stop(self) -> int:
        """End it in good order, and return its exit code."""
        code = self.serving.stop()
        self.serving.kill()
        return code

    def ended_by(self, number: Signals, after: float) -> None:
        """Signal it some seconds after it has taken a message more, and wait for its end."""
        taken = self._last()
        until(lambda: self._last() > taken or not self.bus.waiting(), "a message is taken", told=self.log)
        time.sleep(after)
        self.serving.stop(number)
        self.serving.kill()

    def _last(self) -> int:
        return int(self.status()["inbox"]["last"])

    def log(self) -> str:
        """Return what it said."""
        return "\n".join(self.serving.log[-50:])

    def ask(self, path: str, accept: str = "application/json") -> Answer:
        """Ask for a page."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            connection.request("GET", path, headers={"Accept": accept})
            found = connection.getresponse()
            return Answer(found.status, {name.lower(): value for name, value in found.getheaders()}, found.read().decode())

    def status(self) -> dict[str, Any]:
        """Return how statistics fare."""
        return dict(ask(("127.0.0.1", self.port), "/statistics").json["status"])

    def settle(self, messages: int = 0, *, filled: bool = True) -> None:
        """Wait until the queue is empty, statistics have seen so many messages, and gaps are `filled`."""
        told = lambda: f"{self.status()}\n{self.log()}"  # noqa: E731 a line says it
        until(lambda: self._settled(messages, filled=filled), "everything is committed", LONG, told)

    def _settled(self, messages: int, *, filled: bool) -> bool:
        time.sleep(PAUSE)
        if self.bus.waiting():
            return False
        found = ask(("127.0.0.1", self.port), "/statistics").json
        full = not filled or all(not each["missing"] and each["at"] is None for each in found["status"]["fill"])
        seen = not any(each["lag"] for each in found["statistics"] if each["state"] == "running")
        return full and seen and bool(found["status"]["inbox"]["last"] >= messages)

    def rows(self, path: str) -> list[dict[str, Any]]:
        """Return the rows of all pages."""
        link = "&" if "?" in path else "?"
        rows: list[dict[str, Any]] = []
        for page in itertools.count(1):
            answer = self.ask(f"{path}{link}rows_per_page=100&page={page}")
            rows += answer.json
            if page >= int(answer.headers["x-link-count"]):
                return rows
        return rows
