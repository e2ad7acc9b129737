"""Receives messages from a topic of Kafka as a member of a group, and commits offsets of what is settled.

Rules:

* What is committed of a partition is the offset of the first message that is not settled: what lies behind it and is settled
  already comes again after a crash, nothing is left out.
* librdkafka can wait for a broker without end. Every call that can goes through `bounded`; one that does not end in time is
  left to itself, with its consumer, and the next call begins with another consumer.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar

from nilometer.backends._parts.kafka_faults import Faults
from nilometer.core.errors import Unavailable
from nilometer.core.record import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from confluent_kafka import Consumer
    from confluent_kafka import Message as Received

Result = TypeVar("Result")
Mark = tuple[int, int]
"""Partition and offset of a message."""


def bounded(call: Callable[[], Result], timeout: float, what: str) -> Result:
    """Return what a call returns, or raise what it raises. Raise `Unavailable` after `timeout` seconds."""
    found: list[Result] = []
    faults: list[BaseException] = []

    def run() -> None:
        try:
            found.append(call())
        except BaseException as error:  # noqa: BLE001 it is raised again, in the thread that waits
            faults.append(error)

    thread = threading.Thread(target=run, name="nilometer-kafka", daemon=True)
    thread.start()
    thread.join(timeout)
    if faults:
        raise faults[0]
    if not found:
        message = f"{what}: no answer within {timeout:g} s"
        raise Unavailable(message)
    return found[0]


class Positions:
    """Which messages of which partitions were handed out and are not settled."""

    def __init__(self) -> None:
        self._open: dict[int, set[int]] = {}
        self._next: dict[int, int] = {}

    def handed_out(self, mark: Mark) -> None:
        """Remember a message."""
        partition, offset = mark
        self._open.setdefault(partition, set()).add(offset)
        self._next[partition] = max(self._next.get(partition, 0), offset + 1)

    def settled(self, marks: Sequence[Mark]) -> dict[int, int]:
        """Forget messages. Return by partition the offset to commit; partitions that are not ours any more are left out."""
        ours = [(partition, offset) for partition, offset in marks if partition in self._open]
        for partition, offset in ours:
            self._open[partition].discard(offset)
        return {partition: min(self._open[partition], default=self._next[partition]) for partition, _ in ours}

    def gone(self, partitions: Sequence[int]) -> None:
        """Forget partitions that belong to another member now."""
        for partition in partitions:
            self._open.pop(partition, None)
            self._next.pop(partition, None)


class Reader:
    """A consumer, made when it is needed. `name` stands in messages."""

    def __init__(self, name: str, config: Mapping[str, Any], topic: str, timeout: float) -> None:
        self._name, self._topic, self._timeout = name, topic, timeout
        self._faults = Faults()
        self._config = {**config, "error_cb": self._faults}
        self._positions = Positions()
        self._consumer: Consumer | None = None

    def receive(self, most: int, seconds: float) -> list[Message]:
        """Return up to `most` messages, waiting up to `seconds` for the first. Raise `Unavailable`."""
        found = self._consumed(most, seconds)
        try:
            messages = [_received(each) for each in found if not self._judged(each)]
        except Unavailable:
            self.close()  # messages that came along with a report come again, to another consumer
            raise
        for message in messages:
            self._positions.handed_out(message.mark)
        return messages

    def _consumed(self, most: int, seconds: float) -> list[Received]:
        from confluent_kafka import KafkaException  # noqa: PLC0415 a driver is imported where it is used

        try:
            consumer = self._made()
            found = consumer.consume(1, seconds)
            more = consumer.consume(most - 1, 0) if found and most > 1 else []
        except KafkaException as error:
            message = f"{self._name}: {self._faults.because(error.args[0])}"
            raise Unavailable(message) from error
        if not found:  # is the other side still there?
            self._call(lambda: consumer.list_topics(self._topic, self._timeout))
        return found + more

    def settle(self, messages: Sequence[Message]) -> None:
        """Commit what can be committed. Raise `Unavailable`: then what was not comes again."""
        from confluent_kafka import TopicPartition  # noqa: PLC0415 a driver is imported where it is used

        if not messages:
            return
        consumer = self._consumer
        if consumer is None:
            message = f"{self._name}: left the group, so that these come again"
            raise Unavailable(message)
        found = self._positions.settled([each.mark for each in messages])
        offsets = [TopicPartition(self._topic, partition, offset) for partition, offset in found.items()]
        if offsets:
            self._call(lambda: consumer.commit(offsets=offsets, asynchronous=False))

    def _judged(self, received: Received) -> bool:
        """Say whether this is no message but a report that may be passed over. Raise `Unavailable` for another report."""
        fault = received.error()
        if fault is None:
            return False
        message = f"{self._name}: {self._faults.because(fault)}"
        raise Unavailable(message)

    def _call(self, call: Callable[[], object]) -> None:
        """Call something that may wait for a broker. Raise `Unavailable`; the consumer is let go then."""
        from confluent_kafka import KafkaException  # noqa: PLC0415 a driver is imported where it is used

        try:
            bounded(call, 2 * self._timeout, self._name)
        except KafkaException as error:
            self.close()
            message = f"{self._name}: {self._faults.because(error.args[0])}"
            raise Unavailable(message) from error
        except Unavailable:
            self.close()
            raise

    def _made(self) -> Consumer:
        from confluent_kafka import Consumer  # noqa: PLC0415 a driver is imported where it is used

        if self._consumer is None:
            self._positions = positions = Positions()

            def gone(_: Consumer, partitions: Sequence[Any]) -> None:
                positions.gone([each.partition for each in partitions])

            self._consumer = Consumer(self._config)
            self._consumer.subscribe([self._topic], on_revoke=gone, on_lost=gone)
        return self._consumer

    def close(self) -> None:
        """Leave the group, so that another member takes over at once what is not settled. Closing twice does nothing."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            try:
                bounded(consumer.close, self._timeout, self._name)
            except (Unavailable, RuntimeError):
                return  # it ends by itself, or Kafka forgets the member after a while


def _received(received: Received) -> Message:
    pairs: Any = received.headers() or []
    headers = {each[0]: each[1].decode("utf-8", "replace") if isinstance(each[1], bytes) else "" for each in pairs}
    small = {name.lower(): value for name, value in headers.items()}
    partition, offset = received.partition() or 0, received.offset() or 0
    return Message(
        topic=received.topic() or "",
        body=received.value() or b"",
        time=time.time(),
        id=f"{received.topic()}:{partition}:{offset}",
        headers=headers,
        content_type=small.get("content-type", ""),
        mark=(partition, offset),
    )
