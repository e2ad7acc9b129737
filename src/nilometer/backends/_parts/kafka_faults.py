"""Why Kafka does not answer, in words: librdkafka tells the cause beside the error, to a function that it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.backends._parts.http import shown

if TYPE_CHECKING:
    from confluent_kafka import KafkaError


class Faults:
    """Hears of faults; `because` puts the last one behind an error that tells less."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, fault: KafkaError) -> None:
        """Remember a fault. That all brokers are down is no cause but its end."""
        if fault.name() != "_ALL_BROKERS_DOWN":
            self._last = shown(fault.str())

    def because(self, fault: KafkaError) -> str:
        """Return an error in words, with its cause where one was heard of."""
        last, self._last = self._last, ""
        return shown(fault.str()) + (f" ({last})" if last else "")
