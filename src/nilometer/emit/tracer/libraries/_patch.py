"""A method of a library's class in another's place, until it is put back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MARK = "__nilometer__"


def patched(owner: Any, name: str, make: Callable[[Any], Any]) -> Callable[[], None]:  # noqa: ANN401 any class
    """Put what `make` makes of a method in its place, once. Return what puts it back."""
    before = getattr(owner, name)
    if getattr(before, MARK, False):
        return _nothing
    after = make(before)
    setattr(after, MARK, True)
    setattr(owner, name, after)

    def undo() -> None:
        if getattr(owner, name) is after:
            setattr(owner, name, before)

    return undo


def _nothing() -> None:
    """Somebody else traces it already."""
