"""Spans of all methods of a class: by a decorator, or by a metaclass."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def wanted(name: str, *, private: bool) -> bool:
    """Return whether a method of this name is traced."""
    return not name.startswith("__") and (private or not name.startswith("_"))


def traced(cls: Any, tracing: Callable[[Any], Any], *, private: bool) -> Any:  # noqa: ANN401 any class
    """Return the class, its methods traced: functions, class methods and static ones; properties stay as they are."""
    for name in [name for name in dir(cls) if wanted(name, private=private)]:
        found = inspect.getattr_static(cls, name)
        if inspect.isfunction(found):
            setattr(cls, name, tracing(found))
        elif isinstance(found, classmethod | staticmethod):
            setattr(cls, name, type(found)(tracing(found.__func__)))
    return cls
