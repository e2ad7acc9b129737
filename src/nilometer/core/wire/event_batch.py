"""A batch of events as bytes, for the spool: sealed (`sealed`) under the magic "NILE", version 1; an event a line (`event`).

Rules: `decode` raises `InputError` for whatever is no such batch, and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core.wire import event
from nilometer.core.wire.bounded_json import read_object
from nilometer.core.wire.sealed import seal, unseal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.record import Event

MAGIC, VERSION = b"NILE", 1


def encode(events: Sequence[Event]) -> bytes:
    """Return a batch as bytes. Raise ValueError for a time that no calendar has."""
    return seal(MAGIC, VERSION, b"\n".join(map(event.encode, events)))


def decode(data: bytes) -> tuple[Event, ...]:
    """Return the batch that `encode` made these bytes of. Raise `InputError` for anything else."""
    _, body = unseal(MAGIC, (VERSION,), data, "batch of events")
    return tuple(event.from_object(read_object(line), time=0.0, id="") for line in body.split(b"\n") if line)
