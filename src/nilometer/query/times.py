"""Times as Graphite writes them: ``-1h``, ``now``, ``noon+1d``, ``04:00_20260131``, ``1700000000``; and ISO 8601.

Rules:

* A time is a reference and an offset from it. A reference without an hour is midnight; without a day, today.
* A month is 30 days, a year 365. An offset is a span of time, also where a clock is put forward or back.
* Times without a zone are of the zone that the request names, UTC otherwise.

Source: graphite-web 1.1, "The Render URL API", from / until.
"""

from __future__ import annotations

import re
import zoneinfo
from datetime import UTC, datetime, timedelta, tzinfo

from nilometer.query.limits import QueryError

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS = {"noon": 12, "midnight": 0, "teatime": 16}
DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
UNITS = (
    ("s", "seconds", 1),
    ("min", "minutes", 60),
    ("h", "hours", 3600),
    ("d", "days", 86_400),
    ("w", "weeks", 7 * 86_400),
    ("mon", "months", 30 * 86_400),
    ("y", "years", 365 * 86_400),
)
"""The beginning of a unit, its whole word, its seconds."""
LONGEST = 100
LATEST = 253_402_300_799
"""The last second that a date can be written for, of the year 9999."""
PLUS = re.compile(r"(\d\d:\d\d(?:[:.,]\d+)*) (\d\d:?\d\d)\Z")
"""An offset of a zone whose plus sign stood bare in a URL, where it means a space."""
ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?")
CLOCK = re.compile(r"(?:(\d{1,2}):(\d{1,2})(am|pm)?)?(?:(\d{1,2})(am|pm))?(noon|midnight|teatime)?(.*)")
OFFSET = re.compile(r"[+-]?(?:\d+[a-z]+)+")
STEP = re.compile(r"(\d+)([a-z]+)")
SHORT_YEAR, CENTURY = 1900, 1970
NOON = 12


def zone(name: str) -> tzinfo:
    """Return the zone with that name, UTC when there is none."""
    try:
        return zoneinfo.ZoneInfo(name) if 0 < len(name) <= LONGEST else UTC
    except (OSError, ValueError, zoneinfo.ZoneInfoNotFoundError):
        return UTC


def moment(text: str, now: int, where: tzinfo = UTC) -> int:
    """Return the second since the epoch that the text means. Raise `QueryError`."""
    try:
        if len(text) > LONGEST:
            raise ValueError  # noqa: TRY301 told as all that cannot be read
        if ISO.fullmatch(text.strip()):
            found = datetime.fromisoformat(PLUS.sub(r"\1+\2", text.strip()))
            return int((found if found.tzinfo else found.replace(tzinfo=where)).timestamp())
        second = _moment(re.sub(r"[_, ]", "", text.strip().lower()), now, where)
    except (ValueError, OverflowError) as error:
        message = f"{text[:LONGEST]!r} is no time; such as -1h, now, 04:00_20260131, 2026-01-31T04:00Z or seconds since 1970"
        raise QueryError(message) from error
    if not 0 <= second <= LATEST:
        message = f"{text!r} lies outside the years 1970 to 9999"
        raise QueryError(message)
    return second


def _moment(text: str, now: int, where: tzinfo) -> int:
    if text.isdigit() and not _is_day(text):
        return int(text)
    place = min((text.find(sign) for sign in "+-" if sign in text), default=len(text))
    place = text.find("+") if "+" in text else place
    return _reference(text[:place], now, where) + seconds(text[place:] or "0s")


def _is_day(text: str) -> bool:
    return len(text) == len("YYYYMMDD") and int(text[:4]) > SHORT_YEAR and int(text[4:6]) < 13 and int(text[6:]) < 32  # noqa: PLR2004 months, days


def _reference(text: str, now: int, where: tzinfo) -> int:
    if text in ("", "now"):
        return now
    found = CLOCK.fullmatch(text)
    if found is None:
        raise ValueError
    hour, minute, half, hour_alone, half_alone, word, day = found.groups()
    clock = (_hour(hour, half), int(minute)) if hour else (0, 0)
    clock = (_hour(hour_alone, half_alone), clock[1]) if hour_alone else clock
    clock = (HOURS[word], 0) if word else clock
    today = datetime.fromtimestamp(now, where).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    naive = _day(day, today).replace(hour=clock[0], minute=clock[1])
    return int(naive.replace(tzinfo=where).timestamp())


def _hour(text: str, half: str | None) -> int:
    return (int(text) + NOON) % 24 if half == "pm" else int(text)


def _day(text: str, today: datetime) -> datetime:
    if text == "":
        return today
    if text in DAYS:
        return today + timedelta(days=DAYS[text])
    if text.count("/") == 2:  # noqa: PLR2004 MM/DD/YY
        month, day, year = (int(part) for part in text.split("/"))
        year += 1900 if year < SHORT_YEAR else 0
        return datetime(year + (100 if year < CENTURY else 0), month, day)  # noqa: DTZ001 the zone follows
    if len(text) == len("YYYYMMDD") and text.isdigit():
        return datetime(int(text[:4]), int(text[4:6]), int(text[6:]))  # noqa: DTZ001 the zone follows
    if text[:3] in MONTHS:
        number = re.search(r"\d{1,2}$", text)
        if number is None:
            raise ValueError
        return today.replace(month=MONTHS.index(text[:3]) + 1, day=int(number.group()))
    if text[:3] in WEEKDAYS:
        return today - timedelta(days=(today.weekday() - WEEKDAYS.index(text[:3])) % 7)
    raise ValueError


def unit(text: str) -> str:
    """Return the whole word for a unit: ``h`` and ``hour`` are ``hours``. Raise `QueryError`."""
    return _unit(text)[1]


def _unit(text: str) -> tuple[str, str, int]:
    for each in UNITS:
        if text.startswith(each[0]):
            return each
    message = f"{text[:LONGEST]!r} is no unit of time; one of s, min, h, d, w, mon, y"
    raise QueryError(message)


def seconds(text: str) -> int:
    """Return the seconds of an offset: ``-1h30min``, ``2d``. Raise `QueryError`."""
    if len(text) > LONGEST or not OFFSET.fullmatch(text):
        message = f"{text[:LONGEST]!r} is no span of time; for example 10min, 1h or -7d"
        raise QueryError(message)
    total = sum(int(number) * _unit(word)[2] for number, word in STEP.findall(text))
    if total > LATEST:
        message = f"{text!r} is longer than all time that can be asked for"
        raise QueryError(message)
    return -total if text.startswith("-") else total
