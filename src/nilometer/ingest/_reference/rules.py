"""Rules: where a key leads, and what becomes of its values.

Rules:

* The first rule that fits a series is the only one. Where a rule says to keep, what no rule fits is dropped.
* A key that comes out is cleaned like any other. Tags that all series get leave alone what a series has of its own.
* Which values of a sampled series are kept is drawn from splitmix64, so that it is the same every time.

Source: https://prng.di.unimi.it/splitmix64.c
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.record import Kind
from nilometer.core.wire.key import clean
from nilometer.ingest.kernel import DROP, KEEP

if TYPE_CHECKING:
    from nilometer.ingest._reference.reading import Sample
    from nilometer.ingest.kernel import Aggregation, Rule, Template

WORD = (1 << 64) - 1
PROMETHEUS_NONE = re.compile(r"--+|[^A-Za-z0-9_]")


class Profile(NamedTuple):
    """How a series is computed and kept, where that is not as for all others. See `Rule`."""

    percentiles: tuple[float, ...] | None = None
    histogram: tuple[float, ...] | None = None
    cumulative: bool | None = None
    sketch: bool | None = None
    statistics: tuple[str, ...] | None = None
    expire: int | None = None
    every: int = 1


def profile_of(rule: Rule) -> Profile:
    """Return the profile that a rule gives."""
    shared = {name: getattr(rule, name) for name in Profile._fields}
    return Profile(**shared | {"every": max(rule.every, 1)})


class Target(NamedTuple):
    """The series that a key leads to, and what becomes of its values."""

    key: str
    scale: float = 1.0
    sample: float = 1.0
    profile: Profile = Profile()


class Router:
    """All rules of an aggregation. `generation` tells it from those before. Raise ValueError for a pattern that is none."""

    def __init__(self, aggregation: Aggregation, generation: int) -> None:
        self.generation = generation
        self._rules = [(rule, _compile(rule)) for rule in aggregation.rules]
        self._closed = any(rule.action == KEEP for rule in aggregation.rules)
        self._tags, self._sanitize = aggregation.tags, aggregation.sanitize

    def route(self, kind: Kind, key: str) -> Target | None:
        """Return where the values of a key go, which is clean; None where they are dropped."""
        if not self._rules and not self._tags:
            return Target(key)
        name, _, tags = key.partition(";")
        for rule, pattern in self._rules:
            if rule.kind in ("", kind.value) and (caught := pattern.search(name)) and _has_all(rule, tags):
                return None if rule.action == DROP else self._follow(rule, caught, name, tags)
        return None if self._closed else Target(self._key(name, _Tags(tags)))

    def _follow(self, rule: Rule, caught: re.Match[str], name: str, tags: str) -> Target | None:
        if rule.rename is not None:
            name = _fill(rule.rename, caught)
        if rule.escape:
            name = _escape(name)
        if not name and rule.rename is not None:
            return None
        edited = _Tags(tags)
        for tag in rule.remove_tags:
            edited.remove(tag)
        for tag, template in rule.tags:
            if not (rule.honor_tags and edited.has(tag)):
                edited.set(tag, _fill(template, caught))
        return Target(self._key(name, edited), rule.scale, rule.sample, profile_of(rule))

    def _key(self, name: str, tags: _Tags) -> str:
        for tag, value in self._tags:
            if not tags.has(tag):
                tags.set(tag, value)
        key = ";".join([name, *tags.list])
        return clean(key) if self._sanitize else key


def _compile(rule: Rule) -> re.Pattern[str]:
    try:
        return re.compile(rule.pattern, re.ASCII)
    except re.error as error:
        message = f"rule {rule.pattern!r}: {error}"
        raise ValueError(message) from error


def _has_all(rule: Rule, tags: str) -> bool:
    found = {tuple(tag.partition("=")[::2]) for tag in tags.split(";")}
    names = {name for name, _ in found}
    return all((name, value) in found or (value == "*" and name in names) for name, value in rule.with_tags)


def _fill(template: Template, caught: re.Match[str]) -> str:
    return "".join(part if isinstance(part, str) else caught[part] or "" for part in template)


def _escape(name: str) -> str:
    """Return a name that Prometheus takes: ``_`` for what it does not, one for a run of ``-``, one before a first digit."""
    return ("_" if name[:1].isascii() and name[:1].isdigit() else "") + PROMETHEUS_NONE.sub("_", name)


class _Tags:
    """The tags of a key, in order: each ``name=value`` or a name alone."""

    def __init__(self, tags: str) -> None:
        self.list = tags.split(";") if tags else []

    def has(self, name: str) -> bool:
        return any(tag.partition("=")[0] == name for tag in self.list)

    def remove(self, name: str) -> None:
        self.list = [tag for tag in self.list if name != "*" and tag.partition("=")[0] != name]

    def set(self, name: str, value: str) -> None:
        """Set a tag: where one of that name stands, else at the end. An empty value removes it."""
        place = next((at for at, tag in enumerate(self.list) if tag.partition("=")[0] == name), len(self.list))
        self.remove(name)
        if value:
            self.list.insert(place, f"{name}={value}")


class Dice:
    """Draws whether to keep a value."""

    def __init__(self) -> None:
        self._state = 0

    def change(self, sample: Sample, target: Target) -> Sample | None:
        """Return a value as its rule changes it; None when it is not among those that are kept."""
        if target.scale != 1:
            sample = sample._replace(number=sample.number * target.scale)
        if target.sample == 1 or sample.kind in (Kind.GAUGE, Kind.SET):
            return sample
        return sample._replace(weight=sample.weight / target.sample) if self._draw() < target.sample else None

    def _draw(self) -> float:
        """Return a number from 0 to below 1."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & WORD
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & WORD
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & WORD
        return ((mixed ^ (mixed >> 31)) >> 11) / (1 << 53)
