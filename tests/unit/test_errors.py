from __future__ import annotations

import inspect
import re

from nilometer.core import errors
from nilometer.core.errors import NilometerError, did_you_mean

CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]


def test_every_error_stands_in_one_tree() -> None:
    assert len(CLASSES) > 10
    assert all(issubclass(kind, NilometerError) for kind in CLASSES)


def test_the_drawing_at_the_top_shows_the_tree() -> None:
    drawn: dict[str, str] = {}
    above = ["NilometerError"]
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"([│ ]*)[├└]─ (\w+)", line)
        if match is not None:
            depth = len(match[1]) // 3 + 1
            drawn[match[2]] = above[depth - 1]
            above[depth:] = [match[2]]
    assert drawn == {kind.__name__: kind.__bases__[0].__name__ for kind in CLASSES if kind is not NilometerError}


def test_the_nearest_word_is_named() -> None:
    assert did_you_mean("grafite", ["graphite", "memory"]) == "; did you mean 'graphite'?"
    assert did_you_mean("zzz", ["graphite", "memory"]) == ""
