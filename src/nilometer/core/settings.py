"""The settings: one table, from which the TOML file, the environment, the flags, the docs and `nilometer config` come.

Rules:

* `sections` declares the settings; what holds them all, and where each came from, is here.
* Later sources win: default, file, environment (``NILOMETER_<SECTION>_<KEY>``), flag. `Settings.origin` says which did.
* What is not known is an error that names the nearest known, in the file and in ``NILOMETER_*`` variables alike (a variable
  that resembles no setting is left alone: container platforms set such for a service called nilometer).
* `Settings` is frozen: a reload makes a new one.
"""

from __future__ import annotations

import dataclasses
import itertools
import typing
from collections.abc import Mapping  # noqa: TC003 get_type_hints looks for it
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nilometer.core import sources, toml
from nilometer.core.errors import SettingError
from nilometer.core.quantity import written
from nilometer.core.rules import KEYS, RuleTable
from nilometer.core.sections import (
    AdminSection,
    EventsSection,
    FlushSection,
    GaugesSection,
    HistorySection,
    IdleSection,
    KeyflushSection,
    LimitsSection,
    LogSection,
    NamesSection,
    RelaySection,
    RetrySection,
    RulesSection,
    SelfSection,
    ServerSection,
    SpoolSection,
    StatisticsSection,
    StopSection,
    TablesSection,
    TimersSection,
    TracesSection,
    UsageSection,
    WebSection,
)
from nilometer.core.setting import Setting, table

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. ``settings.flush.interval`` is the value, ``settings.origin("flush.interval")`` where it came from."""

    server: ServerSection = field(default_factory=ServerSection)
    flush: FlushSection = field(default_factory=FlushSection)
    stop: StopSection = field(default_factory=StopSection)
    gauges: GaugesSection = field(default_factory=GaugesSection)
    timers: TimersSection = field(default_factory=TimersSection)
    idle: IdleSection = field(default_factory=IdleSection)
    names: NamesSection = field(default_factory=NamesSection)
    rules: RulesSection = field(default_factory=RulesSection)
    limits: LimitsSection = field(default_factory=LimitsSection)
    relay: RelaySection = field(default_factory=RelaySection)
    spool: SpoolSection = field(default_factory=SpoolSection)
    retry: RetrySection = field(default_factory=RetrySection)
    history: HistorySection = field(default_factory=HistorySection)
    events: EventsSection = field(default_factory=EventsSection)
    traces: TracesSection = field(default_factory=TracesSection)
    tables: TablesSection = field(default_factory=TablesSection)
    usage: UsageSection = field(default_factory=UsageSection)
    statistics: StatisticsSection = field(default_factory=StatisticsSection)
    admin: AdminSection = field(default_factory=AdminSection)
    web: WebSection = field(default_factory=WebSection)
    log: LogSection = field(default_factory=LogSection)
    keyflush: KeyflushSection = field(default_factory=KeyflushSection)
    self: SelfSection = field(default_factory=SelfSection)
    origins: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    def origin(settings, name: str) -> str:  # noqa: N805 `self` is a section
        """Return ``default``, ``FILE:LINE``, the variable or the flag. Raise `SettingError` for an unknown name."""
        return settings.origins.get(find(name).name, "default")

    def value(settings, name: str) -> object:  # noqa: N805 `self` is a section
        """Return a value by its full name. Raise `SettingError` for an unknown name."""
        setting = find(name)
        return getattr(getattr(settings, setting.section), setting.key)


SECTIONS: dict[str, type] = {
    name: kind
    for name, kind in typing.get_type_hints(Settings).items()
    if isinstance(kind, type) and dataclasses.is_dataclass(kind)
}
"""Each section's dataclass; its docstring says what the section is about."""

TABLE: tuple[Setting, ...] = table(SECTIONS)
"""Every setting, in the order of the file."""

BY_NAME = {setting.name: setting for setting in TABLE}


def find(name: str) -> Setting:
    """Return the setting of that full name. Raise `SettingError`, naming the nearest, when there is none."""
    if name not in BY_NAME:
        raise SettingError(sources.unknown(name, "", BY_NAME))
    return BY_NAME[name]


def load(file: Path | None, environ: Mapping[str, str], flags: Mapping[str, object] | None = None) -> Settings:
    """Return the settings of a file, the environment and flags. Raise `SettingError` for whatever is wrong in them.

    `flags` maps full names to values, None where a flag was not given; texts are read as in the environment.
    """
    found: dict[str, sources.Found] = {}
    found |= sources.from_file(file, TABLE) if file is not None else {}
    found |= sources.from_environment(environ, TABLE)
    found |= sources.from_flags(flags or {}, TABLE)
    values: dict[str, dict[str, object]] = {section: {} for section in SECTIONS}
    values["server"]["state"] = sources.state_directory(environ)
    for name, (value, _) in found.items():
        values[BY_NAME[name].section][BY_NAME[name].key] = value
    built = {section: SECTIONS[section](**given) for section, given in values.items()}
    settings = Settings(**built, origins={name: origin for name, (_, origin) in found.items()})
    _check(settings)
    return settings


def _check(settings: Settings) -> None:
    """Refuse values that do not go together."""
    if settings.retry.first > settings.retry.most:
        raise SettingError(_crossed(settings))
    rollups = settings.history.rollups
    if any(finer.step >= coarser.step or finer.keep >= coarser.keep for finer, coarser in itertools.pairwise(rollups)):
        where = settings.origin("history.rollups")
        message = f"{where}: history.rollups: each step must be coarser, and kept longer, than the one before"
        raise SettingError(message)


def _crossed(settings: Settings) -> str:
    """Say that the delays cross, to whoever set one of them."""
    first, most = f"retry.first ({written(settings.retry.first)})", f"retry.most ({written(settings.retry.most)})"
    if "retry.first" in settings.origins:
        return f"{settings.origin('retry.first')}: {first} is longer than {most}"
    return f"{settings.origin('retry.most')}: {most} is shorter than {first}; set retry.first too"


def default_toml() -> str:
    """Return a settings file in which every setting stands, explained and commented out, with its default."""
    lines = ["# Settings of Nilometer. Each line shows a default; take the `#` away to set it.", ""]
    for section, kind in SECTIONS.items():
        lines += [f"# {kind.__doc__}", f"[{section}]"]
        for setting in (setting for setting in TABLE if setting.section == section):
            lines += [f"# {setting.help}", f"# ({setting.expected}; ${setting.environment} or {setting.flag})"]
            lines += [f"# {setting.key} = {toml.literal(setting.default)}"]
            lines += [f"#   {key}: {each.help}" for key, each in KEYS.items() if setting.kind is RuleTable] + [""]
    return "\n".join(lines)


def to_toml(settings: Settings) -> str:
    """Return the settings in use as a settings file, each with its origin. Secrets in URLs are masked."""
    lines = []
    for section in SECTIONS:
        lines += [f"[{section}]"]
        for setting in (setting for setting in TABLE if setting.section == section):
            lines += [f"{setting.key} = {toml.literal(settings.value(setting.name))}  # {settings.origin(setting.name)}"]
        lines += [""]
    return "\n".join(lines)
