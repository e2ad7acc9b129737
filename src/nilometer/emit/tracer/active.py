"""A span that is not over yet: what `Tracer.span` makes. It is a block (``with``, ``async with``) and a decorator.

Rules:

* Nothing raises into the application, whatever it is given; exceptions of the block go through unchanged.
* It begins where the block begins, below the span that is current there, and is current within the block.
* A span may be ended once; what is said of it after that is dropped.
"""

from __future__ import annotations

from time import time_ns
from typing import TYPE_CHECKING, Any, Self

from nilometer.core.traces.ids import new_span, new_trace
from nilometer.core.traces.span import NOTHING, Kind, Link, Span, SpanEvent
from nilometer.emit import stepping
from nilometer.emit.tracer.attributes import bounded
from nilometer.emit.tracer.context import Remote, current
from nilometer.emit.wrapping import Wrapping, failed, message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from types import TracebackType

    from nilometer.emit.tracer.tracer import Tracer

EVENTS, LINKS = 128, 128
"""Events and links of a span, at most."""
LONGEST_NAME, LONGEST_MESSAGE = 255, 2048
HELD = 1000
"""Spans of one trace that wait, in a process, for a failure that would have them sent."""


class Active(Wrapping):
    """One span. `id` and `trace` are known once it has begun; `sampled` tells whether it will be sent."""

    __slots__ = (
        "_attributes", "_before", "_ended", "_error", "_events", "_held", "_kind", "_links", "_message", "_root", "_start",
        "_status", "_tracer", "id", "key", "name", "parent", "sampled", "state", "trace",
    )  # fmt: skip

    def __init__(self, tracer: Tracer, name: str, kind: Kind, attributes: Mapping[str, Any]) -> None:
        self._tracer, self.name, self._kind, self._attributes = tracer, name, kind, attributes
        self.trace = self.id = self.parent = self.state = self.key = self._status = self._error = self._message = ""
        self.sampled = self._ended = False
        self._start = 0
        self._events: list[SpanEvent] | None = None
        self._links: list[Link] | None = None
        self._held: list[Span] | None = None
        self._root: Active | None = None
        self._before: Active | Remote | None = None

    # -- the block -----------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None and failed(error):
            self.fail(error)
        self.end()

    def start(self, time: int = 0) -> Self:
        """Begin, below the span that is current here, and become current. `time` is ns since the epoch, now by default."""
        above = self._before = current.get()
        if above is None:
            self.trace = new_trace()
            self.sampled = self._tracer.draws(self.name, None)
        else:
            self.trace, self.parent = above.trace, above.id
            if above.state or above.key:
                self.state, self.key = above.state, above.key
            if isinstance(above, Remote):
                self.sampled = self._tracer.draws(self.name, above.sampled)
            else:
                self._root, self.sampled = above._root or above, above.sampled  # noqa: SLF001 another of its kind
        self.id = new_span()
        current.set(self)
        self._start = time or time_ns()
        return self

    def end(self, time: int = 0) -> None:
        """End: the span that was current before is so again. `time` is ns since the epoch, now by default."""
        if self._ended or not self._start:
            return  # it is over, or was never begun
        self._ended = True
        if current.get() is self:
            current.set(self._before)
        self._tracer.finished(self, time or time_ns())

    # -- what is said of it --------------------------------------------------------------------------------------------

    def set(self, **attributes: Any) -> Self:  # noqa: ANN401 any value
        """Add attributes, in place of those of the same names."""
        self._attributes = {**self._attributes, **attributes}
        return self

    def update(self, attributes: Mapping[str, Any]) -> Self:
        """Add attributes whose names are no identifiers, as those of the semantic conventions."""
        self._attributes = {**self._attributes, **attributes}
        return self

    def event(self, name: str, **attributes: Any) -> Self:  # noqa: ANN401 any value
        """Note that something happened, now."""
        self._events = self._events or []
        if len(self._events) < EVENTS:
            self._events.append(SpanEvent(time_ns(), str(name)[:LONGEST_NAME], bounded(attributes)))
        return self

    def link(self, trace: str, id: str, **attributes: Any) -> Self:  # noqa: A002, ANN401 the field's own word; any value
        """Note that another span has to do with it."""
        self._links = self._links or []
        if len(self._links) < LINKS:
            self._links.append(Link(trace, id, bounded(attributes)))
        return self

    def fail(self, error: BaseException | str) -> Self:
        """Say that it failed: by an exception, or for a reason in words."""
        self._status = "error"
        if isinstance(error, BaseException):
            kind = type(error)
            self._error, self._message = f"{kind.__module__}.{kind.__qualname__}", message(error)[:LONGEST_MESSAGE]
        else:
            self._error, self._message = "error", str(error)[:LONGEST_MESSAGE]
        return self

    def ok(self) -> Self:
        """Say that it went well, for sure."""
        self._status = "ok"
        return self

    @property
    def failed(self) -> bool:
        """Whether it was said to have failed."""
        return self._status == "error"

    @property
    def began(self) -> int:
        """When it began, ns since the epoch."""
        return self._start

    # -- for the tracer ------------------------------------------------------------------------------------------------

    @property
    def is_root(self) -> bool:
        """Whether nothing above it is of this process."""
        return self._root is None

    def held(self) -> list[Span]:
        """Return what waits in this process for a failure in its trace, to be added to."""
        root = self._root or self
        if root._held is None:  # noqa: SLF001 another of its kind
            root._held = []  # noqa: SLF001 see above
        return root._held  # noqa: SLF001 see above

    def record(self, end: int, service: str, project: str, host: str) -> Span:
        """Return the span as it is stored."""
        return Span(
            self.trace,
            self.id,
            self.parent,
            self.name[:LONGEST_NAME],
            self._start,
            max(end, self._start),
            self._kind,
            self._status or "unset",  # type: ignore[arg-type]  # one of the three
            self._error,
            self._message,
            service,
            project,
            host,
            bounded(self._attributes) if self._attributes else NOTHING,
            () if self._events is None else tuple(self._events),
            () if self._links is None else tuple(self._links),
            "whole",
            "",
            self.state,
        )

    # -- the decorator -------------------------------------------------------------------------------------------------

    def _again(self) -> Active:
        return Active(self._tracer, self.name, self._kind, self._attributes)

    def _each_of(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return stepping.generator(function, self._around, current)

    def _each_of_async(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return stepping.stream(function, self._around, current)

    def _around(self, args: object, kwargs: object) -> AbstractContextManager[Callable[[Any], None]]:
        del args, kwargs
        return _Quiet(self._again())


class _Quiet:
    """A span around a generator, whose result is not told."""

    def __init__(self, span: Active) -> None:
        self._span = span

    def __enter__(self) -> Callable[[Any], None]:
        self._span.start()
        return _nothing

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._span.__exit__(kind, error, trace)


def _nothing(result: object) -> None:
    """Take a result."""
