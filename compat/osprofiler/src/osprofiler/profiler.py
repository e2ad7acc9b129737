"""The profiler: where a piece of code is in the tree of a trace, and the two notifications of each span.

Rules:

* Each context has its own place (`contextvars`): what one task or thread starts, no other stops.
* A profiler is made by `init`, once in a context; without one everything here does nothing.
* A notification is a dict of `name`, `base_id`, `trace_id`, `parent_id`, `timestamp` and `info`; `notifier.notify` gets it.
"""

from __future__ import annotations

import contextlib
import socket
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nilometer.core.traces import ids
from osprofiler import notifier
from osprofiler._wrapping import ensure_not_traced, wrapped, wrapped_class, wrapped_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from types import TracebackType

Info = dict[str, Any] | None
Stack = tuple[tuple[str, str], ...]
"""Name and id of each span that is open, the outermost first."""
TIME = len("2000-01-01T00:00:00.000000")
"""Characters of a time without its zone."""

_current: ContextVar[_Profiler | None] = ContextVar("osprofiler", default=None)


class _Profiler:
    """The place of this context in a trace. `base_id` is the trace's id, `parent_id` the span from which it was called."""

    def __init__(self, hmac_key: str | None, base_id: str | int | None = None, parent_id: str | int | None = None) -> None:
        self.hmac_key = hmac_key
        self._base: Any = base_id or ids.new_uuid()  # a number stays one
        self._parent: Any = parent_id or self._base
        self.spans: ContextVar[Stack] = ContextVar("spans", default=())

    def get_base_id(self) -> Any:
        """Return the trace's id."""
        return self._base

    def get_parent_id(self) -> Any:
        """Return the id of the span around the current one."""
        stack = self.spans.get()
        return stack[-2][1] if len(stack) > 1 else self._parent if stack else self._base

    def get_id(self) -> Any:
        """Return the id of the current span."""
        stack = self.spans.get()
        return stack[-1][1] if stack else self._parent

    def get_shorten_id(self, uuid_id: str | int) -> str:
        """Return the low half of an id in hexadecimal, without leading zeros."""
        if isinstance(uuid_id, int):
            return format(uuid_id & (1 << 64) - 1, "x")
        return ids.short(ids.span_id(str(uuid_id)))

    def start(self, name: str, info: Info = None) -> None:
        """Open a span within the current one."""
        parent, own = self.get_id(), ids.new_uuid()
        self.spans.set((*self.spans.get(), (name, own)))
        self._notify(f"{name}-start", own, parent, info)

    def stop(self, info: Info = None) -> None:
        """Close the current span; without one this does nothing."""
        stack = self.spans.get()
        if stack:
            (name, own), parent = stack[-1], self.get_parent_id()
            self.spans.set(stack[:-1])
            self._notify(f"{name}-stop", own, parent, info)

    def _notify(self, name: str, own: str, parent: str, info: Info) -> None:
        notifier.notify(
            {
                "name": name,
                "base_id": self._base,
                "trace_id": own,
                "parent_id": parent,
                "timestamp": datetime.now(UTC).isoformat(timespec="microseconds")[:TIME],
                "info": {**(info or {}), "host": _host()},
            }
        )


@lru_cache(1)
def _host() -> str:
    return socket.gethostname()


def init(hmac_key: str | None, base_id: str | int | None = None, parent_id: str | int | None = None) -> _Profiler:
    """Return this context's profiler; make it first where there is none. Other arguments are ignored where there is one."""
    found = _current.get()
    if found is None:
        found = _Profiler(hmac_key, base_id, parent_id)
        _current.set(found)
    return found


def get() -> _Profiler | None:
    """Return this context's profiler."""
    return _current.get()


def clean() -> None:
    """Forget this context's profiler: from here on nothing is traced."""
    _current.set(None)


def start(name: str, info: Info = None) -> None:
    """Open a span; does nothing without a profiler."""
    profiler = _current.get()
    if profiler:
        profiler.start(name, info)


def stop(info: Info = None) -> None:
    """Close the current span; does nothing without a profiler."""
    profiler = _current.get()
    if profiler:
        profiler.stop(info)


