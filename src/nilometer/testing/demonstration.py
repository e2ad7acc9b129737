"""``nilometer demo`` in a process group of its own, as a terminal runs it; what it says, what it leaves behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from nilometer.testing.asking import ask
from nilometer.testing.waiting import settled, until

if TYPE_CHECKING:
    from collections.abc import Iterable

URL = re.compile(r"Look at (\S+)")
START, STOP = 90.0, 40.0
"""Seconds that it has to come up and to end on a busy machine."""


class Demonstration:
    """A running demonstration. `lines` is what it printed."""

    def __init__(self, *arguments: str) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(  # noqa: S603 the program under test
            [sys.executable, "-m", "nilometer", "demo", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "200"},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._folders: set[Path] = set()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.append(line.decode("utf-8", "replace").rstrip())

    @property
    def said(self) -> str:
        """All that it printed so far."""
        return "\n".join(self.lines)

    @property
    def url(self) -> str:
        """The URL that it printed; waits for it."""
        until(lambda: URL.search(self.said) or self.process.poll() is not None, "it prints a URL", START, lambda: self.said)
        found = URL.search(self.said)
        if found is None:
            raise RuntimeError(self.said)
        return found[1]

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the page."""
        parts = urlsplit(self.url)
        return str(parts.hostname), int(parts.port or 0)

    def paths(self, match: str) -> set[str]:
        """Return the paths of the series that fit a pattern, as the HTTP interface tells them, page by page."""
        found: set[str] = set()
        cursor = ""
        while cursor is not None:
            page = ask(self.address, f"/series?match={match}&limit=1000{cursor and f'&cursor={cursor}'}").json
            found |= {series["path"] for series in page["series"]}
            cursor = page["next"]
        return found

    def lacking(self, wanted: Iterable[str], seconds: float) -> set[str]:
        """Return which of the paths there are not, once `seconds` are over or none is missing."""
        return settled(lambda: set(wanted) - self.paths("*demo*"), lambda missing: not missing, seconds)

    def running(self) -> dict[int, str]:
        """Return its processes, by number: the command lines of those whose working directory is its temporary one."""
        self._folders |= {cwd for child in _children(self.process.pid) if "nilometer-demo-" in str(cwd := _cwd(child))}
        found = (int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit())
        inside = {pid: str(_cwd(pid)) for pid in found}
        return {
            pid: _command(pid) for pid, cwd in inside.items() if any(cwd.startswith(str(folder)) for folder in self._folders)
        }

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to it and to all of its process group, as the terminal does for Ctrl-C."""
        os.killpg(self.process.pid, number)

    def wait(self) -> int:
        """Return its exit code once it has ended."""
        code = self.process.wait(STOP)
        self._reader.join(STOP)
        return code

    def left(self) -> list[str]:
        """Return what it has left behind of what `running` saw: processes, directories, the port."""
        left = [*self.running().values(), *(str(folder) for folder in self._folders if folder.exists())]
        if URL.search(self.said):
            with socket.socket() as link:
                link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    link.bind(self.address)
                except OSError as error:
                    left.append(f"{self.address}: {error}")
        return left

    def kill(self) -> None:
        """End it if it still runs."""
        if self.process.poll() is None:
            self.signal_group(signal.SIGTERM)
            try:
                self.process.wait(STOP)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.wait()
        if self.process.stdout:
            self.process.stdout.close()


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
    except OSError:
        return []


def _cwd(pid: int) -> Path:
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return Path("/")


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""
