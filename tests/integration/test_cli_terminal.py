"""``nilometer top`` on a terminal: drawn anew, ended by a key, and the terminal as it was."""

from __future__ import annotations

import os
import pty
import signal
import struct
import subprocess
import termios
import threading
from contextlib import suppress
from fcntl import ioctl
from typing import TYPE_CHECKING

import pytest

from nilometer.testing.serving import PROGRAM, Serving
from nilometer.testing.waiting import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Terminal:
    """A program on a terminal of its own, and what it drew."""

    def __init__(self, *arguments: str, columns: int = 100) -> None:
        self._ours, self.theirs = pty.openpty()
        self.resize(columns)
        self.before = termios.tcgetattr(self.theirs)
        environment = os.environ | {"TERM": "xterm"}
        self.process = subprocess.Popen(
            [*PROGRAM, *arguments], stdin=self.theirs, stdout=self.theirs, stderr=self.theirs, env=environment
        )
        self.drawn = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with suppress(OSError):
            while data := os.read(self._ours, 1 << 16):
                self.drawn += data.decode("utf-8", "replace")

    def resize(self, columns: int) -> None:
        ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))

    def press(self, key: str) -> None:
        os.write(self._ours, key.encode())

    def close(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
        os.close(self.theirs)
        self._reader.join(PATIENCE)
        os.close(self._ours)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    started = Serving("--listen=udp://127.0.0.1:0", "--web-listen=http://127.0.0.1:0", state=tmp_path / "state")
    yield started.ready()
    started.kill()


@pytest.fixture
def top(server: Serving) -> Iterator[Terminal]:
    host, port = server.interface("HTTP interface")
    terminal = Terminal("top", f"http://{host}:{port}", "--interval=0.2")
    until(lambda: "lines/s" in terminal.drawn, "it is drawn", told=lambda: terminal.drawn)
    yield terminal
    terminal.close()


def test_a_key_ends_it_and_the_terminal_is_as_it_was(top: Terminal) -> None:
    top.press("x")
    until(lambda: top.drawn.count("lines/s") > 2, "it goes on after another key")
    top.press("q")

    assert top.process.wait(PATIENCE) == 0
    assert termios.tcgetattr(top.theirs) == top.before


def test_it_is_drawn_in_another_width(top: Terminal) -> None:
    top.resize(40)
    seen = len(top.drawn)
    until(lambda: top.drawn[seen:].count("lines/s") > 2, "it is drawn again")

    assert top.process.poll() is None


def test_a_server_that_goes_away_is_told_of_and_an_interrupt_ends_it(top: Terminal, server: Serving) -> None:
    server.stop()
    until(lambda: "no answer: " in top.drawn, "it says so", told=lambda: top.drawn[-2000:])
    top.process.send_signal(signal.SIGINT)

    assert top.process.wait(PATIENCE) == 130
    assert termios.tcgetattr(top.theirs) == top.before
