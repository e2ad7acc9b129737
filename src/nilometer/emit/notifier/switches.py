"""Which events go out at all: switches by type and by priority, thrown at any time. The last one that fits an event counts."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple


class Switch(NamedTuple):
    """Events of types, and of priorities, that fit two globs."""

    events: str
    priority: str

    def fits(self, type_: str, priority: str) -> bool:
        """Return whether an event is meant."""
        return fnmatchcase(type_, self.events) and fnmatchcase(priority, self.priority)


class Switches:
    """Switches in the order in which they were thrown. Any thread may throw one."""

    def __init__(self) -> None:
        self._thrown: tuple[tuple[Switch, bool], ...] = ()

    def throw(self, switch: Switch, *, on: bool) -> None:
        """Turn events on or off; the same switch thrown before is forgotten."""
        self._thrown = (*(each for each in self._thrown if each[0] != switch), (switch, on))

    def on(self, type_: str, priority: str, *, usual: bool) -> bool:
        """Return whether an event goes out; `usual` where no switch fits it."""
        return next((on for switch, on in reversed(self._thrown) if switch.fits(type_, priority)), usual)
