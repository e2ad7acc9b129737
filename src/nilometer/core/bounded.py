"""Names from outside, cleaned and bounded: so that nobody makes ever more series."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

OTHER = "other"
LONGEST_READ = 400
"""Characters of a name that are looked at."""


class Bounded:
    """Names as `clean` makes them: those `given`, and the first `most` others; the rest is ``other``. Any thread may ask."""

    def __init__(self, most: int, clean: Callable[[str], str], given: Iterable[str] = ()) -> None:
        self._clean = clean
        self._known = {name: clean(name) for name in given}
        self._most = most + len(self._known)

    def __call__(self, name: str) -> str:
        """Return what a name is called in series."""
        found = self._known.get(name)
        if found is not None:
            return found
        if len(self._known) >= self._most or len(name) > LONGEST_READ:
            return OTHER
        return self._known.setdefault(name, self._clean(name))
