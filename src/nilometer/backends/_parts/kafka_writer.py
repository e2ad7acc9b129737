"""Writes events to a topic of Kafka, and waits until Kafka has reported what became of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nilometer.backends._parts.event_progress import EventProgress
from nilometer.backends._parts.http import shown
from nilometer.backends._parts.kafka_faults import Faults
from nilometer.core.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from confluent_kafka import KafkaError, Producer

    from nilometer.backends._parts.event_format import Format, Written
    from nilometer.core.record import Event

GRACE = 2.0
"""Seconds after their timeout within which librdkafka reports messages as failed."""
PAUSE = 0.05


class Writer:
    """A producer, made when it is needed. `name` stands in messages."""

    def __init__(self, name: str, config: Mapping[str, Any], topic: str, form: Format) -> None:
        self._name, self._topic, self._format = name, topic, form
        self._timeout = config["message.timeout.ms"] / 1000
        self._faults = Faults()
        self._config = {**config, "error_cb": self._faults}
        self._progress = EventProgress()
        self._refused: list[str] = []
        self._producer: Producer | None = None

    def write(self, events: Sequence[Event]) -> list[str]:
        """Write the events that were not taken yet. Return why some were refused for good. Raise `Unavailable`."""
        written, unfit = self._format.written(self._progress.left(events))
        faults = self._send(written)
        if faults:
            message = f"{self._name}: {len(faults)} of {len(events)} events are not taken: {self._faults.because(faults[0])}"
            if any(fault.fatal() for fault in faults):
                self.close()
            raise Unavailable(message)
        self._progress.end()
        refused, self._refused = self._refused + unfit, []
        return refused

    def _send(self, written: Sequence[Written]) -> list[KafkaError]:
        """Send events and wait for the reports. Return the faults that another attempt can end."""
        from confluent_kafka import KafkaError, KafkaException  # noqa: PLC0415 a driver is imported where it is used

        refusing = {
            KafkaError.MSG_SIZE_TOO_LARGE,
            KafkaError.INVALID_RECORD,
            KafkaError.POLICY_VIOLATION,
            KafkaError.INVALID_MSG,
        }
        faults, reported = list[KafkaError](), list[bool]()

        def report(each: Written, fault: KafkaError | None) -> None:
            reported.append(True)
            if fault is not None and fault.code() not in refusing:
                faults.append(fault)
                return
            self._progress.took([each.event])
            if fault is not None:
                self._refused.append(f"event {each.event.id[:60]!r}: {shown(fault.str())}")

        producer = self.producer()
        for each in written:
            try:
                self._produce(producer, each, lambda fault, _, each=each: report(each, fault))
            except KafkaException as error:
                report(each, error.args[0])
        producer.flush(self._timeout + GRACE)
        if len(reported) < len(written):
            producer.purge()
            producer.flush(GRACE)
        return faults or [KafkaError(KafkaError._TIMED_OUT)] * (len(written) - len(reported))  # noqa: SLF001 its name is public

    def _produce(self, producer: Producer, each: Written, report: Any) -> None:  # noqa: ANN401 librdkafka's callback
        key = (each.event.tenant or each.event.publisher).encode("utf-8", "replace")
        headers: dict[str, str | bytes | None] = {"content-type": self._format.content_type}
        while True:
            try:
                producer.produce(self._topic, each.body, key, headers=headers, on_delivery=report)
            except BufferError:
                producer.poll(PAUSE)  # every message in the queue has its timeout, so there will be room
            else:
                return

    def cluster(self) -> Any:  # noqa: ANN401 librdkafka's `ClusterMetadata`, which has no type
        """Return what the brokers say about themselves and their topics. Raise `Unavailable`."""
        from confluent_kafka import KafkaException  # noqa: PLC0415 a driver is imported where it is used

        producer = self.producer()
        try:
            return producer.list_topics(timeout=self._timeout)
        except KafkaException as error:
            producer.poll(0)
            message = f"{self._name}: {self._faults.because(error.args[0])}"
            raise Unavailable(message) from error

    def producer(self) -> Producer:
        """Return the producer. Raise `Unavailable` when there can be none, as without a file that it needs."""
        from confluent_kafka import KafkaException, Producer  # noqa: PLC0415 a driver is imported where it is used

        if self._producer is None:
            try:
                self._producer = Producer(self._config)
            except KafkaException as error:
                message = f"{self._name}: {self._faults.because(error.args[0])}"
                raise Unavailable(message) from error
        return self._producer

    def close(self) -> None:
        """Let the producer go; nothing is in its hands by then."""
        self._producer = None
