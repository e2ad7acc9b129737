"""One setting, and how its value is read: from a TOML value, or from the text of a flag or of the environment.

`option` declares a setting as a field of a section's dataclass, so that type checkers know its type and everything else
(reading, checks, docs) comes from the same line. Types a setting may have: `Duration`, `Size`, `Rollup`, `Expiry`, `Moment`,
`NamedDuration`, `Url`, `NamedUrl`, `Bins`, `Path`, bool, int, float, str, those that `READ_TABLE` knows, and tuples of these.
"""

from __future__ import annotations

import dataclasses
import math
import tomllib
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple, TypeVar

from nilometer.core import quantity, url
from nilometer.core.errors import ConfigError, SettingError, did_you_mean
from nilometer.core.quantity import Duration, Expiry, Moment, NamedDuration, Rollup, Size
from nilometer.core.url import NamedUrl, Url

T = TypeVar("T")
META = "nilometer.setting"


class Bins(NamedTuple):
    """A histogram for every timer whose key contains `match`: upper bounds of its bins. No bins: none for these timers."""

    match: str
    bins: tuple[float, ...]


EXPECTED: dict[type, str] = {
    Duration: 'a duration such as "10s", "500ms" or "7d"',
    Size: 'a size in bytes such as "64KiB" or "1GiB"',
    Rollup: 'a step and a time to keep it, such as "1m:30d"',
    Expiry: 'a number of flushes, a duration such as "10m", or "never"',
    Moment: 'a date or time such as "2015-08-08" or "2015-08-08T12:00:00Z"',
    NamedDuration: 'a name and a duration, such as "NAME=7d"',
    Url: 'a URL such as "graphite://localhost:2003"',
    NamedUrl: 'a URL such as "https://shop.example/health", or "NAME=URL"',
    Bins: 'a table such as {match = "api", bins = [10, 100, "inf"]}',
    Path: "a path",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
}
"""What a value of each type looks like, for messages and docs."""

READ_TABLE: dict[type, Callable[[object], object]] = {}
"""Types that are tables of their own, and how each is read: raises TypeError for no table, `SettingError` for a wrong one."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a value must keep to, besides its type. `check` returns what is wrong with a value, or the empty string."""

    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    check: Callable[[typing.Any], str] | None = None

    def fault(self, value: object) -> str:
        """Return what is wrong with a value of the right type, or the empty string."""
        if self.choices and value not in self.choices:
            return f"expected one of {', '.join(self.choices)}{did_you_mean(str(value), self.choices)}"
        if isinstance(value, int | float) and not self._within(value):
            return f"expected {self.bounds(type(value))}"
        return "" if self.check is None else self.check(value)

    def _within(self, value: float) -> bool:
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)

    def bounds(self, kind: type) -> str:
        """Return ``at least 1s and at most 60s``, as far as there are bounds."""
        parts = (("at least", self.minimum), ("at most", self.maximum))
        return " and ".join(f"{word} {text(convert_number(bound, kind))}" for word, bound in parts if bound is not None)


def option(  # noqa: PLR0913 each is one part of a setting
    default: T,
    help: str,  # noqa: A002 the word that docs and --help use
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
    check: Callable[[typing.Any], str] | None = None,
) -> T:
    """Declare a setting as a field of a section. Bounds, choices and `check` look at one item of a list."""
    limits = Limits(help, minimum, maximum, choices, check)
    return dataclasses.field(default=default, metadata={META: limits})


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table of settings. `kind` is the type of a value, or of one item where `many`."""

    section: str
    key: str
    kind: type
    many: bool
    default: object
    limits: Limits

    @property
    def name(self) -> str:
        """Its full name, ``section.key``."""
        return f"{self.section}.{self.key}"

    @property
    def environment(self) -> str:
        """The environment variable that sets it."""
        return f"NILOMETER_{self.section}_{self.key}".upper()

    @property
    def flag(self) -> str:
        """The command line's flag that sets it."""
        return f"--{self.section}-{self.key}".replace("_", "-")

    @property
    def help(self) -> str:
        """What it does, in one sentence."""
        return self.limits.help

    @property
    def expected(self) -> str:
        """What a value looks like, with its bounds."""
        if self.limits.choices:
            return "one of " + ", ".join(filter(None, self.limits.choices))
        bounds = self.limits.bounds(self.kind)
        return ("a list, each " if self.many else "") + EXPECTED[self.kind] + (f", {bounds}" if bounds else "")

    def read(self, value: object, where: str) -> object:
        """Read a value as TOML gives it; `where` stands in messages. Raise `SettingError` when it does not fit."""
        if not self.many:
            return self.item(value, where)
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise self._error(value, where, f"expected {self.expected}")
        return tuple(self.item(item, where, number) for number, item in enumerate(value, 1))

    def read_text(self, value: str, where: str) -> object:
        """Read a flag's or the environment's text: a list has spaces between its items, or is a list as in TOML."""
        if self.many:
            bracketed = value.lstrip().startswith("[")
            return self.read(_toml_value(value, where) if bracketed else value.split(), where)
        return self.item(value, where, plain=True)

    def item(self, value: object, where: str, number: int = 0, *, plain: bool = False) -> object:
        """Read one value, the `number`-th of a list, counted from 1. Raise `SettingError` when it does not fit."""
        tables = (Bins, *READ_TABLE)
        if self.kind in tables and isinstance(value, str) and value.lstrip().startswith("{"):
            value = _toml_value(value, where)
        try:
            result = _convert(value, self.kind, plain=plain or (self.many and isinstance(value, str)))
        except (ConfigError, TypeError, ValueError) as error:
            reason = str(error) if isinstance(error, ConfigError) and self.kind in (Url, NamedUrl, Rollup, *tables) else ""
            if self.kind in READ_TABLE:
                reason = reason.removeprefix(": rule.") or f"expected {EXPECTED[self.kind]}"
                message = f"{where}: {self.name}: rule {number}: {reason}"
                raise SettingError(message) from error
            raise self._error(value, where, reason or f"expected {self.expected}") from error
        fault = self.limits.fault(result)
        if fault:
            raise self._error(value, where, fault)
        return result

    def _error(self, value: object, where: str, reason: str) -> SettingError:
        shown = "" if self.kind in (Url, NamedUrl) else f" = {_short(value)}"
        return SettingError(f"{where}: {self.name}{shown}: {reason}")


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."  # noqa: PLR2004 what fits a line


