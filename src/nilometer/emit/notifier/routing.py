"""Which driver gets which events: rules of URLs, and routing as oslo.messaging's driver ``routing`` has it.

    group: {driver: {accepted_events: [glob, …], accepted_priorities: [glob, …]}}

Rules, as there: of a driver's two lists both must hold, of a list one glob; a list that is missing holds. Case counts in types,
not in priorities. A driver gets an event once, however many groups say so, and nothing when no group names it.

Source: https://docs.openstack.org/oslo.messaging/latest/reference/notifier.html, ``oslo_messaging/notify/_impl_routing.py``
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from nilometer.core.errors import ConfigError, MissingDriver, did_you_mean

if TYPE_CHECKING:
    import os

EVENTS, PRIORITIES = "accepted_events", "accepted_priorities"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a driver accepts: globs of types, and of priorities; None for all."""

    events: tuple[str, ...] | None = None
    priorities: tuple[str, ...] | None = None

    def accepts(self, type_: str, priority: str) -> bool:
        """Return whether an event is accepted."""
        return _any(self.events, type_) and _any(self.priorities, priority)


def _any(globs: tuple[str, ...] | None, text: str) -> bool:
    return globs is None or any(fnmatchcase(text, glob) for glob in globs)


def read(given: Mapping[str, Any] | str | os.PathLike[str], drivers: Collection[str]) -> dict[str, tuple[Rule, ...]]:
    """Return the rules of each driver: of a mapping, or of a file of JSON or YAML. Raise `ConfigError` for what is none."""
    if isinstance(given, Mapping):
        return _rules(given, drivers, "routing")
    path = Path(given)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        _wrong(str(path), f"cannot be read: {error}")
    return _rules(_parsed(path, text), drivers, str(path))


def _parsed(path: Path, text: str) -> object:
    if path.suffix == ".json":
        try:
            return json.loads(text)
        except ValueError as error:
            _wrong(str(path), f"is no JSON: {error}")
    try:
        import yaml  # noqa: PLC0415 only who has a file of YAML needs it
    except ImportError as error:
        message = f"{path}: PyYAML is needed to read it; type: pip install pyyaml, or write it as JSON in a file *.json"
        raise MissingDriver(message) from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        _wrong(str(path), f"is no YAML: {error}")


def _rules(found: object, drivers: Collection[str], where: str) -> dict[str, tuple[Rule, ...]]:
    rules: dict[str, tuple[Rule, ...]] = dict.fromkeys(drivers, ())
    for group, members in _object({} if found is None else found, where).items():
        for driver, lists in _object({} if members is None else members, f"{where}, {group}").items():
            if driver not in rules:
                _wrong(where, f"{group}: there is no driver {driver!r}{did_you_mean(str(driver), drivers)}")
            place = f"{where}, {group}, {driver}"
            rules[driver] += (_rule(_object({} if lists is None else lists, place), place),)
    return rules


def _rule(lists: Mapping[str, Any], where: str) -> Rule:
    for name in lists:
        if name not in (EVENTS, PRIORITIES):
            _wrong(where, f"has no {name!r}{did_you_mean(str(name), (EVENTS, PRIORITIES))}")
    priorities = _globs(lists, PRIORITIES, where)
    return Rule(_globs(lists, EVENTS, where), None if priorities is None else tuple(each.lower() for each in priorities))


def _globs(lists: Mapping[str, Any], name: str, where: str) -> tuple[str, ...] | None:
    found = lists.get(name)
    if found is None:
        return None
    if not isinstance(found, list | tuple) or not all(isinstance(each, str) for each in found):
        _wrong(where, f"{name} is a list of texts")
    return tuple(found)


def _object(found: object, where: str) -> Mapping[str, Any]:
    if not isinstance(found, Mapping):
        _wrong(where, f"expected names with what belongs to them, not {type(found).__name__}")
    return found


def _wrong(where: str, reason: str) -> NoReturn:
    message = f"{where}: {reason}"
    raise ConfigError(message)
