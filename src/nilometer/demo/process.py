"""One process of the demonstration.

Rules:

* It has a session of its own: what is typed on the terminal reaches only the process that started it, which ends all in order.
* What it prints is read all the time; the last lines are kept, to be shown should it fail.
* `end` leaves neither it nor what it has started.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from nilometer.core.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from threading import Event

LINES, SHOWN = 200, 8
"""How many lines are kept, and how many are shown when it fails."""
PAUSE = 0.02


class Process:
    """A running program: `name` is what people call it."""

    def __init__(self, name: str, arguments: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self._lines: deque[str] = deque(maxlen=LINES)
        command = [sys.executable, "-m", "nilometer.demo.tied", str(os.getpid()), sys.executable, *arguments]
        self._process = subprocess.Popen(  # noqa: S603 our own programs
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name=f"demo-{name}", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._lines.append(line.decode("utf-8", "replace").rstrip())

    @property
    def ended(self) -> bool:
        """Whether it is no more."""
        return self._process.poll() is not None

    def wait_for(self, pattern: str, seconds: float, enough: Event) -> str:
        """Return the first group of `pattern` in what it prints, empty when `enough` came first. Raise `Unavailable`."""
        wanted, end = re.compile(pattern), time.monotonic() + seconds
        while not enough.wait(PAUSE):
            ended = self.ended
            if ended:
                self._reader.join(1)
            found = next(filter(None, map(wanted.search, list(self._lines))), None)
            if found:
                return found[1]
            if ended:
                raise self.failure()
            if time.monotonic() > end:
                message = f"{self.name} did not start within {seconds:g} s{self._last()}"
                raise Unavailable(message)
        return ""

    def failure(self) -> Unavailable:
        """Return the error that says how it ended, with the last lines that it printed."""
        code = self._process.returncode
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return Unavailable(f"{self.name} {how}{self._last()}")

    def _last(self) -> str:
        lines = list(self._lines)[-SHOWN:]
        return "; the last that it printed:" + "".join(f"\n  {line}" for line in lines) if lines else ""

    def end(self, seconds: float, hurry: Event) -> None:
        """Ask it to end, and make it after `seconds` or in a hurry; then what it has started."""
        if not self.ended:
            self._process.terminate()
            end = time.monotonic() + seconds
            while not self.ended and time.monotonic() < end and not hurry.is_set():
                time.sleep(PAUSE)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join(1)
        if self._process.stdout and not self._reader.is_alive():
            self._process.stdout.close()
