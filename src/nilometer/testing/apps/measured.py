"""How the applications of tests are measured: the options of both middlewares; the client's URL comes by the environment."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nilometer.emit.requests import endpoints
from nilometer.testing.apps.paths import HOST, STATSD, TIMEOUT, asked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nilometer.emit.requests.options import Subject


def endpoint(subject: Subject) -> str | None:
    """Name the endpoint as the path does, when it says something that the application knows."""
    from nilometer.testing.apps.wsgi import HANDLERS  # noqa: PLC0415 what an application knows, it says itself

    request = asked(subject["path"] if "path" in subject else subject["PATH_INFO"], "")
    return request.endpoint if request.what in HANDLERS else None


def options() -> dict[str, Any]:
    """Return the options of both middlewares."""
    groups = {"node", "endpoint", "tenant", "endpoint_tenant"}
    limits = {"receive_timeout": TIMEOUT, "send_timeout": TIMEOUT}
    return {
        "host": HOST,
        "groups": groups,
        "endpoint": endpoint,
        "tenant": endpoints.tenant_header(),
        "client": Direct(os.environ[STATSD]),
        **limits,
    }


class Direct:
    """Sends each line by itself and at once: what a request tells has come when its last line has."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._link.connect((place.hostname or "", place.port or 0))

    def emit(self, kind: str, stat: str, value: float, rate: float = 1.0, tags: Iterable[tuple[str, str]] = ()) -> None:
        """Send a line as it is."""
        told = (f"|@{rate:g}" if rate < 1 else "") + ("|#" + ",".join(map(":".join, tags)) if tags else "")
        self._link.send(f"{stat}:{value}|{kind}{told}".encode())
