"""An archive for tests: an HTTP server that answers as datagrepper does, with its oddities and whatever fault a test wants.

The real one needs TimescaleDB, which no test machine has.

Source of its behaviour: datagrepper 1.1.0, observed: both ends included; ordered by time, equal times in any order; a page
past the end of a single page says that there are none at all; more than 100 rows a page is 400.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from nilometer.testing.answering import Answering, Asked, Reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_ROWS = 100
SEARCH, RAW = "/v2/search", "/raw"


class Entry(NamedTuple):
    """A message: when it was sent, in seconds since the epoch, and fedora-messaging's record of it."""

    time: float
    record: Mapping[str, Any]
    """Or fedmsg's envelope of it."""


@dataclass
class Faults:
    """What goes wrong: so many next answers are `status`, so many next pages lack a message, or have one twice.

    `page`: only answers with that page fail, if it is not 0. `forms` are the paths that there are.
    """

    failing: int = 0
    status: int = 503
    page: int = 0
    skipping: int = 0
    repeating: int = 0
    forms: set[str] = field(default_factory=lambda: {SEARCH, RAW})


class Archive:
    """The server. `add` messages, set `faults`, look at what was `asked`; `url` opens it."""

    def __init__(self, port: int = 0) -> None:
        self.faults, self._entries, self._lock = Faults(), list[Entry](), threading.Lock()
        self._random = random.Random(20150808)  # noqa: S311 no secret
        self._server = Answering(self._answer, port=port)
        self.url = f"datagrepper+http://{self._server.address}/datagrepper"

    @property
    def asked(self) -> list[dict[str, str]]:
        """The queries, in their order."""
        return [each.query for each in self._server.asked]

    def add(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Have messages, as fedora-messaging records them, or fedmsg's envelopes."""
        with self._lock:
            self._entries += [Entry(sent(record), record) for record in records]

    def __len__(self) -> int:
        """Return how many messages it has."""
        return len(self._entries)

    def close(self) -> None:
        """Close the port and every connection."""
        self._server.close()

    def _answer(self, asked: Asked) -> Reply:
        form = asked.path.removeprefix("/datagrepper")
        with self._lock:
            if form not in self.faults.forms:
                return Reply(404, {"error": "not_found"})
            if self.faults.failing > 0 and self.faults.page in {0, int(asked.query.get("page", "1"))}:
                self.faults.failing -= 1
                return Reply(self.faults.status, b"upstream is away")
            return self._page(asked.query, form)

    def _page(self, query: dict[str, str], form: str) -> Reply:
        rows, page = int(query.get("rows_per_page", "25")), int(query.get("page", "1"))
        if not 0 < rows <= MOST_ROWS or page < 1:
            return Reply(400, {"error": "rows_per_page or page is out of range"})
        end = float(query.get("end", "inf"))
        start = float(query.get("start", end - float(query.get("delta", "0"))))
        found = [each for each in self._entries if start <= each.time <= end]
        self._random.shuffle(found)  # before a stable sort: equal times in any order
        found.sort(key=lambda each: each.time, reverse=query.get("order", "desc") == "desc")
        total, pages = len(found), -(-len(found) // rows)
        shown = self._faulty(found[(page - 1) * rows : page * rows])
        if page > pages == 1:
            total = 0
        listed = [dict(each.record) if form == SEARCH or "msg" in each.record else _envelope(each) for each in shown]
        return Reply(200, {"raw_messages": listed, "total": total, "pages": pages, "count": len(listed), "arguments": query})

    def _faulty(self, found: list[Entry]) -> list[Entry]:
        if found and self.faults.skipping > 0:
            self.faults.skipping -= 1
            found = found[:-1]
        if found and self.faults.repeating > 0:
            self.faults.repeating -= 1
            found = [*found[:-1], found[0]]
        return found


def sent(record: Mapping[str, Any]) -> float:
    """Return when a message was sent, in seconds since the epoch."""
    if "msg" in record:
        return float(record["timestamp"])
    return datetime.fromisoformat(str(record["headers"]["sent-at"])).timestamp()


def _envelope(entry: Entry) -> dict[str, Any]:
    """Return a message as fedmsg had it."""
    record = entry.record
    about: dict[str, list[str]] = {"user": [], "rpm": []}
    for name in record["headers"]:
        kind, _, what = str(name).removeprefix("fedora_messaging_").partition("_")
        about.get(kind, []).append(what)
    return {
        "i": 0,
        "msg_id": record["id"],
        "topic": record["topic"],
        "timestamp": float(int(entry.time)),
        "msg": record["body"],
        "users": about["user"],
        "packages": about["rpm"],
        "headers": record["headers"],
    }
