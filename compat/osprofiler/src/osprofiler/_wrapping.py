"""Functions of every kind in a span: plain ones, coroutines, generators, asynchronous ones; and the methods of classes."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from nilometer.emit import stepping

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nilometer.emit.stepping import Around, Place


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
        return stepping.stream(function, around, place)
    if inspect.isgeneratorfunction(function):
        return stepping.generator(function, around, place)

    @functools.wraps(function)
    def plain(*args: Any, **kwargs: Any) -> Any:
        with around(args, kwargs) as end:
            result = function(*args, **kwargs)
            end(result)
            return result

    return plain


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
