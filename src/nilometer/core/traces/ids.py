"""Ids of traces and spans, as W3C and OpenTelemetry write them and as OSProfiler does: one canonical form, and back.

Rules:

* A trace's id is 32 hexadecimal digits in lower case, a span's 16: W3C Trace Context, https://www.w3.org/TR/trace-context/.
* OSProfiler has UUIDs for both. A trace's UUID is the same 128 bits. A span's UUID is kept whole, as 32 digits, unless its high
  half is zero: then it stands for the 16 digits of the low half. So a span of ours has an OSProfiler UUID, and comes back.
* New ids are random, of a source of their own: an application that seeds ``random`` gets no id twice, nor does a forked child.
* Whatever else OSProfiler lets pass as an id (any text, a number) is its text, and stays as it is.
"""

from __future__ import annotations

import os
import re
from hashlib import blake2b
from random import Random

LONGEST = 255
"""Characters of an id, at most."""
TRACE, SPAN = 32, 16
HEX = re.compile(r"[0-9a-f]+", re.ASCII)
UUID = re.compile(r"([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})", re.ASCII | re.IGNORECASE)
ZEROS = "0" * SPAN
_source = Random()  # noqa: S311 names, no secrets
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_source.seed)
_bits = _source.getrandbits


def new_trace() -> str:
    """Return the id of a new trace."""
    return f"{_bits(128) or 1:032x}"


def new_span() -> str:
    """Return the id of a new span."""
    return f"{_bits(64) or 1:016x}"


def new_uuid() -> str:
    """Return a random UUID, of version 4 (RFC 9562), as OSProfiler's ids are."""
    digits = f"{_bits(128) & ~(0xF << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def trace_id(text: str) -> str:
    """Return the canonical form of a trace's id: a UUID's 32 digits, anything else as it is, cut to `LONGEST`."""
    match = UUID.fullmatch(text)
    return "".join(match.groups()).lower() if match else text[:LONGEST]


def span_id(text: str) -> str:
    """Return the canonical form of a span's id: a UUID's digits, 16 where its high half is zero; anything else as it is."""
    found = trace_id(text)
    return found[SPAN:] if len(found) == TRACE and found.startswith(ZEROS) and HEX.fullmatch(found) else found


def uuid(found: str) -> str:
    """Return an id, trace's or span's, as OSProfiler writes it: 32 and 16 digits as UUID, anything else as it is."""
    if len(found) not in (TRACE, SPAN) or not HEX.fullmatch(found):
        return found
    digits = found.rjust(TRACE, "0")
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def spellings(trace: str) -> tuple[str, ...]:
    """Return the ways in which a trace's id may stand where OSProfiler has written it, the usual one first."""
    canonical = trace_id(trace)
    return tuple(dict.fromkeys((uuid(canonical), canonical, trace, uuid(canonical).upper(), canonical.upper())))


def w3c_trace(found: str) -> str:
    """Return the 32 digits under which a trace travels in W3C's headers and OTLP. An id that is no UUID gets a digest."""
    if len(found) == TRACE and HEX.fullmatch(found) and found.strip("0"):
        return found
    return blake2b(found.encode("utf-8", "replace"), digest_size=TRACE // 2).hexdigest()


def w3c_span(found: str) -> str:
    """Return the 16 digits of a span in W3C's headers and OTLP: a UUID's low half, as OSProfiler does; else a digest."""
    if len(found) in (TRACE, SPAN) and HEX.fullmatch(found) and found[-SPAN:].strip("0"):
        return found[-SPAN:]
    return blake2b(found.encode("utf-8", "replace"), digest_size=SPAN // 2).hexdigest()


def short(found: str) -> str:
    """Return a span's id as people write it: the low 64 bits in hexadecimal without leading zeros, as OSProfiler does."""
    return w3c_span(found).lstrip("0") or "0"
