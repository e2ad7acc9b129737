"""A measured application under a server, with a catcher as its StatsD: what the tests over all servers look at.

Every test asks for an endpoint of its own (the first part of the path), so that its lines are told from those of others.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from nilometer.testing.apps import sight
from nilometer.testing.apps.catcher import Catcher
from nilometer.testing.apps.client import Connection, ask
from nilometer.testing.apps.kinds import KINDS
from nilometer.testing.apps.paths import HOST, OPTIONS, PREFIX
from nilometer.testing.apps.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nilometer.testing.apps.client import Answer
    from nilometer.testing.apps.server import AppServer

FLUSH = "50ms"
"""How long a line waits for others, so that no test waits for it."""
APP = "nilometer.testing.apps.measured_{}:application"


class Site:
    """The parts, and short ways to use them."""

    def __init__(self, server: AppServer, catcher: Catcher) -> None:
        self.server, self.catcher, self.name = server, catcher, server.kind.name

    def sees(self, what: str) -> bool:
        """Tell whether the server lets an application see that, by the table of the documentation."""
        return sight.sees(self.name, what)

    def ask(self, path: str, method: str = "GET", body: bytes = b"", **headers: object) -> Answer:
        """Make one request over a connection of its own."""
        return ask(self.server.port, path, method, body, **headers)

    def connect(self, receive_buffer: int = 0) -> Connection:
        """Connect."""
        return Connection(self.server.port, receive_buffer)

    def entered(self, endpoint: str, count: int = 1) -> None:
        """Wait until the application was called, or its endpoint entered, for that many requests."""
        self.catcher.wait(f"entered.{endpoint}", count)

    def values(self, metric: str, of: str = "", count: int = 1) -> list[float]:
        """Wait for that many values of a metric, of an endpoint or of the node, and return all that came."""
        try:
            return self.catcher.wait(series(metric, of), count)
        except TimeoutError as error:
            error.add_note(self.server.told())
            raise

    def seen(self, metric: str, of: str = "") -> list[float]:
        """Return the values that came so far."""
        return self.catcher.values(series(metric, of))


def series(metric: str, of: str = "") -> str:
    """Return the name of a series, of an endpoint or of the node."""
    return f"{HOST}.{PREFIX}.{metric}" + (f".{of}" if of else "")


@contextlib.contextmanager
def site(
    name: str, *more: str, flush: str = FLUSH, options: Mapping[str, object] | None = None, app: str = ""
) -> Iterator[Site]:
    """Start the measured application under the server of that name, with `more` arguments and options of the middleware.

    Its lines wait for others at most as long as `flush` says.
    """
    catcher = Catcher()
    environment = {OPTIONS: json.dumps(options or {})}
    try:
        with running(
            name, app or APP.format(KINDS[name].interface), f"{catcher.url}?flush={flush}", *more, environment=environment
        ) as server:
            yield Site(server, catcher)
    finally:
        catcher.close()
