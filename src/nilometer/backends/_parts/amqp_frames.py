"""Frames from an AMQP broker, read so that no message holds up those behind it.

Brokers pass on what publishers wrote, and py-amqp raises for what it cannot read: an id that is no UTF-8, a time after the year
9999, tables in tables without end. That would end the connection, and the message would come again with the next one.

Rules:

* A message whose properties cannot be read comes without any. Whoever decodes it judges its body.
* Of a message that is longer than `LARGEST`, which is refused for that, one byte more than that is kept: memory stays bounded.
* In a routing key, what is no UTF-8 is U+FFFD.
* Each such message is told of in the log, at a bounded rate.

Source: https://www.rabbitmq.com/docs/specification, sections 2.3.5 and 4.2
"""

from __future__ import annotations

import logging
from struct import pack, unpack_from
from typing import TYPE_CHECKING, Any

from nilometer.core.clock import SYSTEM
from nilometer.core.intake.consumer import LARGEST
from nilometer.core.show import Allowance, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    Frame = tuple[int, int, bytes]

LOG = logging.getLogger(__name__)
METHOD, HEADER, BODY = 1, 2, 3
DELIVER = (60, 60)
HEAD = 12
"""Bytes of a header before the properties: the class, a weight, the size of the body."""
NO_PROPERTIES = b"\x00\x00"
LONGEST = 255
"""Bytes in a short text."""


class Frames:
    """What py-amqp calls for each frame of one connection, as its own `frame_handler`, which this hands them to."""

    def __init__(self, connection: Any, callback: Callable[..., None]) -> None:  # noqa: ANN401 py-amqp has no types
        from amqp import method_framing  # type: ignore[import-untyped] # noqa: PLC0415 a driver is imported where it is used, and has no types

        self._handle: Callable[[Frame], bool] = method_framing.frame_handler(connection, callback)
        self._allowed = Allowance(SYSTEM)
        self._cut: dict[int, tuple[int, int]] = {}
        """Of channels where too long a message comes: bytes of it that are to be handed on, and bytes that are to come."""

    def __call__(self, frame: Frame) -> bool:
        """Take a frame in. Return whether it was the last of its method."""
        kind, channel, content = frame
        if kind == METHOD and unpack_from(">HH", content) == DELIVER:
            return self._handle((kind, channel, _delivery(content)))
        if kind == HEADER:
            return self._header(channel, content)
        if kind == BODY and channel in self._cut:
            return self._body(channel, content)
        return self._handle(frame)

    def _header(self, channel: int, content: bytes) -> bool:
        (size,) = unpack_from(">Q", content, 4)
        if size > LARGEST:
            self._cut[channel] = (LARGEST + 1, size)
            content = bytes(content[:4]) + pack(">Q", LARGEST + 1) + bytes(content[HEAD:])
        try:
            return self._handle((HEADER, channel, content))
        except Exception as error:  # noqa: BLE001 whatever py-amqp raises for it, the message must not stay in the way
            if self._allowed.take():
                LOG.warning(
                    "the properties of a message cannot be read, and it is taken without them: %s", printable(str(error))
                )
            return self._handle((HEADER, channel, bytes(content[:HEAD]) + NO_PROPERTIES))

    def _body(self, channel: int, content: bytes) -> bool:
        """Hand on what may still be, and forget the rest."""
        wanted, left = self._cut.pop(channel)
        if left > len(content):
            self._cut[channel] = (max(wanted - len(content), 0), left - len(content))
        return self._handle((BODY, channel, content[:wanted])) if wanted else False


def _delivery(content: bytes) -> bytes:
    """Return the arguments of a delivery: method, consumer, tag and flag, then exchange and routing key, which are texts."""
    start = 4 + 1 + content[4] + 8 + 1
    end = start + 1 + content[start]
    texts = (bytes(content[start + 1 : end]), bytes(content[end + 1 : end + 1 + content[end]]))
    try:
        for text in texts:
            text.decode()
    except UnicodeDecodeError:
        return bytes(content[:start]) + b"".join(map(_text, texts))
    return content


def _text(text: bytes) -> bytes:
    """Return a short text as AMQP writes it, cut where it would be too long."""
    told = text.decode("utf-8", "replace").encode()[:LONGEST].decode("utf-8", "ignore").encode()
    return bytes([len(told)]) + told
