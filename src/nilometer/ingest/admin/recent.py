"""What happened lately: losses of the last minutes, and whether the system's clock was set.

Rules:

* A sample is kept every `STEP` seconds, at most; those before the last `SPAN` seconds are forgotten, but for the one that the
  span begins with. So the answer is about `SPAN` seconds, or the time since the start when that is less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.clock import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nilometer.core.clock import Clock
    from nilometer.core.losses import Losses

SPAN, STEP = 300.0, 10.0


class Sample(NamedTuple):
    """The monotonic time, what the wall clock is ahead of it, and the losses since the start."""

    at: float
    ahead: float
    losses: Mapping[tuple[str, str], int]


class Recent:
    """Remembers. Any thread may call `note`; one at a time does."""

    def __init__(self, losses: Losses, clock: Clock = SYSTEM) -> None:
        self._losses, self._clock = losses, clock
        self._samples: tuple[Sample, ...] = (self._sample(),)

    def _sample(self) -> Sample:
        now = self._clock.monotonic()
        return Sample(now, self._clock.time() - now, self._losses.totals())

    def note(self) -> None:
        """Keep a sample when it is time for one. Call it a few times a minute, or more often."""
        now = self._clock.monotonic()
        if now - self._samples[-1].at < STEP:
            return
        kept = self._samples
        begins = max((number for number, sample in enumerate(kept) if now - sample.at >= SPAN), default=0)
        self._samples = (*kept[begins:], self._sample())

    def lost(self) -> dict[str, int]:
        """Return what was lost within the span, by ``stage.reason``; without zeros."""
        before = self._samples[0].losses
        return {".".join(key): number - before[key] for key, number in self._losses.totals().items() if number > before[key]}

    def jumped(self) -> float:
        """Return by how many seconds the wall clock was set ahead within the span; below zero for back."""
        return self._clock.time() - self._clock.monotonic() - self._samples[0].ahead
