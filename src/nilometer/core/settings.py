# ruff: noqa: RUF009, FBT003  `option` makes a dataclass field; the first argument is its default
"""The settings: one table, from which the TOML file, the environment, the flags, the docs and `nilometer config` come.

Rules:

* A section is a table of the file and a frozen dataclass here, named for it (``[flush]`` is `FlushSection`); each field is one
  setting, declared by `option`.
* Later sources win: default, file, environment (``NILOMETER_<SECTION>_<KEY>``), flag. `Settings.origin` says which did.
* What is not known is an error that names the nearest known, in the file and in ``NILOMETER_*`` variables alike (a variable
  that resembles no setting is left alone: container platforms set such for a service called nilometer).
* `Settings` is frozen: a reload makes a new one.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
import typing
from collections.abc import Mapping  # noqa: TC003 get_type_hints looks for it
from dataclasses import dataclass, field
from pathlib import Path

from nilometer.core import sources, toml
from nilometer.core.errors import SettingError
from nilometer.core.quantity import Duration, Expiry, Rollup, Size, written
from nilometer.core.rules import KEYS, PRESETS, RuleTable
from nilometer.core.setting import Bins, Setting, option, table
from nilometer.core.url import Url, parse

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
MINUTE, DAY = 60, 86400
ORIGIN = re.compile(r"https?://[a-z0-9.:\[\]-]+\Z")


def _rollup(value: Rollup) -> str:
    return "" if value.step % 1 == 0 else "expected a step of whole seconds"


def _prefix(value: str) -> str:
    return "expected a name without spaces, slashes or a final dot" if set(value) & set(" /\n\t|:") or value[-1:] == "." else ""


def _tag(value: str) -> str:
    name, _, content = value.partition(":")
    return "" if name and content and not set(value) & set(" ;|\n\t") else "expected a tag such as env:prod"


def _origin(value: str) -> str:
    return "" if ORIGIN.match(value) else "expected scheme, host and port alone, such as https://grafana.example"


@dataclass(frozen=True, slots=True)
class ServerSection:
    """What the server listens to and where it sends."""

    listen: tuple[Url, ...] = option(
        (parse("udp://:8125"), parse("tcp://127.0.0.1:8125")),
        "Listeners: udp://host:port, tcp://host:port, unix:///path (stream), unixgram:///path; any number.",
    )
    sinks: tuple[Url, ...] = option((), "Where every flush goes; none means the embedded store in server.state.")
    state: Path = option(
        Path("~/.local/state/nilometer"),
        "Directory for the embedded store, the spools, the gauges and the tokens; by default $XDG_STATE_HOME/nilometer.",
    )


@dataclass(frozen=True, slots=True)
class FlushSection:
    """When a window ends."""

    interval: Duration = option(Duration(10), "How long a window lasts.", minimum=0.1, maximum=DAY)
    align: str = option("clock", "What windows are aligned to: the wall clock, or the start.", choices=("clock", "start"))


@dataclass(frozen=True, slots=True)
class StopSection:
    """How the server ends."""

    deadline: Duration = option(
        Duration(10),
        "How long sinks may take what is left when the server stops; the rest stays in their spools.",
        maximum=3600,
    )


@dataclass(frozen=True, slots=True)
class GaugesSection:
    """How gauges are kept."""

    keep: bool = option(True, "Keep the gauges' values over a restart.")


@dataclass(frozen=True, slots=True)
class TimersSection:
    """What is computed from timers."""

    percentiles: tuple[float, ...] = option(
        (90.0,), "Percentiles: above zero of the lowest values, below zero of the highest.", minimum=-100, maximum=100
    )
    histograms: tuple[Bins, ...] = option((), "Histograms; the first whose match stands in a timer's key is used.")
    cumulative: bool = option(
        False, "Histograms have in le_X all samples up to X, as Prometheus has, instead of those between two bounds in bin_X."
    )
    statistics: tuple[str, ...] = option(
        (), "The only statistics to send (upper_percent stands for every percentile, histogram for bins); none sends all."
    )
    sketch: bool = option(
        False, "Give sinks a sketch of each timer, too: percentiles over servers and time are read from merged ones."
    )


@dataclass(frozen=True, slots=True)
class IdleSection:
    """What becomes of a series that had nothing in a window."""

    delete_counters: bool = option(False, "Forget idle counters instead of reporting zero.")
    delete_timers: bool = option(False, "Forget idle timers instead of reporting zero.")
    delete_sets: bool = option(False, "Forget idle sets instead of reporting zero.")
    delete_gauges: bool = option(False, "Forget idle gauges instead of repeating their value.")
    gauge_ttl: int = option(1, "With delete_gauges, the flushes that report a gauge after its last update.", minimum=1)
    keep: tuple[str, ...] = option((), "Counters whose key contains one of these are never forgotten.")
    expire_counters: Expiry = option(Expiry(), "When an idle counter is forgotten, whatever delete_counters says.")
    expire_timers: Expiry = option(Expiry(), "When an idle timer is forgotten, whatever delete_timers says.")
    expire_gauges: Expiry = option(Expiry(), "When an idle gauge is forgotten, whatever delete_gauges and gauge_ttl say.")
    expire_sets: Expiry = option(Expiry(), "When an idle set is forgotten, whatever delete_sets says.")


@dataclass(frozen=True, slots=True)
class NamesSection:
    """How the names of series are treated."""

    sanitize: bool = option(
        True,
        "Clean keys on arrival: spaces become _, slashes become -, other characters than [A-Za-z0-9_.;=-] are dropped.",
    )

    tags: tuple[str, ...] = option(
        (), "Tags that every series gets, such as env:prod, unless it has one of that name.", check=_tag
    )


@dataclass(frozen=True, slots=True)
class RulesSection:
    """What is dropped, renamed, re-tagged, scaled, sampled, or computed otherwise than the rest."""

    list: tuple[RuleTable, ...] = option(
        (), "The rules, in order: a table [[rules]] each; the first that fits a series counts."
    )
    mapping: str = option(
        "", "A file of mappings of Prometheus's statsd_exporter (YAML), whose rules come after those of the list."
    )
    presets: tuple[str, ...] = option(
        (),
        "Rules that come ready, after all others: requests gives the timers of request metrics the percentiles 50, 66, 75, 80, "
        "90, 95, 98, 99 and 100.",
        choices=tuple(PRESETS),
    )


@dataclass(frozen=True, slots=True)
class LimitsSection:
    """Bounds on what clients can make the server hold."""

    series: int = option(1_000_000, "Series of all kinds together.", minimum=1)
    series_per_prefix: int = option(0, "Series whose names have the same first parts; 0: no bound.", minimum=0)
    prefix_parts: int = option(1, "How many parts, which dots divide, limits.series_per_prefix looks at.", minimum=1)
    series_per_source: int = option(0, "Series made by values from one address, of whatever port; 0: no bound.", minimum=0)
    tags: int = option(100, "Tags of one series.", minimum=0)
    name: Size = option(Size(4 * KIB), "Bytes in one name, its tags not counted.", minimum=1)
    keys: Size = option(Size(256 * MIB), "Bytes in the keys, names with tags, of all series together.", minimum=KIB)
    samples: int = option(
        20_000_000,
        "Timer samples kept exactly in one window, of all timers; more go to sketches (error at most 0.8 %).",
        minimum=1,
    )
    samples_per_timer: int = option(
        100_000, "Samples of one timer kept exactly in one window; more go to its sketch.", minimum=1, maximum=1 << 30
    )
    set_members: int = option(
        5_000_000, "Members kept exactly in one window, of all sets; more are estimated (standard error 0.81 %).", minimum=1
    )
    members_per_set: int = option(
        100_000, "Members of one set kept exactly in one window; more are estimated.", minimum=1, maximum=1 << 30
    )
    line: Size = option(Size(64 * KIB), "Bytes in one line; longer ones are bad.", minimum=64, maximum=16 * MIB)
    connections: int = option(1000, "Stream connections open at once, over all listeners.", minimum=1)


@dataclass(frozen=True, slots=True)
class RelaySection:
    """What comes in, forwarded as it is to other servers."""

    to: tuple[Url, ...] = option((), "Servers to forward to, up to 100, as udp:// and tcp:// URLs.")
    mode: str = option(
        "all", "Forward everything to all, or each line to one server by a consistent ring.", choices=("all", "ring")
    )
    check_interval: Duration = option(
        Duration(10), "How often names are looked up and servers asked whether they are well.", minimum=0.1, maximum=DAY
    )
    queue: Size = option(
        Size(16 * MIB), "Bytes that may wait to be forwarded, in all and for each tcp:// server.", minimum=64 * KIB
    )


@dataclass(frozen=True, slots=True)
class SpoolSection:
    """The queue on disk of each sink, for when it is away."""

    size: Size = option(
        Size(GIB), "Bytes that one sink's spool may take; the oldest flushes are dropped first.", minimum=64 * KIB
    )
    age: Duration = option(Duration(7 * DAY), "How long a flush may wait in a spool.", minimum=1)


@dataclass(frozen=True, slots=True)
class RetrySection:
    """How a sink that is away is tried again: exponential back-off with full jitter."""

    first: Duration = option(Duration(1), "Bound of the delay after the first failure; doubles each time.", minimum=0.01)
    most: Duration = option(Duration(MINUTE), "The most that the bound of the delay grows to.", minimum=0.01)


@dataclass(frozen=True, slots=True)
class HistorySection:
    """The embedded store of series. Options in the store's URL win over these."""

    retention: Duration = option(Duration(7 * DAY), "How long points are kept as they were flushed.", minimum=3600)
    rollups: tuple[Rollup, ...] = option(
        (Rollup(Duration(MINUTE), Duration(30 * DAY)), Rollup(Duration(10 * MINUTE), Duration(365 * DAY))),
        "Coarser points for longer times, as step:keep.",
        check=_rollup,
    )


