"""Which traces are kept: always those with an error and slow ones, of the others a part by chance, at a bounded rate.

Rules:

* Pure: the time is handed in. Chance is made of the trace's id, so that every server decides alike, and again the same.
* A rule about a certain root stands in place of the part of all; the first that fits counts.
* The rate bounds what chance keeps, not what is always kept; a second's allowance may be used at once.

Source of chance: W3C Trace Context Level 2, the last 7 bytes of a trace's id are random.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from nilometer.core.traces.ids import w3c_trace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.traces.rules import Chosen
    from nilometer.core.traces.span import Span
    from nilometer.core.traces.summary import Summary

Reason = Literal["error", "slow", "chance", "part", "rate"]
KEPT: tuple[Reason, ...] = ("error", "slow", "chance")
DROPPED: tuple[Reason, ...] = ("part", "rate")
WHOLE = 1 - 1e-9
"""One trace, but for what adding fractions loses."""
RANDOM = 14
"""Hexadecimal digits of an id that are random."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What is kept. `part` is from 0 to 1; `rate` traces a second, 0 for no bound; `slower` in ns, 0 for never."""

    part: float = 1.0
    rate: float = 0.0
    errors: bool = True
    slower: int = 0
    rules: Sequence[Chosen] = ()

    @property
    def everything(self) -> bool:
        """Whether all traces are kept, so that nothing has to be awaited."""
        return self.part >= 1 and not self.rate and all(rule.part >= 1 for rule in self.rules)

    def at_once(self, span: Span) -> Reason | None:
        """Return why the trace of a span is kept whatever else it has, None where that is open."""
        if self.errors and span.failed:
            return "error"
        return "slow" if 0 < self.slower <= span.duration else None

    def part_of(self, service: str, name: str) -> float:
        """Return the part that is kept of traces with such a root."""
        return next((rule.part for rule in self.rules if rule.fits(service, name)), self.part)


class Decider:
    """Decides by a policy, which may be exchanged; remembers how much of the rate is used. One thread calls."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._allowance = max(policy.rate, 1.0)
        self._filled: float | None = None

    def decide(self, trace: Summary, now: float) -> Reason:
        """Return why a trace is kept, or dropped."""
        policy = self.policy
        if policy.errors and trace.errors:
            return "error"
        if 0 < policy.slower <= trace.duration:
            return "slow"
        if chance(trace.trace) >= policy.part_of(trace.service, trace.name):
            return "part"
        return "chance" if self._take(now) else "rate"

    def _take(self, now: float) -> bool:
        """Use a piece of the rate. Return whether there was one."""
        rate = self.policy.rate
        if not rate:
            return True
        most = max(rate, 1.0)
        since = 0.0 if self._filled is None else max(now - self._filled, 0.0)
        self._allowance, self._filled = min(self._allowance + since * rate, most), now
        if self._allowance < WHOLE:
            return False
        self._allowance -= 1
        return True


def chance(trace: str) -> float:
    """Return a number of [0, 1) that a trace's id stands for."""
    return int(w3c_trace(trace)[-RANDOM:], 16) / float(1 << 4 * RANDOM)
