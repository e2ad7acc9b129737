"""OSProfiler's signed headers: which trace a request belongs to, told by someone who holds a key.

::

    X-Trace-Info: eyJiYXNlX2lkIjogInkiLCAicGFyZW50X2lkIjogInoifQ==        base64 of {"base_id": "y", "parent_id": "z"}
    X-Trace-HMAC: 3841574a581c67797571a5e8154cf7b651efc4f8                HMAC-SHA1 of that base64, in hexadecimal

Source: osprofiler 4.4.0, ``osprofiler/_utils.py`` and ``osprofiler/web.py``.

Rules:

* What is not signed with one of the keys, or is no such text, is no trace: `verified` returns None, and never raises.
* The key that fits is part of the answer: calls further on are signed with it, so that keys can be changed one by one.
* OSProfiler's headers hold no time, so they can be sent again for ever. `signed` with `now` adds a member ``expires``, of which
  `verified` with `now` lets pass what is not over; OSProfiler's own middleware refuses such headers, and so does `verified`
  without `now`. `verified` with ``strict=True`` refuses headers without it.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from nilometer.core.errors import InputError
from nilometer.core.traces.ids import LONGEST
from nilometer.core.wire.bounded_json import read_object

if TYPE_CHECKING:
    from collections.abc import Iterable

INFO, SIGNATURE = "X-Trace-Info", "X-Trace-HMAC"
LARGEST = 4096
"""Characters of the header of ids, at most."""
LIFE = 300.0
"""Seconds for which headers with a time are good."""


class Given(NamedTuple):
    """What the headers of a request say: the trace's id, the caller's current span's, and the key that signed it."""

    key: str
    base_id: str | int
    parent_id: str | int


def signed(key: str, base_id: str, parent_id: str, *, now: float | None = None) -> tuple[str, str]:
    """Return the two headers. `now`, in seconds since the epoch, makes them good for `LIFE` seconds only."""
    told: dict[str, Any] = {"base_id": base_id, "parent_id": parent_id}
    if now is not None:
        told["expires"] = round(now + LIFE)
    info = base64.urlsafe_b64encode(json.dumps(told).encode())
    return info.decode(), _signature(key, info)


def _signature(key: str, info: bytes) -> str:
    return hmac.new(key.encode("utf-8", "surrogateescape"), info, "sha1").hexdigest()


def verified(
    info: str | None, signature: str | None, keys: Iterable[str], *, now: float | None = None, strict: bool = False
) -> Given | None:
    """Return what the headers say when they are signed with one of the keys, None for all else."""
    if not info or not signature or len(info) > LARGEST or not info.isascii():
        return None
    key = _key(info.encode(), signature.strip(), keys)
    return None if key is None else _given(key, info, now, strict=strict)


def _key(info: bytes, signature: str, keys: Iterable[str]) -> str | None:
    """Return the key that signed; every comparison takes the same time."""
    found = signature.encode("utf-8", "replace")
    return next((key for key in keys if key and hmac.compare_digest(_signature(key, info).encode(), found)), None)


def _given(key: str, info: str, now: float | None, *, strict: bool) -> Given | None:
    try:
        told = read_object(base64.b64decode(info.replace("-", "+").replace("_", "/"), validate=False), LARGEST)
    except (InputError, binascii.Error, ValueError):
        return None
    expires = told.pop("expires", None)
    if expires is not None and (now is None or type(expires) not in (int, float) or expires < now):
        return None
    if (expires is None and strict) or not told.keys() <= {"base_id", "parent_id", "hmac_key"}:
        return None
    base, parent = told.get("base_id"), told.get("parent_id")
    if "base_id" not in told or not (_is_id(base) and (parent is None or _is_id(parent))):
        return None
    return Given(key, base, base if parent is None else parent)  # type: ignore[arg-type]  # `_is_id`


def _is_id(found: object) -> bool:
    return isinstance(found, str | int) and not isinstance(found, bool) and len(str(found)[: LONGEST + 1]) <= LONGEST
