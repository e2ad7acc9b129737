"""Events published as oslo.messaging does: a queue for each topic and priority; all of them confirmed by the broker."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from nilometer.core.errors import InputError, Rejected
from nilometer.core.wire import notification
from nilometer.core.wire.event import check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.backends._parts.amqp_link import Link, Topology
    from nilometer.core.record import Event

PERSISTENT = 2


@dataclass(frozen=True, slots=True)
class Form:
    """What goes out: the topics, and whether in an envelope."""

    topics: tuple[str, ...]
    envelope: bool


class Publisher:
    """Publishes on one link. What the broker has not confirmed within `timeout` seconds raises TimeoutError."""

    def __init__(self, link: Link, topology: Topology, form: Form, timeout: float) -> None:
        self._link, self._topology, self._form, self._timeout = link, topology, form, timeout
        self._tag = 0
        self._pending: set[int] = set()
        self._refused = ""
        link.on_channel = self._confirming  # type: ignore[method-assign] # that is what it is for
        self._confirming()

    def _confirming(self) -> None:
        """Have the broker confirm what is published on the channel."""
        channel = self._link.channel
        self._tag = 0
        self._pending.clear()
        channel.events["basic_ack"].add(self._acknowledged)
        channel.events["basic_nack"].add(self._not_taken)
        channel.events["basic_return"].add(self._returned)
        channel.confirm_select()

    def publish(self, events: Sequence[Event]) -> list[str]:
        """Publish the events and wait until the broker has them. Return for each that cannot be written the reason.

        Raise OSError when the broker has not taken one of them, `Rejected` when it takes none such.
        """
        from amqp.exceptions import PreconditionFailed  # type: ignore[import-untyped] # noqa: PLC0415 a driver is imported where it is used, and has no types

        self._refused = ""
        messages, unfit = self._written(events)
        for key in dict.fromkeys(key for key, _ in messages):
            self._link.exchange(self._topology.exchange)
            self._link.queue(self._topology.queue(key))
            self._link.bind(key, self._topology.name, (key,))
        try:
            self._confirmed(messages)
        except PreconditionFailed as error:
            message = f"the broker refuses a message: {error}"
            raise Rejected(message) from error
        return unfit

    def _written(self, events: Sequence[Event]) -> tuple[list[tuple[str, bytes]], list[str]]:
        """Return each message's routing key and body, and the reason for each event that cannot be written, or read back."""
        good, bad = list[tuple[str, bytes]](), list[str]()
        form = self._form
        for event in events:
            try:
                check(event)
                bodies = [(topic, notification.encode(event, envelope=form.envelope, topic=topic)) for topic in form.topics]
            except (InputError, ValueError) as error:
                bad.append(f"event {event.id[:60]!r}: {error}")
            else:
                good += [(f"{topic}.{event.priority}", body) for topic, body in bodies]
        return good, bad

    def _confirmed(self, messages: Sequence[tuple[str, bytes]]) -> None:
        end = monotonic() + self._timeout
        for key, body in messages:
            self._send(key, body)
        while self._pending and not self._refused:
            left = end - monotonic()
            if left <= 0 or not self._link.wait(left):
                message = f"{len(self._pending)} messages are not confirmed after {self._timeout:g} s"
                raise TimeoutError(message)
        if self._refused:
            raise OSError(self._refused)

    def _send(self, key: str, body: bytes) -> None:
        self._tag += 1
        self._pending.add(self._tag)
        self._link.channel.basic_publish(_message(body), self._topology.name, key, mandatory=True)

    def _acknowledged(self, tag: int, multiple: bool) -> None:  # noqa: FBT001 py-amqp calls it
        if multiple:
            self._pending = {each for each in self._pending if each > tag}
        else:
            self._pending.discard(tag)

    def _not_taken(self, tag: int, multiple: bool) -> None:  # noqa: FBT001 py-amqp calls it
        self._acknowledged(tag, multiple)
        self._refused = "the broker did not take a message (nack): a queue is full, or cannot keep it"

    def _returned(self, error: Exception, exchange: str, key: str, message: object) -> None:  # noqa: ARG002 py-amqp calls it
        self._link.forget()
        self._refused = f"no queue is bound to {key} of the exchange {exchange} any more"


def _message(body: bytes) -> Any:  # noqa: ANN401 py-amqp has no types
    """Return a message with the properties that oslo.messaging gives one."""
    import amqp  # type: ignore[import-untyped] # noqa: PLC0415 a driver is imported where it is used, and has no types

    return amqp.Message(
        body,
        content_type=notification.CONTENT_TYPE,
        content_encoding=notification.CONTENT_ENCODING,
        application_headers={},
        delivery_mode=PERSISTENT,
        priority=0,
    )
