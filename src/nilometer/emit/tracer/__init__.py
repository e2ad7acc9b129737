"""What an application traces itself with: ``from nilometer import tracer``.

    from nilometer import tracer

    tracer.configure("redis://localhost:6379", service="tables")

    with tracer.span("list", limit=100) as span:
        span.set(found=12)

The functions here are those of one tracer for the whole process. It sends nothing before `configure`, or before the variable
``NILOMETER_TRACES`` names a URL.

tracer      `Tracer`: makes spans, and hands over those that are sent
active      a span that is not over yet; attributes: what it may hold
context     where the code that runs is in a trace
sampling    which traces are sent; headers: a trace from service to service; classes: all methods of a class
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any, TypeVar, overload

from nilometer.core.errors import ConfigError
from nilometer.emit.tracer.active import Active
from nilometer.emit.tracer.classes import wanted
from nilometer.emit.tracer.context import Remote, carried
from nilometer.emit.tracer.sampling import Sampling
from nilometer.emit.tracer.tracer import Tracer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nilometer.core.traces.span import Kind

    F = TypeVar("F", bound=Callable[..., Any])
    C = TypeVar("C", bound=type)

__all__ = ["Active", "Remote", "Sampling", "TracedMeta", "Tracer", "caller", "carried", "close", "configure", "current"]
__all__ += ["default", "flush", "headers", "span", "trace", "trace_cls"]
LOG = logging.getLogger(__name__)
VARIABLE, SERVICE = "NILOMETER_TRACES", "NILOMETER_SERVICE"
_default: Tracer | None = None


def default() -> Tracer:
    """Return the tracer of this process. A wrong URL in the environment is told in the log: then nothing is sent."""
    global _default  # noqa: PLW0603 one for the whole process
    if _default is None:
        url, service = os.environ.get(VARIABLE, ""), os.environ.get(SERVICE, "")
        try:
            _default = Tracer(url, service=service)
        except ConfigError:
            LOG.exception("nothing is traced: %s", VARIABLE)
            _default = Tracer(service=service)
    return _default


def configure(url: str = "", **options: Any) -> Tracer:  # noqa: ANN401 those of `Tracer`
    """Set up the tracer of this process, and return it; what it held for another URL is delivered. Raise as `Tracer` does."""
    made = default()
    made.set_up(url or os.environ.get(VARIABLE, ""), **{"service": os.environ.get(SERVICE, ""), **options})
    return made


def span(name: str, kind: Kind = "internal", /, **attributes: Any) -> Active:  # noqa: ANN401 any value
    """Return a span: a block (``with``, ``async with``), or a decorator that makes one of each call."""
    return (_default or default()).span(name, kind, **attributes)


@overload
def trace(function: F, /) -> F: ...


@overload
def trace(*, name: str = "", kind: Kind = "internal") -> Callable[[F], F]: ...


def trace(function: Any = None, /, **options: Any) -> Any:
    """Decorate a function: a span of each call; see `Tracer.trace`."""
    return default().trace(function, **options)


@overload
def trace_cls(cls: C, /) -> C: ...


@overload
def trace_cls(*, private: bool = False, kind: Kind = "internal") -> Callable[[C], C]: ...


def trace_cls(cls: Any = None, /, **options: Any) -> Any:
    """Decorate a class: a span of each call of its methods; see `Tracer.trace_cls`."""
    return default().trace_cls(cls, **options)


def current() -> Active | None:
    """Return the span that is current here."""
    return Tracer.current()


def headers() -> dict[str, str]:
    """Return the headers for a request to another service."""
    return default().headers()


def caller(given: Mapping[str, str]) -> Remote | None:
    """Return the span from which a request came, by its headers."""
    return default().caller(given)


def flush(timeout: float = 5.0) -> bool:
    """Wait until all that is over is delivered. Return whether it is."""
    return default().flush(timeout)


def close() -> None:
    """Deliver what can be delivered, and send nothing more."""
    default().close()


class TracedMeta(type):
    """A metaclass: the methods that its classes define are traced. ``__trace_private__`` says whether private ones are."""

    def __init__(cls, name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> None:
        super().__init__(name, bases, attributes)
        private = bool(getattr(cls, "__trace_private__", False))
        for each, value in attributes.items():
            if callable(value) and not isinstance(value, type) and wanted(each, private=private):
                setattr(cls, each, trace(value))
