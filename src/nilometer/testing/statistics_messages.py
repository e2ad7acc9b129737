"""Messages as fedora-messaging records them, made for tests of statistics."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

BEGIN = 1_767_571_200
"""The first second of a Monday in January 2026, in seconds since the epoch."""
SPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
TOPIC = "org.fedoraproject.prod.git.receive"


def made(number: int, at: float, topic: str = TOPIC, name: str = "") -> dict[str, Any]:
    """Return a message sent at a time, its id made of the number or the name."""
    sent = datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
    headers = {"fedora_messaging_schema": "base.message", "fedora_messaging_severity": 20, "sent-at": sent}
    id_ = str(uuid.uuid5(SPACE, name or f"case/g{number}"))
    return {"id": id_, "topic": topic, "headers": headers, "body": {}, "queue": None, "priority": 0}


def many(count: int, step: float = 1.0, begin: float = BEGIN) -> list[dict[str, Any]]:
    """Return so many messages, `step` seconds apart."""
    return [made(number, begin + number * step) for number in range(count)]


def growing() -> Iterator[dict[str, Any]]:
    """Yield messages of two categories, one more each minute: 19 rows of a minute."""
    for i in range(10):
        for c in ("bodhi", "git"):
            for k in range(2 * i + (c == "git")):
                yield made(0, BEGIN + 60 * i + k, f"org.fedoraproject.prod.{c}.x", f"case/f{i}{c}{k}")


def sets(given: Mapping[str, list[dict[str, Any]]]) -> Callable[[str], list[dict[str, Any]]]:
    """Return what finds messages by name: a set that is `given`, a generated one (F, G), or a part of one, as ``G[0:100]``."""
    known = {**given, "F": list(growing()), "G": many(300)}

    def find(name: str) -> list[dict[str, Any]]:
        match = re.fullmatch(r"(\w+)(?:\[(\d+):(\d+)\])?", name)
        if match is None:
            raise KeyError(name)
        found = known[match[1]]
        return found[int(match[2]) : int(match[3])] if match[2] else found

    return find
