"""statsd's own configuration file, translated into our settings and into what they do not say.

Rules:

* The meaning of a key is statsd's, and so are the defaults (see `keys`); a wrong value is a `ConfigError` that names file,
  place and key; a key that has no effect here is named in a warning.
* Environment and flags win over the file.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nilometer.core.quantity import Duration
from nilometer.core.setting import Bins
from nilometer.ingest.statsd import addresses
from nilometer.ingest.statsd import document as documents
from nilometer.ingest.statsd.document import truthy
from nilometer.ingest.statsd.mode import PRIORITIES, StatsdMode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from nilometer.core.settings import Settings
    from nilometer.ingest.statsd.document import Document
    from nilometer.ingest.statsd.mode import Json

SHORTEST_MS, LONGEST_MS = 10.0, 86_400_000.0
MOST_FLUSHES = 1_000_000
MOST_PERCENT = 1_000_000.0
KINDS = ("Counters", "Timers", "Sets", "Gauges")
INTERNAL = ("packets_received", "metrics_received", "bad_lines_seen")
"""Counters whose names contain one of these are kept when idle ones are deleted."""


@dataclass(frozen=True, slots=True)
class StatsdConfig:
    """A file's meaning: `values` by the full name of our setting, and what has none.

    `warnings` are sentences about keys without effect, `alone` about those that have one and no setting.
    """

    values: Mapping[str, object]
    mode: StatsdMode
    warnings: tuple[str, ...]
    alone: tuple[str, ...] = ()


def load(file: Path) -> StatsdConfig:
    """Read and translate a file. Raise `ConfigError` when it cannot be read or a value in it has no meaning."""
    document = documents.load(file)
    return StatsdConfig(_values(document), _mode(document), tuple(document.warnings()), tuple(document.alone()))


def apply(settings: Settings, config: StatsdConfig, file: Path) -> Settings:
    """Return `settings` with the file's values wherever neither the environment nor a flag has set one."""
    sections: dict[str, dict[str, object]] = {}
    for name, value in config.values.items():
        if settings.origin(name) == "default":
            section, _, key = name.partition(".")
            sections.setdefault(section, {})[key] = value
    changed = {section: dataclasses.replace(getattr(settings, section), **values) for section, values in sections.items()}
    names = [f"{section}.{key}" for section, values in sections.items() for key in values]
    return dataclasses.replace(settings, **changed, origins={**settings.origins, **dict.fromkeys(names, str(file))})


def _values(document: Document) -> dict[str, object]:
    percentiles = _percentiles(document)
    return {
        "server.listen": tuple(addresses.listeners(document)),
        "admin.listen": (addresses.admin(document),),
        "server.sinks": tuple(addresses.sinks(document, _prefix(document), percentiles)),
        "flush.interval": _interval(document),
        "flush.align": "start",
        "gauges.keep": False,
        "timers.percentiles": percentiles,
        "timers.histograms": tuple(_histograms(document)),
        "timers.statistics": _statistics(document),
        "names.sanitize": document.flag("keyNameSanitize", default=True),
        **_idle(document),
        "relay.to": tuple(addresses.repeated(document)),
        "log.messages": document.flag("dumpMessages"),
        **_key_flush(document),
        **log(document),
        "self.prefix": _prefix(document),
        "self.names": "statsd",
    }


def _interval(document: Document) -> Duration:
    value = document.values.get("flushInterval")
    found = document.number(value, "flushInterval", low=SHORTEST_MS, high=LONGEST_MS) if truthy(value) else 10_000
    return Duration(found / 1000)


def _percentiles(document: Document) -> tuple[float, ...]:
    key = "percentThreshold"
    value = document.values.get(key)
    listed = value if isinstance(value, list) else [value if truthy(value) else 90]
    return tuple(float(document.number(item, key, low=-MOST_PERCENT, high=MOST_PERCENT)) for item in listed)


