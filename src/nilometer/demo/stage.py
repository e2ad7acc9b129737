"""All processes together. `start` brings them up one after the other, `end` takes them down the other way round.

Rules:

* Everything that is kept lies in one temporary folder, which goes with the processes, whatever happened.
* One part that ends by itself ends all, with an error that says which and what it printed last.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from nilometer.core.errors import ConfigError, Unavailable
from nilometer.demo import figures, parts
from nilometer.demo.process import Process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.demo.figures import Figures
    from nilometer.demo.parts import Program
    from nilometer.demo.signals import Ending

START, STOP = 40.0, 6.0
"""Seconds that a process has to come up, and to end."""


class Wanted(NamedTuple):
    """What the user asked for: the port of the page (0: any), and requests a second."""

    port: int = 0
    rate: float = 20.0


class Stage:
    """A context: on leaving it, nothing is left. `base` is the server's ``http://host:port`` once it is up."""

    def __init__(self, wanted: Wanted, ending: Ending) -> None:
        self._wanted, self._ending = wanted, ending
        self._processes: list[Process] = []
        self.base = ""

    def __enter__(self) -> Self:
        parts.check()
        try:
            self.folder = Path(tempfile.mkdtemp(prefix="nilometer-demo-"))
        except OSError as error:
            message = f"no temporary directory can be made: {error}; TMPDIR may name another place"
            raise ConfigError(message) from error
        return self

    def __exit__(self, *_: object) -> None:
        try:
            while self._processes:
                self._processes[-1].end(STOP, self._ending.hurry)
                self._processes.pop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> Iterator[str]:
        """Bring everything up; yield what is being done, before it is. Raise `Unavailable` when a part does not come up."""
        enough = self._ending.enough
        yield "the server"
        server = self._run(parts.server(self.folder, self._wanted.port))
        server.wait_for(parts.SERVER_UP, START, enough)
        statsd = server.wait_for(parts.SERVER_UDP, START, enough)
        self.base = server.wait_for(parts.SERVER_WEB, START, enough)
        yield "the table service"
        service = self._run(parts.service(self.folder, statsd.replace("udp:", "statsd:"), self.base))
        url = service.wait_for(parts.SERVICE_UP, START, enough)
        yield "the traffic"
        self._run(parts.traffic(url, self._wanted.rate)).wait_for(parts.TRAFFIC_UP, START, enough)
        yield "the first metrics"
        self._wait_for_figures()

    def _run(self, program: Program) -> Process:
        process = Process(program.name, program.arguments, parts.environment(), self.folder)
        self._processes.append(process)
        return process

    def _wait_for_figures(self) -> None:
        end = time.monotonic() + START
        while self.figures() is None and not self._ending.enough.wait(0.2):
            self.check()
            if time.monotonic() > end:
                message = f"no metric of the table service arrived within {START:g} s"
                raise Unavailable(message)

    def check(self) -> None:
        """Raise `Unavailable` when a part has ended by itself."""
        for process in self._processes:
            if process.ended:
                raise process.failure()

    def figures(self) -> Figures | None:
        """Return what the server says of the last second."""
        return figures.latest(self.base)
