"""What a list of traces shows of each: when, how long, of which services, how many spans and errors."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nilometer.core.traces.span import Span

NAMES = 256
"""Names and services that a summary holds, at most, of each."""


class Summary(NamedTuple):
    """One trace in a few words.

    `start` and `end` are ns since the epoch, of the first and the last span. `name`, `service` and `project` are the root's:
    the earliest span without a parent; where there is none (`rooted` is False) the earliest span's. `services` and `names`
    count spans. `error` is the type of the root's error, or else of the first.
    """

    trace: str
    start: int
    end: int
    name: str = ""
    service: str = ""
    project: str = ""
    spans: int = 0
    errors: int = 0
    error: str = ""
    rooted: bool = True
    services: Mapping[str, int] = {}
    names: Mapping[str, int] = {}

    @property
    def duration(self) -> int:
        """Nanoseconds from the first start to the last end."""
        return self.end - self.start


def summarise(spans: Sequence[Span]) -> Summary:
    """Return the summary of the spans, at least one, of one trace."""
    roots = [span for span in spans if not span.parent]
    root = min(roots or spans, key=lambda span: span.start)
    failed = [span for span in spans if span.failed]
    return Summary(
        root.trace,
        min(span.start for span in spans),
        max(span.end for span in spans),
        root.name,
        root.service,
        root.project,
        len(spans),
        len(failed),
        error_of(root, failed),
        bool(roots),
        _counted(span.service for span in spans),
        _counted(span.name for span in spans),
    )


def error_of(root: Span, failed: Sequence[Span]) -> str:
    """Return the type of a trace's error, ``error`` for one without a type, empty without an error."""
    first = root if root.failed else min(failed, key=lambda span: span.start, default=None)
    return (first.error or "error") if first is not None else ""


def together(parts: Sequence[Summary]) -> Summary:
    """Return the summary of a trace whose spans were summarised in parts, each span in one of them."""
    first = min(parts, key=lambda part: (not part.rooted, part.start))
    error = first.error or next((part.error for part in parts if part.error), "")
    return first._replace(
        start=min(part.start for part in parts),
        end=max(part.end for part in parts),
        spans=sum(part.spans for part in parts),
        errors=sum(part.errors for part in parts),
        error=error,
        services=_added(part.services for part in parts),
        names=_added(part.names for part in parts),
    )


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(Counter(words).most_common(NAMES))


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(total.most_common(NAMES))
