"""The buffer in which spans wait until it is known whether their trace is kept.

Rules:

* Without sockets and clocks: `now` is handed in, in seconds of a clock that never runs back. One thread at a time calls.
* A trace is decided upon when its first span came `wait` seconds ago, at once when a span alone makes it kept, and sooner when
  more than `traces` or `spans` wait: the oldest first.
* What was decided is remembered for the spans that come later, of as many traces as may wait four times over.
* Nothing is decided twice: a trace that was dropped stays so. A span with an error that comes after that is dropped, too.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.traces.span import merge
from nilometer.core.traces.summary import summarise
from nilometer.traces.policy import DROPPED, KEPT, Decider

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nilometer.core.traces.span import Span
    from nilometer.traces.policy import Policy, Reason

REMEMBERED = 4


class Outcome(NamedTuple):
    """What was decided: spans to keep, of each entry of the journal how many spans are dropped, and whose traces."""

    kept: list[tuple[Span, int]]
    dropped: Counter[int]
    gone: list[str]


@dataclass(slots=True)
class _Waiting:
    since: float
    spans: list[tuple[Span, int]] = field(default_factory=list)


class Sampler:
    """Holds spans, each with the number of its entry in the journal."""

    def __init__(self, policy: Policy, *, wait: float, traces: int, spans: int) -> None:
        self._decider = Decider(policy)
        self._wait, self._traces, self._spans = wait, traces, spans
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()
        self._decided: OrderedDict[str, bool] = OrderedDict()
        self._held = 0
        self.counts: Counter[Reason] = Counter(dict.fromkeys((*KEPT, *DROPPED), 0))
        self.early = 0

    def use(self, policy: Policy, *, wait: float, traces: int, spans: int) -> None:
        """Use other settings from now on."""
        self._decider.policy = policy
        self._wait, self._traces, self._spans = wait, traces, spans

    @property
    def traces(self) -> int:
        """How many traces wait."""
        return len(self._waiting)

    @property
    def held(self) -> int:
        """How many spans wait."""
        return self._held

    def take(self, spans: Iterable[Span], number: int, now: float) -> Outcome:
        """Take spans in, and return what is decided by that."""
        found = Outcome([], Counter(), [])
        policy = self._decider.policy
        everything = policy.everything
        for span in spans:
            known = True if everything else self._decided.get(span.trace)
            if known is None:
                self._hold(span, number, now, found)
            elif known:
                found.kept.append((span, number))
            else:
                found.dropped[number] += 1
                found.gone.append(span.trace)
        while self._waiting and (len(self._waiting) > self._traces or self._held > self._spans):
            self.early += 1
            self._decide(next(iter(self._waiting)), now, found)
        return found

    def due(self, now: float) -> Outcome:
        """Decide upon what has waited long enough."""
        found = Outcome([], Counter(), [])
        everything = self._decider.policy.everything
        while self._waiting:
            trace, waiting = next(iter(self._waiting.items()))
            if now - waiting.since < self._wait and not everything:
                break
            self._decide(trace, now, found)
        return found

    def _hold(self, span: Span, number: int, now: float, found: Outcome) -> None:
        waiting = self._waiting.setdefault(span.trace, _Waiting(now))
        waiting.spans.append((span, number))
        self._held += 1
        reason = self._decider.policy.at_once(span)
        if reason is not None:
            self._settle(span.trace, reason, found)

    def _decide(self, trace: str, now: float, found: Outcome) -> None:
        spans = merge(span for span, _ in self._waiting[trace].spans)
        self._settle(trace, self._decider.decide(summarise(spans), now), found)

    def _settle(self, trace: str, reason: Reason, found: Outcome) -> None:
        waiting = self._waiting.pop(trace)
        self._held -= len(waiting.spans)
        self.counts[reason] += 1
        keep = reason in KEPT
        self._decided[trace] = keep
        while len(self._decided) > REMEMBERED * self._traces:
            self._decided.popitem(last=False)
        if keep:
            found.kept.extend(waiting.spans)
        else:
            found.dropped.update(number for _, number in waiting.spans)
            found.gone.append(trace)
