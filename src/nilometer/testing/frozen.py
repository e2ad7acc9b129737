"""Processes that do nothing for a while: SIGSTOP, and the moment when every thread has heard of it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from nilometer.testing.waiting import until

STOPPED = ("T", "t", "Z", "X")


def freeze(pid: int) -> None:
    """Stop a process, and return when all of its threads stand still: one that runs goes on until it is interrupted."""
    os.kill(pid, signal.SIGSTOP)
    stopped(pid)


def stopped(pid: int) -> None:
    """Wait until all threads of a process stand still."""
    until(lambda: all(state in STOPPED for state in _states(pid)), f"process {pid} stands still")


def _states(pid: int) -> list[str]:
    """Return the state of each thread, as Linux tells it in ``/proc``."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/stat"):
        try:
            found.append(task.read_text().rpartition(")")[2].split()[0])
        except OSError:  # the thread has ended meanwhile
            continue
    return found