def _toml_value(value: str, where: str) -> object:
    try:
        parsed = tomllib.loads(f"value = {value}")
    except tomllib.TOMLDecodeError as error:
        message = f"{where}: not a TOML value: {error}"
        raise SettingError(message) from error
    return parsed["value"] if len(parsed) == 1 else None


def _convert(value: object, kind: type, *, plain: bool) -> object:
    """Convert one value; `plain` text may stand for what TOML would write without quotes."""
    if kind in READ_TABLE:
        return READ_TABLE[kind](value)
    if kind is Bins:
        return _bins(value)
    if kind is Expiry and isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if kind is Moment and isinstance(value, date):
        value = value.isoformat()
    if isinstance(value, str):
        return _convert_text(value, kind, plain=plain)
    return convert_number(value, kind)


def _convert_text(value: str, kind: type, *, plain: bool) -> object:
    if kind is Url:
        return url.parse(value)
    if kind is NamedUrl:
        return url.named(value)
    if kind is Path:
        return _path(value)
    if kind in (bool, int, float) and not plain:
        raise TypeError
    return quantity.convert(value, kind)


def _path(value: str) -> Path:
    if not value or "\0" in value:
        raise ValueError
    return Path(value).expanduser()


def convert_number(value: object, kind: type) -> object:
    """Convert what TOML gives besides text. Raise TypeError or ValueError when it does not fit."""
    if kind is bool:
        if isinstance(value, bool):
            return value
        raise TypeError
    if isinstance(value, bool) or not isinstance(value, int | float) or kind not in (Duration, Size, int, float):
        raise TypeError
    if not math.isfinite(value) or (kind in (Duration, Size) and value < 0) or (kind in (int, Size) and value != int(value)):
        raise ValueError
    return kind(value)


def _bins(value: object) -> Bins:
    if not isinstance(value, Mapping) or not isinstance(value.get("match"), str) or not isinstance(value.get("bins"), list):
        raise TypeError
    unknown = [key for key in value if key not in Bins._fields]
    if unknown:
        message = f"unknown key {unknown[0]!r}{did_you_mean(unknown[0], Bins._fields)}; known are match, bins"
        raise SettingError(message)
    return Bins(value["match"], tuple(_bound(bound) for bound in value["bins"]))


def _bound(value: object) -> float:
    if value in ("inf", math.inf):
        return math.inf
    number = convert_number(value, float)
    return typing.cast("float", number)


def text(value: object) -> str:
    """Return one value as a person writes it, without quotes. A URL's secrets are masked."""
    if isinstance(value, Duration | Size | Rollup | Moment | NamedDuration):
        return quantity.written(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def table(sections: Mapping[str, type]) -> tuple[Setting, ...]:
    """Return the settings of the sections' dataclasses, in order."""
    return tuple(_setting(section, kind, field) for section, kind in sections.items() for field in dataclasses.fields(kind))


def _setting(section: str, owner: type, field: dataclasses.Field[object]) -> Setting:
    hint = typing.get_type_hints(owner)[field.name]
    many = typing.get_origin(hint) is tuple
    return Setting(section, field.name, typing.get_args(hint)[0] if many else hint, many, field.default, field.metadata[META])
