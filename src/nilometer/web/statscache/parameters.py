"""What statscache's parameters say.

Rules:

* `order` is ``asc``, or anything else for descending; all others are checked, and what is wrong raises `InputError` naming it.
* Times are seconds since the epoch or, beyond what statscache took, ISO 8601, in UTC unless it says otherwise.
* `stop` is now unless it is given, so the window that is open, whose label lies ahead, is hidden.
* An empty parameter, or one of blanks, is like none: forms send such.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

from nilometer.core.errors import InputError
from nilometer.core.statistics import RowQuery
from nilometer.query.times import PLUS
from nilometer.statistics.formats import YEARS

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST = 100
"""Rows of a page, at most and unless less are asked for."""
LARGEST = 1_000_000_000
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,3})?\Z", re.ASCII | re.IGNORECASE)
WHOLE = re.compile(r"[0-9]{1,10}\Z")
CALLBACK = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*(\.[A-Za-z_$][A-Za-z0-9_$]*)*\Z")
LONGEST_CALLBACK = 100


class Asked(NamedTuple):
    """Which rows, of which page: `limit` rows of all pages together, None for all; `rows_per_page`; `page` from 1."""

    order: Literal["asc", "desc"]
    start: float
    stop: float
    limit: int | None
    rows_per_page: int
    page: int

    @property
    def query(self) -> RowQuery:
        """What a store is asked."""
        return RowQuery(self.start, self.stop, self.order)


def read(given: Mapping[str, str], now: float) -> Asked:
    """Return what the parameters ask. Raise `InputError`."""
    return Asked(
        "asc" if given.get("order") == "asc" else "desc",
        _time(given, "start", -math.inf),
        _time(given, "stop", now),
        _whole(given, "limit", 0, 0) if given.get("limit", "").strip() else None,
        min(_whole(given, "rows_per_page", 1, MOST), MOST),
        _whole(given, "page", 1, 1),
    )


def callback(given: Mapping[str, str]) -> str:
    """Return the name of the function that JSON-P calls, empty for none. Raise `InputError` for what is no name."""
    name = given.get("callback", "")
    if name and (len(name) > LONGEST_CALLBACK or not CALLBACK.match(name)):
        message = f"callback: {name[:100]!r} is no name of a JavaScript function, such as cb or page.show"
        raise InputError(message)
    return name


def _whole(given: Mapping[str, str], name: str, least: int, default: int) -> int:
    text = given.get(name, "").strip() or str(default)
    if not WHOLE.match(text) or not least <= int(text) <= LARGEST:
        message = f"{name}: {text[:100]!r} is no whole number from {least} to {LARGEST}"
        raise InputError(message)
    return int(text)


def _time(given: Mapping[str, str], name: str, default: float) -> float:
    text = given.get(name, "").strip()
    if not text:
        return default
    seconds = _seconds(text)
    if not YEARS[0] <= seconds <= YEARS[1]:  # which no comparison with NaN is
        message = f"{name}: {text[:100]!r} is no time: give seconds since 1970, or ISO 8601 such as 2026-01-05T00:00:00Z"
        raise InputError(message)
    return seconds


def _seconds(text: str) -> float:
    """Return the time that a text says, NaN when it says none."""
    if NUMBER.match(text):
        return float(text)
    try:
        moment = datetime.fromisoformat(PLUS.sub(r"\1+\2", text))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return math.nan
