"""Small helps for commands, which other clients import."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def env(*args: str, **kwargs: str) -> str:
    """Return the first of the variables of the environment that says something, `default` otherwise."""
    return next((os.environ[name] for name in args if os.environ.get(name)), kwargs.get("default", ""))


def arg(*args: Any, **kwargs: Any) -> Callable[[Any], Any]:
    """Return a decorator that notes an argument of a command."""

    def decorate(function: Any) -> Any:
        add_arg(function, *args, **kwargs)
        return function

    return decorate


def add_arg(func: Any, *args: Any, **kwargs: Any) -> None:
    """Note an argument of a command, once; the one that is noted last stands first."""
    known = func.__dict__.setdefault("arguments", [])
    if (args, kwargs) not in known:
        known.insert(0, (args, kwargs))
