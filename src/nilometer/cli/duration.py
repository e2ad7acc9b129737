"""A duration as an option: ``10s``, ``2m``, ``1h``; a bare number is seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nilometer.core import quantity
from nilometer.core.errors import SettingError
from nilometer.core.quantity import Duration

if TYPE_CHECKING:
    from typing import Any


class DurationType(click.ParamType):  # type: ignore[type-arg]  # click 8.2 has no arguments here
    """Reads a duration between two bounds, in seconds, both included."""

    name = "duration"

    def __init__(self, least: float = 0, most: float = float("inf")) -> None:
        self._least, self._most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Duration:  # noqa: ANN401 click's word
        """Return seconds. What is no duration, or out of bounds, ends the command with a message."""
        try:
            found = quantity.duration(value) if isinstance(value, str) else Duration(value)
        except SettingError as error:
            self.fail(str(error), param, ctx)
        if not self._least <= found <= self._most:
            least, most = (quantity.written(Duration(bound)) for bound in (self._least, min(self._most, 1e12)))
            self.fail(f"{value} is not {'at least ' + least if found < self._least else 'at most ' + most}", param, ctx)
        return found
