"""What happens to those who hold threads and queues when their process forks, or ends.

Rules:

* A forked child has none of its parent's threads, and shares its sockets: whoever follows is told, to begin anew.
* A child of multiprocessing's ends without `atexit`: its own way to an end is taken.
"""

from __future__ import annotations

import os
import sys
import weakref
from typing import Protocol

PATIENCE = 1.0
"""Seconds that the end of multiprocessing's children may take."""


class Living(Protocol):
    """Whoever holds threads and queues."""

    def forked(self) -> object:
        """Begin anew in a child."""

    def close(self, deadline: float, /) -> object:
        """Deliver what can be delivered within `deadline` seconds, and stop."""


_followed: weakref.WeakSet[Living] = weakref.WeakSet()


def follow(living: Living) -> None:
    """Tell it of every fork from now on; it may be thrown away at any time."""
    _followed.add(living)


def _after_fork() -> None:
    util = sys.modules.get("multiprocessing.util")
    for living in list(_followed):
        if util is not None:
            util.register_after_fork(living, end_with_multiprocessing)  # once the child knows that it is multiprocessing's
        living.forked()


def end_with_multiprocessing(living: Living) -> None:
    """Close it at the end of a child of multiprocessing's; does nothing in any other process."""
    process, util = (sys.modules.get(f"multiprocessing.{name}") for name in ("process", "util"))
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(living, _close, (weakref.ref(living),), exitpriority=0)


def _close(found: weakref.ref[Living]) -> None:
    living = found()
    if living is not None:
        living.close(PATIENCE)


os.register_at_fork(after_in_child=_after_fork)
