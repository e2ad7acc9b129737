"""The HTTP interface over statistics that a test gives: one server, in this process, for many tests."""

from __future__ import annotations

import http.client
import json
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from nilometer.core import url as urls
from nilometer.ingest._reference import ReferenceKernel
from nilometer.testing.control import control
from nilometer.testing.waiting import PATIENCE
from nilometer.web.access import Access
from nilometer.web.app import application
from nilometer.web.parts import Parts
from nilometer.web.server import WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.testing.statistics import FakeStatistics

BASE = "/api/v1/statistics"


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:  # noqa: ANN401 whatever JSON can hold
        """The body as JSON."""
        return json.loads(self.text)

    @property
    def error(self) -> str:
        """What is wrong, in words."""
        return str(self.json["error"]["message"])


class Served(NamedTuple):
    """A server, and what its statistics are now."""

    address: tuple[str, int]
    held: list[FakeStatistics | None]

    def ask(self, path: str, method: str = "GET", base: str = BASE, **headers: str) -> Answer:
        """Return the answer to one request."""
        with closing(http.client.HTTPConnection(*self.address, timeout=PATIENCE)) as connection:
            connection.request(method, base + path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): v for name, v in answer.getheaders()}, answer.read().decode())


@contextmanager
def served(access: Access | None = None) -> Iterator[Served]:
    """Run the HTTP interface over statistics that a test puts into `held`."""
    held: list[FakeStatistics | None] = [None]
    asked = control(ReferenceKernel(), statistics=lambda: None if held[0] is None else held[0].status())
    parts = Parts(asked, statistics=lambda: held[0])
    started = WebServer(lambda: application(parts, access or Access()))
    host, _, port = started.listen(urls.parse("http://127.0.0.1:0"))[0].rpartition(":")
    started.start()
    try:
        yield Served((host, int(port)), held)
    finally:
        started.stop()
