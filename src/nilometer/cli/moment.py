"""A time on the command line."""

from __future__ import annotations

import re
import time
from typing import Any

import click

from nilometer.core import quantity
from nilometer.core.errors import NilometerError, SettingError
from nilometer.core.wire import rfc3339
from nilometer.query import times

AGO = re.compile(r"(?:\d[\d.]*[a-z]+)+")


MILLISECOND = len("2026-11-23T06:00:00.000")


def shown(time: float) -> str:
    """Return a time in seconds since the epoch, to the millisecond."""
    text = rfc3339.encode(time).removesuffix("Z")
    return (text if "." in text else f"{text}.").ljust(MILLISECOND, "0")[:MILLISECOND] + "Z"


class Moment(click.ParamType):  # type: ignore[type-arg]  # click 8.2 has no arguments here
    """Reads a time: ``2h`` ago, ``2026-11-23``, ``2026-11-23T06:00Z``, seconds since 1970, or as Graphite writes it."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401 click's word
        """Return seconds since the epoch."""
        now = time.time()
        if isinstance(value, float):
            return value
        try:
            if AGO.fullmatch(value):
                return now - quantity.duration(value)
        except SettingError:
            value = f"-{value}"
        try:
            return float(times.moment(value, int(now)))
        except NilometerError as error:
            self.fail(str(error), param, ctx)
