"""A batch of spans as bytes, for the spool: sealed (`sealed`) under the magic "NILS", version 1; rows of JSON (`span`).

Rules: `decode` raises `InputError` for whatever is no such batch, and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core.wire import span
from nilometer.core.wire.sealed import seal, unseal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.traces.span import Span

MAGIC, VERSION = b"NILS", 1


def encode(spans: Sequence[Span]) -> bytes:
    """Return a batch as bytes."""
    return seal(MAGIC, VERSION, span.encode(spans))


def decode(data: bytes) -> tuple[Span, ...]:
    """Return the batch that `encode` made these bytes of. Raise `InputError` for anything else."""
    _, body = unseal(MAGIC, (VERSION,), data, "batch of spans")
    return tuple(span.decode(body))
