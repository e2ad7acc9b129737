"""Who waits for whom when processors are scarce: aggregating, laying out and sending wait for the threads that receive."""

from __future__ import annotations

import contextlib
import os
import threading

BEHIND = 5
"""How many steps of niceness a thread stands behind those that receive."""


def step_back() -> None:
    """Put the calling thread behind the threads that receive. Where the system allows no such thing, nothing happens."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(os.getpriority(os.PRIO_PROCESS, 0) + BEHIND, 19))
