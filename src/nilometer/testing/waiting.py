"""The one way that tests wait for what another thread or process does: look, pause, look again, until patience ends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Seen = TypeVar("Seen")
PATIENCE = 30.0
"""Seconds after which something that was waited for counts as failed."""
PAUSE = 0.01
"""Seconds between two looks."""


def settled(look: Callable[[], Seen], enough: Callable[[Seen], object], patience: float = PATIENCE) -> Seen:
    """Return what `look` returns as soon as that is enough, or else what it returned last within `patience` seconds."""
    end = time.monotonic() + patience
    while not enough(seen := look()) and time.monotonic() < end:
        time.sleep(PAUSE)
    return seen


def until(condition: Callable[[], object], what: str, patience: float = PATIENCE, told: Callable[[], str] = str) -> None:
    """Wait until `condition` holds. Raise TimeoutError saying `what` did not happen, and what is `told` then."""
    if not settled(condition, bool, patience):
        message = "\n".join(filter(None, [f"did not happen within {patience:g} s: {what}", told()]))
        raise TimeoutError(message)
