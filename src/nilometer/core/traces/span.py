"""A span: a timed piece of one request. Spans with the same `trace` are one trace; `parent` makes a tree of them.

Rules:

* Times are whole nanoseconds since the epoch. `end` is never before `start` where both are known.
* A span is `whole`, or one `part` of it: its ``start`` while it runs (`end` equals `start`), or its ``stop`` where nothing is
  known of the start (`start` equals `end`). `merge` makes one of the parts.
* What has the same trace and id is the same span: the later one replaces the earlier, a part never a whole.
* `attributes` hold what JSON can hold, by the names of OpenTelemetry's semantic conventions where there is one.
* `notes` are the documents that OSProfiler has stored for a span, as they are, in order; empty where it was not OSProfiler.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Status = Literal["unset", "ok", "error"]
Part = Literal["whole", "start", "stop"]
KINDS: tuple[Kind, ...] = ("internal", "server", "client", "producer", "consumer")
STATUSES: tuple[Status, ...] = ("unset", "ok", "error")
PARTS: tuple[Part, ...] = ("whole", "start", "stop")
NOTHING: Mapping[str, Any] = MappingProxyType({})
NANO = 1_000_000_000


class SpanEvent(NamedTuple):
    """Something that happened within a span, at `time` ns since the epoch."""

    time: int
    name: str
    attributes: Mapping[str, Any] = NOTHING


class Link(NamedTuple):
    """Another span that has to do with this one."""

    trace: str
    id: str
    attributes: Mapping[str, Any] = NOTHING


class Span(NamedTuple):
    """A timed piece of one request; see the rules above. `parent` is empty at the root.

    `error` is the type of the exception or failure, `message` what it said: empty unless `status` is ``error``. `service`,
    `project` and `host` say who it was; `scope` which library measured. `state` is W3C's tracestate.
    """

    trace: str
    id: str
    parent: str
    name: str
    start: int
    end: int
    kind: Kind = "internal"
    status: Status = "unset"
    error: str = ""
    message: str = ""
    service: str = ""
    project: str = ""
    host: str = ""
    attributes: Mapping[str, Any] = NOTHING
    events: tuple[SpanEvent, ...] = ()
    links: tuple[Link, ...] = ()
    part: Part = "whole"
    scope: str = ""
    state: str = ""
    resource: Mapping[str, Any] = NOTHING
    notes: tuple[Mapping[str, Any], ...] = ()

    @property
    def duration(self) -> int:
        """Nanoseconds from start to end."""
        return self.end - self.start

    @property
    def failed(self) -> bool:
        """Whether it ended in an error."""
        return self.status == "error"


def merge(spans: Iterable[Span]) -> list[Span]:
    """Return each span once, in order of start, those of the same moment in order of arrival; parts are put together."""
    found: dict[tuple[str, str], Span] = {}
    for span in spans:
        key = span[:2]
        before = found.get(key)
        found[key] = span if before is None else _joined(before, span)
    return sorted(found.values(), key=_start)


def _start(span: Span) -> int:
    return span.start


def _joined(before: Span, after: Span) -> Span:
    if after.part in ("whole", before.part):
        return after
    if before.part == "whole":
        return before
    start, stop = (before, after) if before.part == "start" else (after, before)
    return stop._replace(
        parent=start.parent or stop.parent,
        name=start.name or stop.name,
        start=start.start,
        end=max(start.start, stop.end),
        kind=start.kind if stop.kind == "internal" else stop.kind,
        service=stop.service or start.service,
        project=stop.project or start.project,
        host=stop.host or start.host,
        attributes={**start.attributes, **stop.attributes},
        events=start.events + stop.events,
        links=start.links + stop.links,
        scope=stop.scope or start.scope,
        state=stop.state or start.state,
        resource={**start.resource, **stop.resource},
        notes=before.notes + after.notes,
        part="whole",
    )
