"""A StatsD server that only keeps what it was sent, parsed, line by line."""

from __future__ import annotations

import re
import socket
from typing import NamedTuple

from nilometer.testing._server import Server
from nilometer.testing.waiting import PATIENCE, until

LINE = re.compile(
    r"(?P<name>[^:|#]+):(?P<value>[^:|]+)\|(?P<kind>c|ms|g|s|h|d)(?:\|@(?P<rate>[0-9.e-]+))?(?:\|#(?P<tags>[^|]*))?"
)


class Line(NamedTuple):
    """One line of StatsD: rate 1 where none is written, tags in DogStatsD's way."""

    name: str
    value: float
    kind: str
    rate: float
    tags: dict[str, str]


class Catcher:
    """Receives datagrams at `url` until it is closed."""

    def __init__(self) -> None:
        self._server = Server(("127.0.0.1", 0), socket.SOCK_DGRAM)
        self.url = f"statsd://127.0.0.1:{self._server.port}"
        self.bad: list[str] = []
        self._lines: list[Line] = []
        self._read = 0

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.port

    def datagrams(self) -> list[bytes]:
        """Return every datagram so far."""
        return self._server.inbox.parts()

    def lines(self) -> list[Line]:
        """Return every good line so far; `bad` holds the others."""
        datagrams = self.datagrams()
        for text in b"\n".join(datagrams[self._read :]).decode("utf-8", "backslashreplace").split("\n"):
            match = LINE.fullmatch(text)
            if match:
                self._lines.append(_line(match))
            elif text:
                self.bad.append(text)
        self._read = len(datagrams)
        return list(self._lines)

    def named(self, name: str, **tags: str) -> list[Line]:
        """Return the lines of that name that have those tags."""
        return [line for line in self.lines() if line.name == name and tags.items() <= line.tags.items()]

    def values(self, name: str, **tags: str) -> list[float]:
        """Return the values of the lines of that name and tags, in order."""
        return [line.value for line in self.named(name, **tags)]

    def total(self, name: str, **tags: str) -> float:
        """Return what a counter holds: each line's value divided by its rate."""
        return sum(line.value / line.rate for line in self.named(name, **tags))

    def names(self) -> set[str]:
        """Return every name so far."""
        return {line.name for line in self.lines()}

    def wait(self, name: str, count: int = 1, patience: float = PATIENCE, **tags: str) -> list[float]:
        """Wait for that many lines of a name, and return their values. Raise TimeoutError with the names that came instead."""
        until(lambda: len(self.named(name, **tags)) >= count, f"{count} lines of {name} {tags or ''}", patience, self.told)
        return self.values(name, **tags)

    def told(self) -> str:
        """Return what came, for the message of a failed test."""
        return "\n".join(map(str, self.lines()[-80:])) + "".join(f"\nBAD {line}" for line in self.bad)

    def clear(self) -> None:
        """Forget what came."""
        self._server.inbox.clear()
        self.bad, self._lines, self._read = [], [], 0

    def close(self) -> None:
        """Close the socket."""
        self._server.leave()


def _line(match: re.Match[str]) -> Line:
    pairs = (tag.partition(":") for tag in filter(None, (match["tags"] or "").split(",")))
    return Line(
        match["name"], float(match["value"]), match["kind"], float(match["rate"] or 1), {key: value for key, _, value in pairs}
    )
