"""A server process that runs one of the applications here, its log collected."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

from nilometer.testing.apps.kinds import KINDS
from nilometer.testing.apps.paths import STATSD
from nilometer.testing.ports import free_port
from nilometer.testing.servers import accepts, stop
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.testing.apps.kinds import Kind

MEASURING = "COVERAGE_PROCESS"
"""How the variables begin that would have coverage measure the process: tracing makes sleeps the smaller part of a request."""


class AppServer:
    """An application under a server. `log` holds the lines of everything that its processes printed."""

    def __init__(self, kind: Kind, app: str, statsd: str, *more: str, environment: dict[str, str] | None = None) -> None:
        self.kind, self.port, self.log = kind, free_port(), list[str]()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(MEASURING)}
        self.process = subprocess.Popen(  # noqa: S603 a server of the table
            kind.arguments(self.port, app, *more),
            env={**kept, "PYTHONUNBUFFERED": "1", **(environment or {}), STATSD: statsd},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.log.append(line.decode("utf-8", "replace").rstrip("\n"))

    def ready(self) -> AppServer:
        """Wait until it accepts connections. Raise RuntimeError with its log when it ends instead."""
        until(lambda: self.process.poll() is not None or accepts(self.port), f"{self.kind.name} accepts", told=self.told)
        if self.process.poll() is not None:
            self._reader.join()
            message = f"{self.kind.name} ended with {self.process.returncode}: {self.told()}"
            raise RuntimeError(message)
        return self

    def told(self) -> str:
        """Return the end of its log."""
        return "\n".join(self.log[-50:])

    def said(self, text: str) -> bool:
        """Return whether a line of the log holds `text`."""
        return any(text in line for line in list(self.log))

    def stop(self) -> int:
        """Have the process that was started stop in its own way, and return its exit code once all that it printed is read."""
        stop(self.process, self.kind.stop)
        self.kill()
        return self.process.returncode

    def kill(self) -> None:
        """End every process that still runs, and close the pipe."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join()
        if self.process.stdout:
            self.process.stdout.close()


@contextlib.contextmanager
def running(name: str, app: str, statsd: str, *more: str, environment: dict[str, str] | None = None) -> Iterator[AppServer]:
    """Start an application under the server of that name, wait until it accepts, and end it after use."""
    server = AppServer(KINDS[name], app, statsd, *more, environment=environment)
    try:
        yield server.ready()
    finally:
        server.kill()
