"""Messages as Fedora's bus brings them, made: in the form of fedora-messaging's records.

One a second, which is about what the public bus has; about 1 kB each; 24 topics of 8 services, some much more frequent than
others, 400 users and 2,000 packages.
"""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

STEP = 1
"""Seconds between two messages."""
SERVICES = ("buildsys", "copr", "git", "bodhi", "pagure", "koschei", "wiki", "badges")
EVENTS = ("build.end", "state.change", "update.comment")
FREQUENT = (40, 25, 12, 8, 8, 4, 2, 1)
"""How much of all there is of each service."""
USERS, PACKAGES = 400, 2000
TEXT = "Rebuilt for https://fedoraproject.org/wiki/Fedora_44_Mass_Rebuild; " * 8


def records(count: int, begin: float) -> Iterator[dict[str, Any]]:
    """Yield messages in the form of fedora-messaging's records, in order of time."""
    chance = random.Random(1)  # noqa: S311 to be the same every time
    for number in range(count):
        yield record(begin + number * STEP, chance)


def record(at: float, chance: random.Random) -> dict[str, Any]:
    """Return one message."""
    (service,) = chance.choices(SERVICES, FREQUENT)
    user, package = f"user{int(USERS * chance.random() ** 3)}", f"package{int(PACKAGES * chance.random() ** 2)}"
    owner = "io.pagure" if service == "pagure" else "org.fedoraproject"
    headers = {
        "fedora_messaging_schema": "base.message",
        "fedora_messaging_severity": 20,
        "sent-at": datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds"),
        f"fedora_messaging_user_{user}": True,
        f"fedora_messaging_rpm_{package}": True,
    }
    body = {
        "agent": user,
        "project": {"name": package, "namespace": "rpms", "url": f"https://src.fedoraproject.org/rpms/{package}"},
        "build": {"id": chance.randrange(10**7), "arch": "x86_64", "state": 1, "epoch": None, "version": "1.2.3"},
        "comment": TEXT,
    }
    topic = f"{owner}.prod.{service}.{chance.choice(EVENTS)}"
    identity = str(uuid.UUID(int=chance.getrandbits(128), version=4))
    return {"id": identity, "topic": topic, "headers": headers, "body": body, "queue": None, "priority": 0}
