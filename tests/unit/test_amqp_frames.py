"""Frames of AMQP with anything in them: every message comes, its body as it was sent, and none ends the connection."""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Any

from amqp.serialization import loads  # type: ignore[import-untyped]  # it has no types
from hypothesis import given
from hypothesis import strategies as st

from nilometer.backends._parts.amqp_frames import BODY, DELIVER, HEADER, METHOD, Frames
from nilometer.core.intake.consumer import LARGEST

CHANNEL = 1
SHORT = st.binary(max_size=255)


class Heard:
    """What py-amqp was told of: routing key and content of each delivery."""

    def __init__(self) -> None:
        self.found: list[tuple[str, Any]] = []
        self._frames = Frames(SimpleNamespace(bytes_recv=0), self._came)

    def _came(self, channel: int, method: tuple[int, int], arguments: bytes, content: Any) -> None:  # noqa: ANN401 py-amqp has no types
        assert (channel, method) == (CHANNEL, DELIVER)
        *_, exchange, key = loads("sLbss", arguments, 4)[0]
        assert isinstance(exchange, str)
        self.found.append((key, content))

    def deliver(self, properties: bytes, body: bytes, key: bytes = b"key", exchange: bytes = b"", frame: int = 1 << 17) -> None:
        texts = b"".join(bytes([len(text)]) + text for text in (exchange, key))
        self._frames((METHOD, CHANNEL, struct.pack(">HH", *DELIVER) + b"\x03tag" + bytes(8) + b"\0" + texts))
        self._frames((HEADER, CHANNEL, struct.pack(">HHQ", DELIVER[0], 0, len(body)) + properties))
        for start in range(0, len(body), frame):
            self._frames((BODY, CHANNEL, body[start : start + frame]))


@given(st.binary(max_size=300), st.binary(max_size=20), SHORT, SHORT)
def test_every_message_comes_whatever_its_publisher_wrote(properties: bytes, body: bytes, key: bytes, exchange: bytes) -> None:
    heard = Heard()
    heard.deliver(properties, body, key, exchange)
    heard.deliver(b"\0\0", b"next")
    (told, first), (_, second) = heard.found
    wanted = key.decode("utf-8", "replace")
    assert told == wanted or (wanted.startswith(told) and len(told.encode()) > 252)  # cut where it would be too long
    assert bytes(first.body or b"") == body
    assert second.body == b"next"


@given(st.integers(-2, 2), st.sampled_from([1 << 17, LARGEST, 3 << 20, LARGEST + 1]))
def test_what_is_too_long_is_cut_wherever_frames_end(more: int, frame: int) -> None:
    heard = Heard()
    heard.deliver(b"\0\0", b"x" * (LARGEST + more), frame=frame)
    heard.deliver(b"\0\0", b"next")
    assert [len(content.body) for _, content in heard.found] == [LARGEST + min(more, 1), 4]
