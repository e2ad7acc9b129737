"""How long to wait before trying again: exponential back-off with full jitter.

The bound doubles with each failure, from `first` up to `most`; the delay is drawn evenly between zero and the bound, so that
many senders whose server comes back do not arrive together.
Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Backoff:
    """The delays of one sequence of failures. `draw` returns a number in [0, 1)."""

    def __init__(self, first: float, most: float, draw: Callable[[], float] = random.random) -> None:
        self._first = first
        self._most = most
        self._draw = draw
        self._bound = first

    def failed(self) -> float:
        """Return the seconds to wait after one more failure."""
        delay = self._draw() * min(self._bound, self._most)
        self._bound = min(self._bound * 2, self._most)
        return delay

    def reset(self) -> None:
        """Begin anew after a success."""
        self._bound = self._first
