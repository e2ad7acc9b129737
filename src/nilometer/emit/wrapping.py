"""A block of code that something is told of: ``with …``, ``async with …``, or a decorator over any function.

Rules: a function stays what it is, and keeps its name and signature; each call is a block of its own, so calls may overlap.
Exceptions go through unchanged. A generator that is closed early did not fail.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator
    from types import TracebackType

    Function = TypeVar("Function", bound=Callable[..., Any])
NO_FAILURES = (GeneratorExit,)


def failed(error: BaseException | None) -> bool:
    """Return whether what ended a block is a failure."""
    return error is not None and not isinstance(error, NO_FAILURES)


def message(error: BaseException | None) -> str:
    """Return an exception's message, its type where it has none."""
    try:
        return str(error) or type(error).__name__
    except Exception:  # noqa: BLE001 an exception of the application's may do anything
        return type(error).__name__


class Wrapping(ABC):
    """What has a beginning and an end. A deriving class says what happens at both, and what another call begins with."""

    __slots__ = ()

    @abstractmethod
    def __enter__(self) -> Self:
        """Begin."""

    @abstractmethod
    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End."""

    @abstractmethod
    def _again(self) -> Wrapping:
        """Return the block of another call."""

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def __call__(self, function: Function) -> Function:
        """Return the function, told of; it keeps its name, its signature and its kind."""
        if inspect.isasyncgenfunction(function):
            return cast("Function", self._each_of_async(function))
        if asyncio.iscoroutinefunction(function):
            return cast("Function", self._awaited(function))
        if inspect.isgeneratorfunction(function):
            return cast("Function", self._each_of(function))
        return cast("Function", self._called(function))

    def _called(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def told(*args: object, **options: object) -> object:
            with self._again():
                return function(*args, **options)

        return told

    def _awaited(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        async def told(*args: object, **options: object) -> object:
            with self._again():
                return await function(*args, **options)

        return told

    def _each_of(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def told(*args: object, **options: object) -> Generator[object, object, object]:
            with self._again():
                return (yield from function(*args, **options))

        return told

    def _each_of_async(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        async def told(*args: object, **options: object) -> AsyncIterator[object]:
            with self._again():
                async for each in function(*args, **options):
                    yield each

        return told