class Trace:
    """A context manager around a span; an exception that passes is told by its type and its first argument."""

    def __init__(self, name: str, info: Info = None) -> None:
        self._name, self._info = name, info

    def __enter__(self) -> None:
        start(self._name, self._info)

    def __exit__(self, etype: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        if etype is None:
            stop()
        else:
            said = value.args[0] if value is not None and value.args else None
            stop({"etype": _type_name(etype), "message": said})


class _Place:
    """The spans that are open in this context."""

    def get(self) -> Stack:
        found = _current.get()
        return () if found is None else found.spans.get()

    def set(self, value: Stack, /) -> None:
        found = _current.get()
        if found is not None:
            found.spans.set(value)


_PLACE = _Place()


def _type_name(found: type) -> str:
    return f"{found.__module__}.{found.__qualname__}"


def trace(
    name: str,
    info: Info = None,
    hide_args: bool = False,
    hide_result: bool = True,
    allow_multiple_trace: bool = True,
) -> Callable[[Any], Any]:
    """Return a decorator that makes a span of each call of a function: a coroutine's until it ends, a generator's too.

    Its arguments go along unless `hide_args`, its result with `hide_result=False`. Raise ValueError for a function that is
    traced already where `allow_multiple_trace` is False.
    """

    def decorate(function: Any) -> Any:
        def around(args: Any, kwargs: Any) -> AbstractContextManager[Callable[[Any], None]]:
            return _call(name, info, function, None if hide_args else (args, kwargs), hide_result)

        times = getattr(function, "__traced__", 0)
        if times and not allow_multiple_trace:
            message = f"Function '{function}' has already been traced {times} times"
            raise ValueError(message)
        traced = wrapped(function, around, _PLACE)
        traced.__traced__ = times + 1
        return traced

    return decorate


@contextlib.contextmanager
def _call(
    name: str,
    info: Mapping[str, Any] | None,
    function: Any,
    given: tuple[Any, Any] | None,
    hide_result: bool,
) -> Iterator[Callable[[Any], None]]:
    """Make a span around a call; what it yields takes the result."""
    profiler = _current.get()
    if profiler is None:
        yield lambda _: None
        return
    told: dict[str, Any] = {"name": f"{function.__module__}.{function.__qualname__}"}
    if given is not None:
        told |= {"args": _text(str, given[0]), "kwargs": _text(str, given[1])}
    ending: dict[str, Any] = {}
    profiler.start(name, {**(info or {}), "function": told})
    try:
        yield lambda result: None if hide_result else ending.update(function={"result": _text(repr, result)})
    except Exception as error:
        profiler.stop({"etype": _type_name(type(error)), "message": _text(str, error)})
        raise
    except BaseException:
        profiler.stop()
        raise
    profiler.stop(ending or None)


def _text(form: Callable[[Any], str], value: object) -> str:
    try:
        return form(value)
    except Exception:  # noqa: BLE001 an object of the application, which may raise whatever it likes
        return f"<{type(value).__name__}>"


def trace_cls(
    name: str,
    info: Info = None,
    hide_args: bool = False,
    hide_result: bool = True,
    trace_private: bool = False,
    allow_multiple_trace: bool = True,
    trace_class_methods: bool = False,
    trace_static_methods: bool = False,
) -> Callable[[Any], Any]:
    """Return a decorator that traces the methods of a class, inherited ones too; never ``__x__``, ``_x`` with `trace_private`.

    Raise ValueError for a class one of whose methods is traced already where `allow_multiple_trace` is False.
    """
    kinds = {classmethod: trace_class_methods, staticmethod: trace_static_methods}

    def decorate(cls: Any) -> Any:
        return wrapped_class(
            cls, trace(name, info, hide_args, hide_result), kinds, private=trace_private, again=allow_multiple_trace
        )

    return decorate


class TracedMeta(type):
    """Traces the functions of each class of this metaclass, as its ``__trace_args__`` says: the arguments of `trace_cls`.

    Raise TypeError where there is none, or where it has no name.
    """

    def __init__(cls, cls_name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> None:
        super().__init__(cls_name, bases, attrs)
        given = dict(getattr(cls, "__trace_args__", {}))
        private, again = given.pop("trace_private", False), given.pop("allow_multiple_trace", True)
        if "name" not in given:
            message = (
                "Please specify __trace_args__ class level dictionary attribute with mandatory 'name' key - "
                "e.g. __trace_args__ = {'name': 'rpc'}"
            )
            raise TypeError(message)
        found = wrapped_in(attrs, private=private)
        if not again:
            ensure_not_traced(found)
        for name, function in found.items():
            setattr(cls, name, trace(**given)(function))
