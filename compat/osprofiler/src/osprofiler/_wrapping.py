"""Functions of every kind in a span: plain ones, coroutines, generators, asynchronous ones; and the methods of classes.

`Around` makes the span of a call, of its arguments; what it gives takes the result. A generator's span is current while the
generator is at work only: what its caller does between two steps is no part of it.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping
    from contextlib import AbstractContextManager

    Around = Callable[[Any, Any], AbstractContextManager[Callable[[Any], None]]]


class Place(Protocol):
    """Where the context is in a trace: what a generator takes along while it is not at work."""

    def get(self) -> Any:
        """Return it."""

    def set(self, value: Any, /) -> object:
        """Go there."""


def wrapped(function: Any, around: Around, place: Place) -> Any:
    """Return the function within a span for each call."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def coroutine(*args: Any, **kwargs: Any) -> Any:
            with around(args, kwargs) as end:
                result = await function(*args, **kwargs)
                end(result)
                return result

        return coroutine
    if inspect.isasyncgenfunction(function):
        return _stream(function, around, place)
    if inspect.isgeneratorfunction(function):
        return _generator(function, around, place)

    @functools.wraps(function)
    def plain(*args: Any, **kwargs: Any) -> Any:
        with around(args, kwargs) as end:
            result = function(*args, **kwargs)
            end(result)
            return result

    return plain


def _generator(function: Any, around: Around, place: Place) -> Any:
    @functools.wraps(function)
    def generator(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        outside = place.get()
        try:
            with around(args, kwargs) as end:
                body = function(*args, **kwargs)
                step, given = body.send, None
                while True:
                    try:
                        value = step(given)
                    except StopIteration as stop:
                        end(stop.value)
                        return stop.value
                    inside = place.get()
                    place.set(outside)
                    try:
                        step, given = body.send, (yield value)
                    except GeneratorExit:
                        place.set(inside)
                        body.close()
                        raise
                    except BaseException as error:  # noqa: BLE001 what the caller throws is for the body
                        step, given = body.throw, error
                    outside = place.get()
                    place.set(inside)
        finally:
            place.set(outside)

    return generator


def _stream(function: Any, around: Around, place: Place) -> Any:
    @functools.wraps(function)
    async def stream(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        outside = place.get()
        try:
            with around(args, kwargs):
                body = function(*args, **kwargs)
                step, given = body.asend, None
                while True:
                    try:
                        value = await step(given)
                    except StopAsyncIteration:
                        return
                    inside = place.get()
                    place.set(outside)
                    try:
                        step, given = body.asend, (yield value)
                    except GeneratorExit:
                        place.set(inside)
                        await body.aclose()
                        raise
                    except BaseException as error:  # noqa: BLE001 what the caller throws is for the body
                        step, given = body.athrow, error
                    outside = place.get()
                    place.set(inside)
        finally:
            place.set(outside)

    return stream


def wrapped_in(attributes: Mapping[str, Any], *, private: bool) -> dict[str, Any]:
    """Return the functions among attributes that are to be traced."""
    return {name: value for name, value in attributes.items() if inspect.isfunction(value) and _wanted(name, private=private)}


def _wanted(name: str, *, private: bool) -> bool:
    return not name.startswith("__") and (private or not name.startswith("_"))


def wrapped_class(
    cls: Any,
    tracing: Callable[[Any], Any],
    kinds: Mapping[type, bool],
    *,
    private: bool,
    again: bool,
) -> Any:
    """Return the class with its methods traced. `kinds` says whether class methods and static ones are."""
    names = [name for name in dir(cls) if _wanted(name, private=private)]
    found = {name: inspect.getattr_static(cls, name) for name in names}
    methods = {
        name: value
        for name, value in found.items()
        if inspect.isfunction(value) or any(isinstance(value, kind) and wanted for kind, wanted in kinds.items())
    }
    if not again:
        ensure_not_traced({name: getattr(value, "__func__", value) for name, value in methods.items()})
    for name, value in methods.items():
        if inspect.isfunction(value):
            setattr(cls, name, tracing(value))
        else:
            setattr(cls, name, type(value)(tracing(value.__func__)))
    return cls


def ensure_not_traced(functions: Mapping[str, Any]) -> None:
    """Raise ValueError naming a function that is traced already."""
    for name, function in functions.items():
        times = getattr(function, "__traced__", 0)
        if times:
            message = (
                f"Can not apply new trace on top of previously traced attribute '{name}' "
                f"since it has been traced {times} times previously"
            )
            raise ValueError(message)
