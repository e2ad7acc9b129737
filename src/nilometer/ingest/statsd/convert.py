"""statsd's configuration file as settings of ours, in TOML: what ``nilometer config convert`` writes.

Rules:

* A server that is started with the result listens, aggregates and flushes as one that is started with the file.
* Only what differs from a default is written. What no setting stands for, or what a setting refuses, is a comment that says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core import settings, toml
from nilometer.core.url import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nilometer.core.setting import Setting
    from nilometer.ingest.statsd.translate import StatsdConfig

NOWHERE = (parse("null://"),)


def convert(config: StatsdConfig, name: str) -> str:
    """Return the settings as a TOML file; `name` is that of statsd's file."""
    values = {**config.values, "server.sinks": config.values["server.sinks"] or NOWHERE}
    kept = {setting: _kept(setting, values[setting.name]) for setting in settings.TABLE if setting.name in values}
    notes = [*config.warnings, *config.alone, *_refused(values, kept)]
    return "\n".join([*_head(name, notes), *_sections({one: value for one, value in kept.items() if value != one.default})])


def _head(name: str, notes: Iterable[str]) -> Iterator[str]:
    yield f"# What statsd's file {_printable(name)} asks for, as settings of Nilometer."
    for note in notes:
        yield f"# {_printable(note)}"


def _printable(text: str) -> str:
    """Keep a comment on its line."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _kept(setting: Setting, value: object) -> object:
    """Return what the setting takes of a value: of a list the items that fit, of anything else all or the default."""
    if isinstance(value, tuple):
        return tuple(item for item in value if not setting.limits.fault(item))
    return setting.default if setting.limits.fault(value) else value


def _refused(values: dict[str, object], kept: dict[Setting, object]) -> Iterator[str]:
    for setting in kept:
        value = values[setting.name]
        for item in value if isinstance(value, tuple) else (value,):
            fault = setting.limits.fault(item)
            if fault:
                yield f"{setting.name} cannot be {toml.literal(item)}: {fault}"


def _sections(kept: dict[Setting, object]) -> Iterator[str]:
    for section in dict.fromkeys(setting.section for setting in kept):
        yield from ("", f"[{section}]")
        yield from (f"{setting.key} = {toml.literal(value)}" for setting, value in kept.items() if setting.section == section)
    yield ""
