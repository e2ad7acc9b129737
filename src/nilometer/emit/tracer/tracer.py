"""The tracer: makes spans, decides which are sent, and hands them to an outlet.

Rules:

* Nothing here raises into the application, blocks it, or connects in its threads; a wrong URL or option raises when it is made.
* Spans are handed over when they end. Those of traces that are not drawn are dropped, or, with ``on_error``, held until the
  first span of this process in their trace has ended, and sent when one of them has failed.
* Times are those of the system's clock, in ns.
"""

from __future__ import annotations

import socket
from functools import partial
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, TypeVar, overload

from nilometer.emit import lifetime
from nilometer.emit.outlet import Outlet
from nilometer.emit.tracer import classes, headers
from nilometer.emit.tracer.active import HELD, Active
from nilometer.emit.tracer.context import Remote, current
from nilometer.emit.tracer.sampling import Drawing, Sampling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from nilometer.core.traces.span import Kind, Span

    F = TypeVar("F", bound=Callable[..., Any])
    C = TypeVar("C", bound=type)

NOWHERE = "null://"


class Tracer:
    """Makes spans of one service, for one URL of a store or sink of traces; without one they are made, and go nowhere.

    `keys` are OSProfiler's: who signs headers with one of them has a request traced, and what goes on is signed with it.
    Raise `UrlError` for a wrong URL, ValueError for wrong sampling.
    """

    def __init__(  # noqa: PLR0913 what there is to say
        self,
        url: str = "",
        *,
        service: str = "",
        project: str = "",
        host: str | None = None,
        sampling: Sampling | None = None,
        keys: Iterable[str] = (),
        spool: Path | None = None,
    ) -> None:
        self._outlet: Outlet | None = None
        self._dropped = 0
        self._lost: dict[str, int] = {}
        self.set_up(url, service=service, project=project, host=host, sampling=sampling, keys=keys, spool=spool)

    def set_up(  # noqa: PLR0913 what there is to say
        self,
        url: str = "",
        *,
        service: str = "",
        project: str = "",
        host: str | None = None,
        sampling: Sampling | None = None,
        keys: Iterable[str] = (),
        spool: Path | None = None,
    ) -> None:
        """Use all this from now on, also for what was decorated before; what went to another URL is delivered there."""
        outlet = Outlet(url, spool=spool) if url else None
        self.sampling, self.keys = sampling or Sampling(), tuple(keys)
        self._drawing = Drawing(self.sampling)
        self.service, self.project, self.host = service, project, socket.gethostname() if host is None else host
        before, self._outlet, self.on = self._outlet, outlet, outlet is not None
        if before is not None:
            before.close(lifetime.PATIENCE)

    # -- spans ---------------------------------------------------------------------------------------------------------

    def span(self, name: str, kind: Kind = "internal", /, **attributes: Any) -> Active:  # noqa: ANN401 any value
        """Return a span: a block (``with``, ``async with``), or a decorator that makes one of each call."""
        return Active(self, name, kind, attributes)

    @overload
    def trace(self, function: F, /) -> F: ...

    @overload
    def trace(self, /, *, name: str = "", kind: Kind = "internal") -> Callable[[F], F]: ...

    def trace(self, function: Callable[..., Any] | None = None, /, *, name: str = "", kind: Kind = "internal") -> Any:
        """Decorate a function: a span of each call, named after it. Arguments and results are not told."""
        return partial(self._traced, name=name, kind=kind) if function is None else self._traced(function, name=name, kind=kind)

    def _traced(self, function: Callable[..., Any], *, name: str, kind: Kind) -> Callable[..., Any]:
        told = {"code.function.name": f"{function.__module__}.{function.__qualname__}"}
        return Active(self, name or function.__qualname__, kind, told)(function)

    @overload
    def trace_cls(self, cls: C, /) -> C: ...

    @overload
    def trace_cls(self, /, *, private: bool = False, kind: Kind = "internal") -> Callable[[C], C]: ...

    def trace_cls(self, cls: type | None = None, /, *, private: bool = False, kind: Kind = "internal") -> Any:
        """Decorate a class: a span of each call of its methods, inherited ones too; `private` ones with one underscore."""
        decorate = partial(classes.traced, tracing=partial(self._traced, name="", kind=kind), private=private)
        return decorate if cls is None else decorate(cls)

    @staticmethod
    def current() -> Active | None:
        """Return the span that is current here, None without one of this process."""
        found = current.get()
        return found if isinstance(found, Active) else None

    # -- requests ------------------------------------------------------------------------------------------------------

    def headers(self) -> dict[str, str]:
        """Return the headers for a request to another service, W3C's and, with a key, OSProfiler's; none without a span."""
        found = current.get()
        return {} if found is None else headers.written(found, self.keys)

    def caller(self, given: Mapping[str, str]) -> Remote | None:
        """Return the span from which a request came, by its headers (names in any case); None where they tell of none."""
        return headers.read(given, self.keys)

    # -- for spans -----------------------------------------------------------------------------------------------------

    def draws(self, name: str, decided: bool | None) -> bool:  # noqa: FBT001 what a caller has decided, None for nothing
        """Return whether a trace that begins here is sent."""
        del name
        return self.on and self._drawing.draw(decided)

    def finished(self, span: Active, end: int) -> None:
        """Take a span that is over."""
        if span.sampled:
            self.put((span.record(end, self.service, self.project, self.host),))
        elif self.on and self.sampling.on_error:
            self._hold(span, end)

    def _hold(self, span: Active, end: int) -> None:
        held = span.held()
        if len(held) < HELD:
            held.append(span.record(end, self.service, self.project, self.host))
        else:
            self._dropped += 1
        if span.is_root:
            if any(each.failed for each in held):
                self.put(held)
            held.clear()

    def put(self, spans: Sequence[Span]) -> None:
        """Hand spans over. Never waits."""
        if self._outlet is not None:
            self._outlet.put(spans)

    # -- the process ---------------------------------------------------------------------------------------------------

    def losses(self) -> dict[str, int]:
        """Return how many spans were lost, by reason."""
        found = self._lost if self._outlet is None else self._outlet.losses()
        return found | ({"held": self._dropped} if self._dropped else {})

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until all that is over is delivered, `timeout` seconds at most. Return whether it is."""
        end = monotonic() + timeout
        while self._outlet is not None and not self._outlet.idle:
            if monotonic() > end:
                return False
            sleep(0.005)
        return True

    def close(self, deadline: float = lifetime.PATIENCE) -> None:
        """Deliver what can be delivered within so many seconds, and hang up; spans that end later go nowhere."""
        outlet, self._outlet, self.on = self._outlet, None, False
        if outlet is not None:
            outlet.close(deadline)
            self._lost = outlet.losses()
