"""Messages received from an AMQP broker, each acknowledged when it is settled."""

from __future__ import annotations

import hashlib
import itertools
import math
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from nilometer.core.record import Message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nilometer.backends._parts.amqp_link import Link

_numbers = itertools.count()


class Mark(NamedTuple):
    """What a message is acknowledged by; `consumer` tells whether that is still this connection."""

    consumer: int
    tag: int


class Consumer:
    """Consumes from queues on one link, at most `prefetch` messages ahead of what is settled, in each."""

    def __init__(self, link: Link, queues: Sequence[str], prefetch: int) -> None:
        self._link, self._names, self._number, self._prefetch = link, tuple(queues), next(_numbers), prefetch
        self._buffer: deque[Message] = deque()
        self._open: dict[int, None] = {}
        """Tags of what came and is not settled, in order."""
        self._gone = ""
        link.channel.basic_qos(0, prefetch, a_global=False)
        for name in self._names:
            link.channel.basic_consume(name, callback=self._came, on_cancel=self._cancelled)

    def receive(self, most: int, seconds: float) -> list[Message]:
        """Return up to `most` messages, waiting up to `seconds` for the first. Raise OSError when a queue is gone."""
        end = time.monotonic() + seconds
        while not self._buffer and (left := end - time.monotonic()) > 0:
            self._link.wait(left)
            self._check()
        while len(self._buffer) < most and self._link.wait(0):
            self._check()
        if not self._buffer:
            self._link.look(self._names[0])  # nothing came: is the other side still there?
        return [self._buffer.popleft() for _ in range(min(most, len(self._buffer)))]

    def settle(self, messages: Sequence[Message]) -> None:
        """Acknowledge messages, and see that the broker has read that. Raise OSError for those of an older connection."""
        if any(message.mark.consumer != self._number for message in messages):
            message = "the connection broke before these messages were acknowledged; they come again"
            raise OSError(message)
        tags = [message.mark.tag for message in messages]
        for tag in tags:
            self._open.pop(tag, None)
        first = next(iter(self._open), math.inf)
        if whole := [tag for tag in tags if tag < first]:
            self._link.channel.basic_ack(max(whole), multiple=True)  # of those up to it, none is left
        for tag in tags:
            if tag > first:
                self._link.channel.basic_ack(tag)
        self._link.channel.basic_qos(0, self._prefetch, a_global=False)

    def _check(self) -> None:
        if self._gone:
            raise OSError(self._gone)

    def _cancelled(self, tag: str) -> None:
        self._gone = f"the broker has cancelled the consumer {tag}: its queue is gone"

    def _came(self, message: Any) -> None:  # noqa: ANN401 py-amqp has no types
        about, said, body = message.delivery_info, message.properties, bytes(message.body or b"")
        self._open[about["delivery_tag"]] = None
        self._buffer.append(
            Message(
                topic=about["routing_key"],
                body=body,
                time=time.time(),
                id=said.get("message_id") or _id(about["routing_key"], body),
                headers=_named(said.get("application_headers") or {}),
                content_type=said.get("content_type") or "",
                redelivered=bool(about["redelivered"]),
                mark=Mark(self._number, about["delivery_tag"]),
            )
        )


def _named(headers: Mapping[str | bytes, Any]) -> dict[str, Any]:
    """Return headers by names that are text: py-amqp leaves those that are no UTF-8 as bytes."""
    return {name if isinstance(name, str) else name.decode("utf-8", "replace"): value for name, value in headers.items()}


def _id(topic: str, body: bytes) -> str:
    """Return an id for a message without one, the same whenever it comes."""
    return hashlib.sha256(topic.encode() + b"\n" + body).hexdigest()[:32]
