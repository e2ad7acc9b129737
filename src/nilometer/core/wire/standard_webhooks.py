"""Signatures of HTTP requests as Standard Webhooks has them, by HMAC-SHA256.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64
"""Bytes of a secret."""


def secret(text: str) -> bytes:
    """Return the bytes of a secret, ``whsec_`` and base64. Raise ValueError, which shows nothing of it, for anything else."""
    try:
        found = b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if not SHORTEST <= len(found) <= LONGEST:
        message = f"a secret is {PREFIX} and base64 of {SHORTEST} to {LONGEST} bytes"
        raise ValueError(message)
    return found


def headers(identity: str, seconds: int, body: bytes, secrets: Sequence[bytes]) -> dict[str, str]:
    """Return the headers of a request that is sent `seconds` after the epoch: one signature by each secret."""
    signed = b"%s.%d.%s" % (identity.encode(), seconds, body)
    signatures = (b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in secrets)
    return {
        "webhook-id": identity,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
