# ruff: noqa: RUF009, FBT003  `option` makes a dataclass field; the first argument is its default
"""Metrics: what is listened to, when a window ends, what is computed from it, what clients may make the server hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nilometer.core.quantity import Duration, Expiry, Size
from nilometer.core.rules import PRESETS, RuleTable
from nilometer.core.sections import checks
from nilometer.core.setting import Bins, option
from nilometer.core.url import Url, parse

KIB, MIB = 1 << 10, 1 << 20
DAY = 86400


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
        (), "Tags that every series gets, such as env:prod, unless it has one of that name.", check=checks.tag
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
