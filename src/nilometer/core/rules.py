# ruff: noqa: RUF009, FBT003  `option` makes a dataclass field; the first argument is its default
"""One rule as the settings have it: a table ``[[rules]]``, whose keys are declared here like settings.

Rules:

* `match` (a glob), `prefix` and `regex` are three ways to say the same; without any, a rule fits every name.
* Everything in it is checked when it is read, so that no kernel sees a pattern or a template that is none.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from nilometer.core import pattern
from nilometer.core.errors import SettingError, did_you_mean
from nilometer.core.quantity import Expiry  # noqa: TC001 get_type_hints looks for it
from nilometer.core.setting import EXPECTED, READ_TABLE, option, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nilometer.core.pattern import Pattern

KINDS = ("counter", "timer", "gauge", "set")
RESERVED = frozenset(";\n\r\t|")
UNSET = cast("Any", None)


def _tag(value: str) -> str:
    return "" if value.partition(":")[0] and not set(value) & RESERVED else "expected a tag such as env:prod"


def _name(value: str) -> str:
    return "expected a name without ; | or control characters" if set(value) & RESERVED else ""


@dataclass(frozen=True, slots=True)
class RuleTable:
    """What becomes of the series that fit; the first rule that fits a series is the only one."""

    match: str = option("", "A glob for the name: * stands for one part between dots, or for a piece of one.", check=_name)
    prefix: str = option("", "What the name begins with.")
    regex: str = option("", "A regular expression that is searched for in the name.")
    type: str = option("", "The type of series that it is for; all without it.", choices=("", *KINDS))
    with_tags: tuple[str, ...] = option(
        (), "Tags that the series must have, such as env:prod; env:* for any value.", check=_tag
    )
    action: str = option(
        "map",
        "map changes what fits, drop drops it; keep is map, but what no rule fits is dropped.",
        choices=("map", "drop", "keep"),
    )
    rename: str = option(
        "", "The new name; $1 is what the first * or group caught, $0 all that the pattern matched.", check=_name
    )
    tags: tuple[str, ...] = option((), "Tags to set, such as host:$1; one that comes out empty is removed.", check=_tag)
    remove_tags: tuple[str, ...] = option((), "Names of tags to remove, before others are set; * for all.")
    honor_tags: bool = option(False, "Leave tags that the series has already as they are.")
    prometheus_names: bool = option(False, "Turn the name into one that Prometheus takes: letters, digits and _.")
    scale: float = option(1.0, "What values are multiplied by; sets have none.")
    sample: float = option(
        1.0, "The fraction of counters' and timers' values to keep; what is kept weighs the more.", minimum=1e-9, maximum=1
    )
    percentiles: tuple[float, ...] = option(UNSET, "As timers.percentiles, for these.", minimum=-100, maximum=100)
    histogram: tuple[float, ...] = option(UNSET, "Upper bounds of bins, for these; the rest is counted in bin_inf.")
    cumulative: bool = option(UNSET, "As timers.cumulative, for these.")
    sketch: bool = option(UNSET, "As timers.sketch, for these.")
    statistics: tuple[str, ...] = option(UNSET, "As timers.statistics, for these.")
    expire: Expiry = option(UNSET, "As idle.expire_counters and the like, for these.")
    flush_every: int = option(1, "How many windows to flush together.", minimum=1, maximum=100_000)

    def pattern(self) -> Pattern:
        """Return what is searched for. Raise `SettingError`."""
        given = [name for name in ("match", "prefix", "regex") if getattr(self, name)]
        if len(given) > 1:
            message = f"{' and '.join(given)} cannot stand together: a rule has one of match, prefix and regex"
            raise SettingError(message)
        if self.match:
            return pattern.glob(self.match)
        return pattern.regex(self.regex) if self.regex else pattern.prefix(self.prefix)

    def given(self) -> dict[str, object]:
        """Return what is not as it is by default, by key."""
        default = RuleTable()
        keys = [each.name for each in dataclasses.fields(self)]
        return {key: getattr(self, key) for key in keys if getattr(self, key) != getattr(default, key)}

    def bounds(self) -> tuple[float, ...] | None:
        """Return the bounds of the histogram, the last infinite."""
        return (*self.histogram, math.inf) if self.histogram else self.histogram


PRESETS: dict[str, RuleTable] = {
    "requests": RuleTable(
        regex=r"(^|\.)(mdb\.req|request)\.([a-z]+_)*timing(\.|$)",
        type="timer",
        percentiles=(50, 66, 75, 80, 90, 95, 98, 99, 100),
    ),
}
"""Rules that come ready, by name. ``requests``: the distribution of every time that request metrics send, in both styles."""

KEYS = {setting.key: setting for setting in table({"rule": RuleTable})}
"""What a rule may hold, by key."""


def read(value: object) -> RuleTable:
    """Read a rule as TOML gives it. Raise `SettingError` for whatever is wrong in it."""
    if not isinstance(value, dict):
        raise TypeError
    given = {}
    for key, item in cast("Mapping[str, object]", value).items():
        if key not in KEYS:
            message = f"unknown key {key!r}{did_you_mean(key, KEYS)}"
            raise SettingError(message)
        given[key] = KEYS[key].read(item, "")
    rule = RuleTable(**cast("Any", given))
    _check(rule)
    return rule


def _check(rule: RuleTable) -> None:
    """Refuse patterns and templates that are none."""
    key, texts = "regex", (rule.rename, *rule.tags)
    try:
        found = rule.pattern()
        key = "rename"
        for text in texts:
            pattern.template(text, found)
            key = "tags"
    except SettingError as error:
        message = f"{key}: {error}" if not str(error).endswith("prefix and regex") else str(error)
        raise SettingError(message) from error
    if list(rule.histogram or ()) != sorted(set(rule.histogram or ())):
        message = "histogram: the bounds must grow"
        raise SettingError(message)


EXPECTED[RuleTable] = 'a table such as {match = "api.*", action = "drop"}'
READ_TABLE[RuleTable] = read
