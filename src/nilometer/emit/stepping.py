"""Generators within a block that has a place in the context: it is theirs while they are at work, and not their caller's.

What a caller does between two steps stands where the caller stood. `Around` makes the block of a call, of its arguments; what
it gives takes the result. Whatever is sent, thrown and closed reaches the generator.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from contextlib import AbstractContextManager

    Around = Callable[[Any, Any], AbstractContextManager[Callable[[Any], None]]]


class Place(Protocol):
    """Where the context is; a context variable has these methods."""

    def get(self) -> Any:  # noqa: ANN401 whatever stands there
        """Return it."""

    def set(self, value: Any, /) -> object:  # noqa: ANN401 see above
        """Go there."""


def generator(function: Callable[..., Any], around: Around, place: Place) -> Callable[..., Any]:
    """Return a generator function within a block for each call."""

    @functools.wraps(function)
    def stepped(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:  # noqa: ANN401 whatever it takes
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

    return stepped


def stream(function: Callable[..., Any], around: Around, place: Place) -> Callable[..., Any]:
    """Return an asynchronous generator function within a block for each call."""

    @functools.wraps(function)
    async def stepped(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:  # noqa: ANN401 whatever it takes
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

    return stepped
