"""Batches of events as bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nilometer.core.errors import InputError
from nilometer.core.wire.event_batch import MAGIC, decode, encode
from nilometer.core.wire.sealed import seal
from nilometer.testing.event_examples import any_event

if TYPE_CHECKING:
    from nilometer.core.record import Event


@given(st.lists(any_event(), max_size=2))
@settings(max_examples=20)  # what an event can be is tried in `test_wire_event`
def test_a_batch_reads_back(events: list[Event]) -> None:
    found = decode(encode(events))
    assert [(event.id, event.type, event.payload, event.context) for event in found] == [
        (event.id, event.type, event.payload, event.context) for event in events
    ]
    assert [event.time for event in found] == pytest.approx([event.time for event in events])


@given(st.binary())
def test_anything_else_is_an_input_error(data: bytes) -> None:
    with pytest.raises(InputError):
        decode(data)
    with pytest.raises(InputError):
        decode(seal(MAGIC, 1, b"!" + data))


def test_what_lies_too_deep_is_an_input_error() -> None:
    with pytest.raises(InputError):
        decode(seal(MAGIC, 1, b"[" * 100_000))
