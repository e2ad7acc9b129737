"""Who calls whom: services, what each does, and the calls between them, counted over spans.

Rules:

* A call is a span whose parent is of another service. A client's span whose child is the called service's is one call, not two.
* Services, and what each does, are bounded: beyond `MOST` the rest counts as ``other``.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from nilometer.core.bounded import Bounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.traces.span import Span

MOST = 500
"""Services that are told apart, and things that all of them do."""
MICRO = 1000


class Tally:
    """How often, how often with an error, how long together and at most, in ns."""

    __slots__ = ("count", "errors", "longest", "total")

    def __init__(self) -> None:
        self.count = self.errors = self.total = self.longest = 0

    def add(self, span: Span) -> None:
        """Count a span."""
        self.count += 1
        self.errors += span.failed
        self.total += span.duration
        self.longest = max(self.longest, span.duration)

    def shown(self) -> dict[str, Any]:
        """Return it for JSON, times in µs."""
        return {
            "count": self.count,
            "errors": self.errors,
            "mean": round(self.total / self.count / MICRO, 3),
            "longest": self.longest / MICRO,
        }


class Calls:
    """Counts over traces, one after the other."""

    def __init__(self) -> None:
        self.traces = self.spans = 0
        self._service = Bounded(MOST, str)
        self._operation = Bounded(MOST, str)
        self._services: defaultdict[str, Tally] = defaultdict(Tally)
        self._operations: defaultdict[tuple[str, str], Tally] = defaultdict(Tally)
        self._calls: defaultdict[tuple[str, str], Tally] = defaultdict(Tally)

    def add(self, spans: Sequence[Span]) -> None:
        """Count a trace."""
        self.traces += 1
        self.spans += len(spans)
        services = {span.id: self._service(span.service) for span in spans}
        for span in spans:
            service, caller = services[span.id], services.get(span.parent)
            self._services[service].add(span)
            self._operations[service, self._operation(span.name)].add(span)
            if caller is not None and caller != service:
                self._calls[caller, service].add(span)

    def shown(self) -> dict[str, Any]:
        """Return all of it for JSON, by name."""
        operations: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for (service, name), tally in sorted(self._operations.items()):
            operations[service].append({"name": name, **tally.shown()})
        return {
            "services": [
                {"name": name, **tally.shown(), "operations": operations[name]}
                for name, tally in sorted(self._services.items())
            ],
            "calls": [{"from": one, "to": other, **tally.shown()} for (one, other), tally in sorted(self._calls.items())],
            "traces": self.traces,
            "spans": self.spans,
        }