@dataclass(frozen=True, slots=True)
class AdminSection:
    """The admin interface on TCP, as statsd has it."""

    listen: tuple[Url, ...] = option(
        (parse("tcp://127.0.0.1:8126"),),
        "Where the admin interface listens, as tcp://127.0.0.1:8126; none turns it off. It asks for no password.",
    )


@dataclass(frozen=True, slots=True)
class WebSection:
    """The HTTP interface."""

    listen: tuple[Url, ...] = option(
        (parse("http://127.0.0.1:8127"),),
        "Where the HTTP interface listens, as http://127.0.0.1:8127 or https://HOST?cert=FILE&key=FILE; none turns it off.",
    )
    origins: tuple[str, ...] = option(
        (), "Sites whose pages a browser lets use the HTTP interface, such as https://grafana.example.", check=_origin
    )


@dataclass(frozen=True, slots=True)
class LogSection:
    """What the server says about itself."""

    level: str = option("info", "The least that is logged.", choices=("debug", "info", "warning", "error"))
    format: str = option("text", "The form of a line of the log.", choices=("text", "json"))
    to: str = option("stderr", "Where the log goes.", choices=("stderr", "stdout", "syslog"))
    name: str = option("nilometer", "The program's name in syslog.")
    messages: bool = option(False, "Log every line that comes in, at level info; how many were too fast for that is told.")


@dataclass(frozen=True, slots=True)
class KeyflushSection:
    """A log of the names that lines come with most often, as statsd's keyFlush."""

    interval: Duration = option(
        Duration(0),
        "How often it is written; 0 turns it off. While it is on, datagrams are read several times slower.",
        maximum=DAY,
    )
    percent: float = option(100.0, "The share of the names to write, the most frequent first.", minimum=0, maximum=100)
    log: str = option("", "The file to append to; standard output when empty.")


@dataclass(frozen=True, slots=True)
class SelfSection:
    """The server's metrics about itself."""

    prefix: str = option("nilometer", "What the names of the server's metrics about itself begin with.", check=_prefix)
    names: str = option(
        "nilometer", "Which metrics about itself it reports: its own, or statsd's few.", choices=("nilometer", "statsd")
    )


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
