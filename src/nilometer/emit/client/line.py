"""The text of lines: names, tags in every dialect, values, rates, events and service checks.

Rules:

* Pure: text in, text out. Whatever goes in, what comes out is one line that a server reads as what was meant.
* A name or tag cannot end its field: characters that would are ``_``. A value that is no finite number makes no line.
* Numbers are written so that every server reads them: shortest, a rate without an exponent.

Sources: https://github.com/statsd/statsd/blob/master/docs/metric_types.md, and for tags, events and service checks
https://docs.datadoghq.com/developers/dogstatsd/datagram_shell/, https://graphite.readthedocs.io/en/latest/tags.html,
https://github.com/influxdata/telegraf/tree/master/plugins/inputs/statsd, https://github.com/prometheus/statsd_exporter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import NamedTuple

from nilometer.emit.client.losses import Lost

Pairs = tuple[tuple[str, str], ...]
Tags = Mapping[str, object] | Sequence[tuple[str, object]] | Sequence[str] | None
"""Tags as they are given: a mapping, pairs, or texts ``name:value``."""
DIALECTS = ("dogstatsd", "graphite", "influx", "librato", "signalfx", "none")
"""How tags go on the wire; ``none`` leaves them out."""
NAME = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029:|]")
KEY = re.compile(r"[^\w./-]")
VALUE = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029:|,;=#~@\[\]]")
PLAIN_VALUE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029|,]")
"""What a tag's value cannot hold: within a name, and behind the line as DogStatsD has it, where colons do no harm."""
MEMBER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029:|]")
LOWEST_SHORT = 1e-4
"""Below this, the shortest text of a number has an exponent."""


class Head(NamedTuple):
    """What stands before a value, and behind its type."""

    before: str
    behind: str


def pairs(tags: Tags) -> Pairs:
    """Return tags as pairs of texts, in their order; a text without a colon is a tag without a value."""
    if not tags:
        return ()
    if isinstance(tags, Mapping):
        return tuple((str(name), str(value)) for name, value in tags.items())
    return tuple(_pair(tag) for tag in tags)


def key(stat: str, tags: Mapping[str, object] | Sequence[object]) -> tuple[object, ...]:
    """Return what name and tags are known by; only those of `texts` may be kept. Raise TypeError for what has no hash."""
    if type(tags) is dict or isinstance(tags, Mapping):
        return (stat, *tags.items())
    return (stat, *tags)


def texts(tags: Mapping[str, object] | Sequence[object]) -> bool:
    """Return whether tags are texts, of which equal ones are written alike: 1 and True are equal and are not."""
    given = tags.items() if isinstance(tags, Mapping) else tags
    return all(isinstance(tag, str) or (isinstance(tag, tuple) and all(isinstance(part, str) for part in tag)) for tag in given)


def _pair(tag: str | tuple[str, object]) -> tuple[str, str]:
    if isinstance(tag, str):
        name, _, value = tag.partition(":")
        return name, value
    name, given = tag
    return str(name), str(given)


def head(prefix: str, stat: str, tags: Pairs, dialect: str) -> Head:
    """Return what stands around a value. Raise `Lost` for an empty name."""
    name = NAME.sub("_", stat)
    if not name:
        reason = "name"
        raise Lost(reason)
    name = prefix + name
    if not tags or dialect == "none":
        return Head(f"{name}:", "")
    if dialect == "dogstatsd":
        return Head(f"{name}:", behind(tags))
    written = [f"{KEY.sub('_', key)}={VALUE.sub('_', value)}" for key, value in tags if key]
    return Head(WITHIN[dialect](name, written) + ":", "")


WITHIN = {
    "graphite": lambda name, tags: ";".join([name, *tags]),
    "influx": lambda name, tags: ",".join([name, *tags]),
    "librato": lambda name, tags: f"{name}#{','.join(tags)}",
    "signalfx": lambda name, tags: f"{name}[{','.join(tags)}]",
}


def behind(tags: Pairs) -> str:
    """Return tags as DogStatsD has them, at the end of a line."""
    written = [
        f"{KEY.sub('_', key)}:{PLAIN_VALUE.sub('_', value)}" if value else KEY.sub("_", key) for key, value in tags if key
    ]
    return f"|#{','.join(written)}" if written else ""


def number(value: object) -> str:
    """Return a number's text. Raise `Lost` for what is none, or not finite."""
    if type(value) is float and value - value == 0:
        return repr(value)
    return str(int(value)) if isinstance(value, int) else repr(finite(value))


def finite(value: object) -> float:
    """Return a number; integers stay ones. Raise `Lost` for what is none, or not finite."""
    if isinstance(value, int):
        return int(value)
    reason = "value"
    try:
        found = float(value)  # type: ignore[arg-type]  # what cannot be one raises
    except (TypeError, ValueError, OverflowError):
        raise Lost(reason) from None
    if not isfinite(found):
        raise Lost(reason)
    return found


def sampled(rate: float) -> str:
    """Return the part of a line that tells its rate, nothing for 1. Raise `Lost` for what is none."""
    if rate == 1:
        return ""
    if not isinstance(rate, int | float) or not 0 < rate < 1:
        reason = "value"
        raise Lost(reason)
    return f"|@{rate}" if rate >= LOWEST_SHORT else f"|@{rate:.15f}".rstrip("0")


def gauge(head: Head, value: float, rate: float, *, delta: bool) -> str:
    """Return a gauge's line. A value below zero takes two, for a sign would mean a change."""
    before, end = head.before, f"|g{sampled(rate)}{head.behind}"
    text = number(value)
    if delta:
        return f"{before}{text if value < 0 else f'+{text}'}{end}"
    return f"{before}0{end}\n{before}{text}{end}" if value < 0 else f"{before}{text}{end}"


def member(value: object) -> str:
    """Return a member of a set."""
    return MEMBER.sub("_", str(value))


def event(title: str, text: str, fields: Iterable[tuple[str, object | None]], tags: Pairs) -> str:
    """Return an event of DogStatsD: lengths are bytes, line ends are written as a backslash and an n."""
    title, text = escaped(title), escaped(text)
    lengths = f"{len(title.encode())},{len(text.encode())}"
    return f"_e{{{lengths}}}:{title}|{text}{_fields(fields)}{behind(tags)}"


def check(name: str, status: int, fields: Iterable[tuple[str, object | None]], tags: Pairs, message: str) -> str:
    """Return a service check of DogStatsD; the message stands last."""
    said = f"|m:{escaped(message).replace('m:', 'm' + chr(92) + ':')}" if message else ""
    return f"_sc|{NAME.sub('_', name)}|{status}{_fields(fields)}{behind(tags)}{said}"


def escaped(text: str) -> str:
    """Return a text of one line, as DogStatsD's clients write it; what UTF-8 cannot hold is ``?``."""
    text = text.replace("\r", "").replace("\n", "\\n")
    return text.encode("utf-8", "replace").decode("utf-8")


def _fields(fields: Iterable[tuple[str, object | None]]) -> str:
    return "".join(f"|{key}:{NAME.sub('_', str(value))}" for key, value in fields if value is not None and value != "")
