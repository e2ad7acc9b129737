"""A real server process for tests: ``nilometer serve`` on free ports, its flushes read from the console sink."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
from signal import SIGTERM, Signals
from typing import TYPE_CHECKING, Any

from nilometer.testing.waiting import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

PROGRAM = (sys.executable, "-c", "from nilometer.cli.main import run; run()")
CONSOLE = "console://?format=json"
INTERFACES = ("admin", "web")
LISTENING = re.compile(r"listening on (\w+)://([^\s,]+)")


class Serving:
    """A server process of a `command`, its kernel by name, by default the one that the tests run with.

    Interfaces listen only where `arguments` say, or are named in `default`.
    `log` holds the lines of its log, `flushes` and `events` what the console sink printed, as JSON gives it.
    """

    def __init__(
        self,
        *arguments: str,
        state: Path,
        kernel: str | None = None,
        sinks: Iterable[str] = (CONSOLE,),
        default: Collection[str] = (),
        command: Sequence[str] = ("serve",),
    ) -> None:
        self.log: list[str] = []
        self.flushes: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        environment = {name: value for name, value in os.environ.items() if not name.startswith("NILOMETER_")}
        quiet = {f"NILOMETER_{name.upper()}_LISTEN": "[]" for name in INTERFACES if name not in default}
        kernel = kernel or os.environ.get("NILOMETER_KERNEL", "auto")
        self.process = subprocess.Popen(  # noqa: S603 the program under test
            [*PROGRAM, *command, *sinks, *arguments],
            env={**environment, **quiet, "NILOMETER_KERNEL": kernel, "NILOMETER_SERVER_STATE": str(state)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._readers = [threading.Thread(target=read, daemon=True) for read in (self._read_printed, self._read_log)]
        for reader in self._readers:
            reader.start()

    def _read_printed(self) -> None:
        for line in self.process.stdout or ():
            if line.startswith(b"{") and line.endswith(b"\n"):  # a server that is killed leaves a part of a line
                printed = json.loads(line)
                (self.flushes if "series" in printed else self.events).append(printed)

    def _read_log(self) -> None:
        for line in self.process.stderr or ():
            self.log.append(line.decode("utf-8", "replace").rstrip("\n"))

    def ready(self) -> Serving:
        """Wait until it says that it is up. Raise RuntimeError with its log when it ends instead."""
        until(lambda: self.said("server is up") or self.process.poll() is not None, "the server is up")
        if self.process.poll() is not None:
            message = f"the server ended with {self.process.returncode}: {self.log}"
            raise RuntimeError(message)
        return self

    def said(self, text: str) -> bool:
        """Return whether a line of the log holds `text`."""
        return any(text in line for line in self.log)

    def address(self, scheme: str) -> tuple[str, int]:
        """Return host and port of its (last) listener of that scheme."""
        found = [match[2] for line in self.log if (match := LISTENING.search(line)) and match[1] == scheme]
        host, _, port = found[-1].rpartition(":")
        return host.strip("[]"), int(port)

    def feed(self, data: bytes, source: str = "127.0.0.1") -> None:
        """Send bytes over TCP from an address of this machine, and return once the server has read them all."""
        with socket.create_connection(self.address("tcp"), source_address=(source, 0)) as client:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            client.recv(1)  # comes to an end when the server has read all

    def interface(self, what: str) -> tuple[str, int]:
        """Return host and port of an interface, by the words that the log has for it."""
        place = next(line.rpartition("://")[2] for line in self.log if f" {what} on " in line)
        host, _, port = place.rpartition(":")
        return host, int(port)

    def stop(self, number: Signals = SIGTERM) -> int:
        """Signal it, and return its exit code once it has ended and everything it wrote is read."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Return its exit code once it has ended and everything it wrote is read."""
        code = self.process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    def kill(self) -> None:
        """End it if it still runs, and close its pipes."""
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()

    def total(self, key: str, statistic: str = "count") -> float:
        """Return the sum of a statistic over all flushes so far."""
        return sum(float(series[statistic]) for series in self.series(key) if statistic in series)

    def series(self, key: str) -> list[dict[str, Any]]:
        """Return what each flush so far says about a key."""
        return [series for flush in list(self.flushes) for series in flush["series"] if series["key"] == key]

    def memory(self) -> int:
        """Return the most resident memory that it had so far, in bytes."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:  # noqa: PTH123 no file on a disk
            kilobytes = next(line.split()[1] for line in status if line.startswith("VmHWM:"))
        return int(kilobytes) * 1024


@contextlib.contextmanager
def statistics_served(*arguments: str, state: Path) -> Iterator[Serving]:
    """Run ``nilometer statistics serve`` until it is up; `interface` of "HTTP interface" is where it answers."""
    command = ("statistics", "serve", "--listen", "127.0.0.1:0")
    server = Serving(*arguments, state=state, sinks=(), command=command)
    try:
        yield server.ready()
    finally:
        server.kill()