def _histograms(document: Document) -> Iterable[Bins]:
    listed = document.values.get("histogram")
    for number, value in enumerate(document.listed(listed if truthy(listed) else [], "histogram")):
        key = f"histogram[{number}]"
        item = document.object(value, key)
        bins = document.listed(item.get("bins", []), f"{key}.bins")
        bounds = (math.inf if bound == "inf" else document.number(bound, f"{key}.bins") for bound in bins)
        yield Bins(document.text(item.get("metric", ""), f"{key}.metric"), tuple(bounds))


def _statistics(document: Document) -> tuple[str, ...]:
    key = "calculatedTimerMetrics"
    value = document.values.get(key)
    return tuple(document.text(item, key) for item in value) if isinstance(value, list) else ()


def _idle(document: Document) -> dict[str, object]:
    every = document.flag("deleteIdleStats")
    values: dict[str, object] = {f"idle.delete_{kind.lower()}": document.flag(f"delete{kind}", default=every) for kind in KINDS}
    return values | {"idle.gauge_ttl": _ttl(document), "idle.keep": INTERNAL}


def _ttl(document: Document) -> int:
    ttl = document.values.get("gaugesMaxTTL")
    return int(ttl) if isinstance(ttl, int | float) and ttl in range(2, MOST_FLUSHES) else 1


def log(document: Document) -> dict[str, object]:
    """Return where the file wants the log to go, by our settings. Raise `ConfigError`."""
    found, key = document.section("log"), "log.backend"
    backend = found.get("backend") or "stdout"
    if backend not in ("stdout", "syslog"):
        raise document.wrong(key, backend, "stdout or syslog")
    name = document.text(found.get("application") or "statsd", "log.application")
    level = {"log.level": "debug"} if document.flag("debug") else {}
    return {"log.to": str(backend), "log.name": name, **level}


def _mode(document: Document) -> StatsdMode:
    values = document.values
    title = values.get("title")
    return StatsdMode(
        admin_named=any(truthy(values.get(key)) for key in ("mgmt_port", "mgmt_address")),
        healthy=_healthy(document),
        backends=tuple(name.rpartition("/")[2] for name in addresses.backends(document) if name != addresses.REPEATER),
        priority=_priority(document),
        title=document.text(title, "title") if truthy(title) else "",
        reload=values.get("automaticConfigReload", True) not in (False, "", "0"),
        config=_effective(document),
    )


def _prefix(document: Document) -> str:
    return document.text(document.values.get("prefixStats", "statsd"), "prefixStats")


def _healthy(document: Document) -> bool:
    key = "healthStatus"
    value = document.values.get(key) or "up"
    if value not in ("up", "down"):
        raise document.wrong(key, value, "up or down")
    return value == "up"


def _priority(document: Document) -> str:
    key = "log.level"
    value = document.section("log").get("level") or "LOG_INFO"
    if value not in PRIORITIES:
        raise document.wrong(key, value, f"one of {', '.join(PRIORITIES)}")
    return str(value)


def _key_flush(document: Document) -> dict[str, object]:
    found = document.section("keyFlush")
    interval = document.number(found.get("interval") or 0, "keyFlush.interval", high=LONGEST_MS)
    percent = document.number(found.get("percent") or 100, "keyFlush.percent")
    return {
        "keyflush.interval": Duration(max(interval, 1) / 1000 if interval > 0 else 0),  # no timer of Node's runs quicker
        "keyflush.percent": float(min(max(percent, 0), 100)),
        "keyflush.log": document.text(found.get("log") or "", "keyFlush.log"),
    }


def _effective(document: Document) -> dict[str, Json]:
    """Return the file as statsd's command ``config`` shows it: with the defaults that statsd writes into it."""
    every = document.flag("deleteIdleStats")
    written: dict[str, Json] = {
        "gaugesMaxTTL": _ttl(document),
        "deleteIdleStats": document.values.get("deleteIdleStats", False),
        **{f"delete{kind}": document.values.get(f"delete{kind}", every) for kind in KINDS},
        "flushInterval": float(_interval(document)) * 1000,
    }
    if addresses.GRAPHITE in addresses.backends(document):
        written["graphite"] = document.values.get("graphite") or {}
    return document.values | written
