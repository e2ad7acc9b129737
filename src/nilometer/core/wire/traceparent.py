"""W3C Trace Context: which trace a request belongs to, told to whoever wants to know.

::

    traceparent: 00-4e3e0ec6293840b1850409eb1d4b0dee-850409eb1d4b0dee-01
    tracestate: vendor=value,other=value

Source: https://www.w3.org/TR/trace-context/

Rules:

* `read` returns None for whatever is no such header, and never raises. Versions to come are read as far as they are known.
* What a tracestate holds is handed on as it is, as far as it is well made and no longer than `LONGEST`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

PARENT, STATE = "traceparent", "tracestate"
FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
MEMBER = re.compile(r"[a-z0-9][a-z0-9_*/@-]{0,255}=[ -+\--<>-~]{0,256}", re.ASCII)
NEVER, NOW = "ff", "00"
SAMPLED = 1
LONGEST, MEMBERS = 512, 32
"""Characters and members of a tracestate."""


class Parent(NamedTuple):
    """What the headers of a request say."""

    trace: str
    span: str
    sampled: bool
    state: str = ""


def read(parent: str | None, state: str | None = None) -> Parent | None:
    """Return what the headers say, None when they say nothing."""
    match = FORM.fullmatch(parent.strip(" \t")) if parent else None
    if match is None or match[1] == NEVER or (match[1] == NOW and match[5]):
        return None
    if not match[2].strip("0") or not match[3].strip("0"):
        return None
    return Parent(match[2], match[3], bool(int(match[4], 16) & SAMPLED), known(state))


def known(state: str | None) -> str:
    """Return a tracestate that can be handed on, empty where it is none."""
    if not state or len(state) > LONGEST:
        return ""
    members = [member.strip(" \t") for member in state.split(",") if member.strip(" \t")]
    keys = {member.partition("=")[0] for member in members}
    sound = len(members) <= MEMBERS and len(keys) == len(members) and all(map(MEMBER.fullmatch, members))
    return ",".join(members) if sound else ""


def written(trace: str, span: str, *, sampled: bool) -> str:
    """Return the header of a span whose ids are 32 and 16 hexadecimal digits."""
    return f"{NOW}-{trace}-{span}-{SAMPLED if sampled else 0:02x}"
