"""What publishers may write into a message, and a broker passes on: none of it holds up the messages behind."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from pika import BasicProperties  # type: ignore[import-untyped]  # it has no types

from nilometer.core.intake.consumer import LARGEST
from nilometer.core.wire import messages
from nilometer.testing.amqp_bus import Pika
from nilometer.testing.bus_contract import received, source_of

if TYPE_CHECKING:
    import pytest

    from nilometer.testing.rabbitmq import RabbitMQ


class Raw(BasicProperties):  # type: ignore[misc] # pika has no types
    """Properties as they lie on the wire: their flags, then their values."""

    def __init__(self, flag: int, value: bytes) -> None:
        super().__init__()
        self._pieces = [struct.pack(">H", flag), value]

    def encode(self) -> list[bytes]:
        return self._pieces


def table(name: bytes, value: bytes) -> bytes:
    """Return a table of one value, whose first byte is its type, as AMQP writes it."""
    content = bytes([len(name)]) + name + value
    return struct.pack(">I", len(content)) + content


def nested(levels: int) -> bytes:
    """Return tables within tables."""
    inner = b"t\x01"
    for _ in range(levels):
        inner = b"F" + table(b"a", inner)
    return table(b"a", inner)


NO_TEXT = b"\xff\xfe"
HOSTILE = {
    "an id that is no UTF-8": Raw(1 << 7, b"\x02" + NO_TEXT),
    "a content type that is no UTF-8": Raw(1 << 15, b"\x02" + NO_TEXT),
    "a header's name that is no UTF-8": Raw(1 << 13, table(NO_TEXT, b"t\x01")),
    "a header's text that is no UTF-8": Raw(1 << 13, table(b"sent-at", b"S" + struct.pack(">I", 2) + NO_TEXT)),
    "a header with a time far away": Raw(1 << 13, table(b"sent-at", b"T" + struct.pack(">Q", 2**64 - 1))),
    "a time far away": Raw(1 << 6, struct.pack(">Q", 2**64 - 1)),
    "headers without end": Raw(1 << 13, nested(2000)),
    "a codec that nobody wants to run": Raw(1 << 14, b"\x08punycode"),
}


def test_no_message_holds_up_those_behind_it(broker: RabbitMQ, caplog: pytest.LogCaptureFixture) -> None:
    with source_of(f"{broker.url}?exchange=hostile&keys=%23&queue=hostile") as source:
        assert source.receive(1, 0.1) == []
        with Pika(broker.port) as channel:
            for about in HOSTILE.values():
                channel.basic_publish("hostile", "key", b'{"type": "a"}', about)
            channel.basic_publish("hostile", NO_TEXT * 100, b'{"type": "a"}')
            channel.basic_publish("hostile", "key", b"", BasicProperties(message_id="last"))
        found = received(source, len(HOSTILE) + 2)
        source.settle(found)
    assert found[-1].id == "last"
    assert {messages.decode(message).type for message in found[:-1]} == {"a"}
    assert found[-2].topic.strip("\ufffd") == ""
    assert sum("is taken without them" in said for said in caplog.messages) == 4


def test_of_a_message_that_is_too_long_no_more_is_kept_than_shows_it(broker: RabbitMQ) -> None:
    with source_of(f"{broker.url}?exchange=long&keys=%23&queue=long") as source:
        assert source.receive(1, 0.1) == []
        with Pika(broker.port) as channel:
            for size in (LARGEST, LARGEST + 1, LARGEST + (1 << 20), 3):
                channel.basic_publish("long", "key", b"x" * size)
        found = received(source, 4)
        source.settle(found)
    assert [len(message.body) for message in found] == [LARGEST, LARGEST + 1, LARGEST + 1, 3]
