"""A real NATS server with JetStream for tests, on a free loopback port, in a folder of its own, stopped by its process.

`make servers` installs it; where it is missing, `Missing` says what to type.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
from typing import TYPE_CHECKING

from nilometer.testing.frozen import freeze
from nilometer.testing.missing import Missing
from nilometer.testing.ports import free_port
from nilometer.testing.servers import CHECKOUT, START, accepts, stop
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def program() -> Path:
    """Return the server's program, below the checkout's ``.cache``. Raise `Missing`."""
    path = CHECKOUT / ".cache" / "nats" / "bin" / "nats-server"
    if not path.exists():
        message = f"{path} is not there; type: make servers"
        raise Missing(message, "nats")
    return path


class Nats:
    """A server; its address stays the same over a restart, and so does what it holds."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder, self.port = folder, free_port()
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server, and return when it accepts."""
        place = ("-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(self.folder / "data"))
        with (self.folder / "output").open("ab") as output:
            command = [str(program()), *place, *self._options]
            self._process = subprocess.Popen(command, stdout=output, stderr=output)  # noqa: S603 ours
        until(lambda: accepts(self.port), "NATS accepts", START, self.log)

    def stop(self) -> None:
        """Stop the server; what it holds stays in its folder."""
        stop(self._process)
        self._process = None

    def freeze(self) -> None:
        """Stop every thread of the server; the system goes on accepting for it."""
        if self._process is not None:
            freeze(self._process.pid)

    def thaw(self) -> None:
        """Let it go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def log(self) -> str:
        """Return the end of what it printed."""
        return (self.folder / "output").read_text(errors="replace")[-4000:]


@contextlib.contextmanager
def nats(folder: Path, *options: str) -> Iterator[Nats]:
    """Start a server in a folder, with more options where wanted, and stop it in the end. Raise `Missing` without one."""
    server = Nats(folder, *options)
    try:
        server.start()
        yield server
    finally:
        server.thaw()
        server.stop()
