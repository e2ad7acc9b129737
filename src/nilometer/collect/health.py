"""Health checks: an answer in JSON becomes gauges, 1 for what is well and 0 for what is not.

Rules:

* A check has ``all``: 1 when the answer's status is one of success and nothing in it is down. A system that does not answer has
  ``all`` 0, and nothing else, for nobody knows more.
* A word that says neither up nor down, such as a version or ``Not Implemented``, makes no gauge. True and false mean what
  their key asks: ``timed_out`` false is well, ``is_leader`` false says nothing.
* Everything in an answer is bounded: depth, number of states, length of names.

Formats: MagnetoDB's ``/healthcheck?fullcheck=true``; for all others
https://datatracker.ietf.org/doc/html/draft-inadarei-api-health-check, Spring's ``/actuator/health``, and whatever else has such
words as `UP` and `DOWN` in JSON.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from nilometer.collect.crew import Crew
from nilometer.collect.names import joined, part
from nilometer.collect.sample import GAUGE, Sample
from nilometer.core.errors import NilometerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from threading import Event

    Ask = Callable[[], "tuple[int, bytes]"]

DEEPEST, MOST, LARGEST = 8, 200, 1 << 20
"""How deep states are looked for, how many are taken of one answer, and how many bytes that may have."""
UP = {
    *("ok", "up", "pass", "passed", "passing", "healthy", "alive", "live", "green", "yellow", "warn", "warning"),
    *("degraded", "ready", "online", "running", "serving", "available", "active", "operational", "success"),
    *("successful", "good", "connected"),
}
"""Words for what works, if not perfectly."""
DOWN = {
    *("error", "down", "fail", "failed", "failing", "failure", "unhealthy", "dead", "red", "critical", "unavailable"),
    *("out_of_service", "not_ready", "offline", "stopped", "not_serving", "inactive", "major_outage", "bad"),
    *("disconnected", "timeout"),
}
"""Words for what does not."""
TRUE, FALSE = {"true", "yes", "on"}, {"false", "no", "off"}
TROUBLE = {
    *("error", "errors", "fail", "failed", "failing", "failure", "failures", "down", "dead", "unhealthy", "degraded"),
    *("timed", "timeout", "stale", "sealed", "broken", "blocked", "corrupt", "corrupted", "overloaded", "throttled"),
    *("draining", "shutting", "maintenance", "expired", "unavailable", "unreachable", "stopped"),
}
"""Words in a key whose ``false`` is the good news, such as ``timed_out``."""
NEUTRAL = {
    *("leader", "master", "primary", "standby", "replica", "debug", "enabled", "disabled", "readonly", "only"),
    *("cached", "optional", "required"),
}
"""Words in a key that says nothing about health, such as ``is_leader``."""
PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
GOOD = range(200, 300)
"""Statuses of an answer that is one; a redirect, to a page that logs in perhaps, is none."""
SHOWN = 60
LONGEST = 200
"""Characters of a key that are looked at."""


class Health(NamedTuple):
    """What an answer says: whether all is well, each part by the keys that lead to it, and what is wrong in words."""

    up: bool
    parts: Mapping[tuple[str, ...], bool]
    reason: str = ""


def judge(status: int, body: bytes) -> Health:
    """Return what an answer says. What is no JSON has the status alone, or is a bare word such as ``OK``."""
    if len(body) > LARGEST:
        return Health(up=False, parts={}, reason=f"it answers with more than {LARGEST} bytes")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        word = _word(body[:SHOWN].decode("utf-8", "replace"))
        return _judged(status, {} if word is None else {("answer",): word}, _refusal(status))
    parts: dict[tuple[str, ...], bool] = {}
    for keys, up in _states(found, ()):
        if len(parts) >= MOST:
            break
        parts.setdefault(keys or ("answer",), up)
    return _judged(status, parts, _refusal(status))


def _refusal(status: int) -> str:
    return "" if status in GOOD else f"it answers {status}"


def _judged(status: int, parts: Mapping[tuple[str, ...], bool], reason: str) -> Health:
    down = [".".join(keys)[:SHOWN] for keys, up in parts.items() if not up]
    return Health(status in GOOD and not down, parts, f"down: {', '.join(down[:10])}" if down else reason)


def _states(found: object, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield the states in what JSON gave, with the keys that lead to each."""
    if isinstance(found, dict):
        inside: Iterable[tuple[str, object]] = found.items()
    elif isinstance(found, list):
        inside = ((str(index), each) for index, each in enumerate(found))
    else:
        up = _state(found, keys[-1] if keys else "")
        if up is not None:
            yield keys, up
        return
    if len(keys) < DEEPEST:
        for key, each in inside:
            yield from _states(each, (*keys, key))


def _state(found: object, key: str) -> bool | None:
    """Return what a value says, None when it says nothing: a word for itself, true and false by what their key asks."""
    truth = found if isinstance(found, bool) else _truth(found) if isinstance(found, str) else None
    if truth is None:
        return _word(found) if isinstance(found, str) else None
    asked = {word.lower() for word in PARTS.findall(key[:LONGEST])}
    if asked & NEUTRAL:
        return None
    return truth != bool(asked & TROUBLE)


def _truth(text: str) -> bool | None:
    word = text.strip().lower()
    return True if word in TRUE else False if word in FALSE else None


def _word(text: str) -> bool | None:
    word = text.strip().lower().replace(" ", "_").replace("-", "_")
    return True if word in UP else False if word in DOWN else None


@dataclass(frozen=True, slots=True)
class Check:
    """A health check: what its series are called below the prefix, and what asks. `ask` raises `Unavailable`."""

    name: str
    ask: Ask


class Checked(NamedTuple):
    """What became of a check."""

    name: str
    health: Health


class Checker:
    """Asks several side by side."""

    def __init__(self, checks: Sequence[Check], *, at_once: int = 4, seconds: float = 60.0) -> None:
        self._checks, self._seconds = checks, seconds
        self._crew = Crew(at_once)

    def run(self, stop: Event) -> list[Checked]:
        """Ask every one once, and return what each said, in their order. One that does not answer in time is down."""
        found: dict[str, Health] = {}
        jobs = {check.name: _job(check, found) for check in self._checks}
        self._crew.run(jobs, self._seconds, stop)
        late = Health(up=False, parts={}, reason=f"no answer within {self._seconds:g} s")
        if stop.is_set():
            return [Checked(name, found[name]) for name in jobs if name in found]
        return [Checked(name, found.get(name, late)) for name in jobs]


def _job(check: Check, found: dict[str, Health]) -> Callable[[], None]:
    def ask() -> None:
        try:
            found[check.name] = judge(*check.ask())
        except NilometerError as error:
            found[check.name] = Health(up=False, parts={}, reason=str(error))

    return ask


def samples(checked: Iterable[Checked], prefix: str = "") -> Iterator[Sample]:
    """Yield the gauges."""
    for name, health in checked:
        yield Sample(GAUGE, joined(prefix.strip("."), name, "all"), int(health.up))
        taken = {"all"}
        for keys, up in health.parts.items():
            state = ".".join(part(key).lower() for key in keys)
            if state not in taken:
                taken.add(state)
                yield Sample(GAUGE, joined(prefix.strip("."), name, state), int(up))
