"""What the applications read from a request: ``/ENDPOINT/WHAT?argument=…``; WHAT is the name of a function of theirs."""

from __future__ import annotations

import os
import socket
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

STATSD = "MEASURED_APP_STATSD"
"""The variable that tells an application the URL of its StatsD."""
OPTIONS = "MEASURED_APP_OPTIONS"
"""The variable that holds further options of the middleware, as JSON."""
HOST, PREFIX = "node1", "mdb.req"
"""What all names of the measured applications begin with."""
TIMEOUT = 0.3
"""Seconds of one wait for a client which the measured applications count as a timeout."""

DISPATCH, PROCESSING, RESPONDING = 0.1, 0.4, 0.2
"""Seconds that `timed` sleeps: before its endpoint is entered, before the answer starts, before each of its two pieces."""
CHUNK = bytes(1 << 16)
"""What big answers consist of."""
PIECE = 1 << 14
"""Bytes that are asked for when a body is read."""


class Asked(NamedTuple):
    """A request as its path and query tell it."""

    endpoint: str
    what: str
    arguments: dict[str, str]

    def number(self, name: str, default: float = 0) -> float:
        """Return an argument as a number."""
        return float(self.arguments.get(name, default))


def asked(path: str, query: str) -> Asked:
    """Read a path and a query."""
    endpoint, _, what = path.strip("/").partition("/")
    return Asked(endpoint, what or "hello", {name: values[-1] for name, values in parse_qs(query).items()})


def announce(request: Asked) -> None:
    """Tell StatsD, past everything that is tested, that the application was entered: clients in tests wait for that."""
    place = urlsplit(os.environ[STATSD])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.sendto(f"entered.{request.endpoint}:1|c".encode(), (place.hostname or "", place.port or 0))
