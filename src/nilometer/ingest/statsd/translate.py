"""statsd's own configuration file, translated into our settings and URLs.

Rules:

* The file is JSON. Defaults, and what counts as true, are statsd's.
* The meaning of a key is statsd's (``exampleConfig.js`` and ``lib/`` of statsd 0.10); a wrong value is a `ConfigError` that
  names file and key; a key that has no effect here is named in a warning.
* Environment and flags win over the file.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from nilometer.core import url as urls
from nilometer.core.errors import ConfigError, UrlError, did_you_mean
from nilometer.core.quantity import Duration
from nilometer.core.setting import Bins
from nilometer.core.wire.number import from_text
from nilometer.ingest.statsd.mode import ADMIN_PORT, TCP, UDP4, UDP6, Json, KeyFlush, Repeater, StatsdMode, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nilometer.core.settings import Settings
    from nilometer.core.url import Url

LARGEST = 1 << 20
PORT, CARBON, CARBON_PICKLE = 8125, 2003, 2004
SHORTEST_MS, LONGEST_MS = 10.0, 86_400_000.0
MOST_FLUSHES = 1_000_000
MOST_PERCENT = 1_000_000.0
UDP_SERVER, TCP_SERVER = "./servers/udp", "./servers/tcp"
GRAPHITE, CONSOLE, REPEATER = "./backends/graphite", "./backends/console", "./backends/repeater"
INTERNAL = ("packets_received", "metrics_received", "bad_lines_seen")
"""Counters whose names contain one of these are kept when idle ones are deleted."""

USED_SERVER = frozenset({"server", "address", "address_ipv6", "port", "socket", "socket_mod"})
USED = USED_SERVER | {
    *("servers", "backends", "flushInterval", "prefixStats", "keyNameSanitize", "flush_counts"),
    *("percentThreshold", "calculatedTimerMetrics", "histogram"),
    *("deleteIdleStats", "deleteCounters", "deleteTimers", "deleteSets", "deleteGauges", "gaugesMaxTTL"),
    *("graphite", "graphiteHost", "graphitePort", "graphitePicklePort", "graphiteProtocol"),
    *("mgmt_port", "mgmt_address"),
}
GRAPHITE_PREFIXES = {
    "globalPrefix": "prefix",
    "prefixCounter": "prefix_counter",
    "prefixTimer": "prefix_timer",
    "prefixGauge": "prefix_gauge",
    "prefixSet": "prefix_set",
    "globalSuffix": "suffix",
}
USED_GRAPHITE = frozenset({"legacyNamespace", *GRAPHITE_PREFIXES})


@dataclass(frozen=True, slots=True)
class StatsdConfig:
    """A file's meaning: `values` by the full name of our setting, what has no setting, and what to warn about."""

    values: Mapping[str, object]
    mode: StatsdMode
    warnings: tuple[str, ...]


def load(file: Path) -> StatsdConfig:
    """Read and translate a file. Raise `ConfigError` when it cannot be read or a value in it has no meaning."""
    return _Translation(file, _read(file)).result()


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


def _read(file: Path) -> dict[str, Json]:
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        message = f"{file}: cannot be read: {error.strerror}"
        raise ConfigError(message) from error
    if len(data) > LARGEST:
        message = f"{file}: larger than {LARGEST} bytes, which no configuration file is"
        raise ConfigError(message)
    try:
        found: Json = json.loads(data)
    except (ValueError, RecursionError) as error:
        message = f"{file}: not JSON: {error}"
        raise ConfigError(message) from error
    if not isinstance(found, dict):
        message = f'{file}: not an object of keys and values, such as {{"graphiteHost": "localhost"}}'
        raise ConfigError(message)
    return found


class _Translation:
    """One file on its way into settings."""

    def __init__(self, file: Path, config: dict[str, Json]) -> None:
        self._file, self._config = file, config
        self._unused = [key for key in config if key not in USED]

    def result(self) -> StatsdConfig:
        """Translate every key."""
        graphite = self._graphite()
        mode = self._mode()
        values: dict[str, object] = {
            "server.listen": tuple(self._listeners()),
            "server.sinks": tuple(self._sinks(graphite, mode.prefix)),
            "flush.interval": self._interval(),
            "flush.align": "start",
            "gauges.keep": False,
            "timers.percentiles": self._percentiles(),
            "timers.histograms": tuple(self._histograms()),
            "timers.statistics": self._statistics(),
            "names.sanitize": bool(self._config.get("keyNameSanitize", True)),
        }
        warnings = [f"{self._file}: {key} has no effect here" for key in self._unused]
        return StatsdConfig(values | self._idle(), mode, tuple(warnings))

    def _mode(self) -> StatsdMode:
        config = self._config
        host = self._text(config.get("mgmt_address") or "", "mgmt_address")
        port = int(self._number(config.get("mgmt_port") or ADMIN_PORT, "mgmt_port", low=0, high=65535))
        return StatsdMode(
            prefix=self._text(config.get("prefixStats", "statsd"), "prefixStats"),
            admin=Target(host, port),
            healthy=self._healthy(),
            key_flush=self._key_flush(),
            repeater=self._repeater(),
            dump_messages=bool(config.get("dumpMessages")),
            title=self._text(config.get("title") or "", "title"),
            reload=config.get("automaticConfigReload", True) not in (False, 0, ""),
            config=config,
        )

    def _healthy(self) -> bool:
        key = "healthStatus"
        value = self._config.get(key) or "up"
        if value not in ("up", "down"):
            raise self._wrong(key, value, "up or down")
        return value == "up"

    def _key_flush(self) -> KeyFlush | None:
        found = self._object(self._config.get("keyFlush") or {}, "keyFlush")
        interval = self._number(found.get("interval") or 0, "keyFlush.interval", high=LONGEST_MS)
        percent = self._number(found.get("percent") or 100, "keyFlush.percent")
        log = self._text(found.get("log") or "", "keyFlush.log")
        return KeyFlush(interval / 1000, percent, Path(log) if log else None) if interval > 0 else None

    def _repeater(self) -> Repeater | None:
        """Return where packets are repeated; statsd does so only when its backend is loaded."""
        protocol = self._config.get("repeaterProtocol")
        protocol = protocol if protocol in (UDP6, TCP) else UDP4
        targets = tuple(self._targets())
        backends = self._config.get("backends")
        loaded = isinstance(backends, list) and REPEATER in backends
        return Repeater(targets, str(protocol)) if loaded and targets else None

    def _targets(self) -> Iterable[Target]:
        for number, value in enumerate(self._listed(self._config.get("repeater") or [], "repeater")):
            key = f"repeater[{number}]"
            target = self._object(value, key)
            port = int(self._number(target.get("port"), f"{key}.port", low=1, high=65535))
            yield Target(self._text(target.get("host") or "localhost", f"{key}.host"), port)

    def _wrong(self, key: str, value: Json, expected: str) -> ConfigError:
        shown = json.dumps(value)
        shown = shown if len(shown) <= 80 else shown[:77] + "..."  # noqa: PLR2004 what fits a line
        return ConfigError(f"{self._file}: {key} = {shown}: expected {expected}")

    def _text(self, value: Json, key: str) -> str:
        if not isinstance(value, str):
            raise self._wrong(key, value, "a text")
        return value

    def _number(self, value: Json, key: str, *, low: float = -math.inf, high: float = math.inf) -> float:
        """Return a number, which may be written as text."""
        number = from_text(value) if isinstance(value, str) else value
        if isinstance(number, bool) or not isinstance(number, int | float) or not low <= number <= high:
            bounds = "" if math.isinf(low) else f" from {low:g}" + ("" if math.isinf(high) else f" to {high:g}")
            raise self._wrong(key, value, "a number" + bounds)
        return number

    def _listed(self, value: Json, key: str) -> list[Json]:
        if not isinstance(value, list):
            raise self._wrong(key, value, "a list")
        return value

    def _object(self, value: Json, key: str) -> dict[str, Json]:
        if not isinstance(value, dict):
            raise self._wrong(key, value, "an object")
        return value

    def _interval(self) -> Duration:
        value = self._config.get("flushInterval") or 10000
        return Duration(self._number(value, "flushInterval", low=SHORTEST_MS, high=LONGEST_MS) / 1000)

    def _percentiles(self) -> tuple[float, ...]:
        key = "percentThreshold"
        value = self._config.get(key)
        listed = value if isinstance(value, list) else [value or 90]
        return tuple(float(self._number(item, key, low=-MOST_PERCENT, high=MOST_PERCENT)) for item in listed)

    def _histograms(self) -> Iterable[Bins]:
        for number, value in enumerate(self._listed(self._config.get("histogram") or [], "histogram")):
            key = f"histogram[{number}]"
            item = self._object(value, key)
            bins = self._listed(item.get("bins", []), f"{key}.bins")
            bounds = (math.inf if bound == "inf" else self._number(bound, f"{key}.bins") for bound in bins)
            yield Bins(self._text(item.get("metric", ""), f"{key}.metric"), tuple(bounds))

    def _statistics(self) -> tuple[str, ...]:
        value = self._config.get("calculatedTimerMetrics")
        if not isinstance(value, list):
            return ()
        return tuple(self._text(item, "calculatedTimerMetrics") for item in value)

    def _idle(self) -> dict[str, object]:
        every = bool(self._config.get("deleteIdleStats"))
        values: dict[str, object] = {
            f"idle.delete_{kind.lower()}": bool(self._config.get(f"delete{kind}", every))
            for kind in ("Counters", "Timers", "Sets", "Gauges")
        }
        ttl = self._config.get("gaugesMaxTTL")
        flushes = int(ttl) if isinstance(ttl, int | float) and ttl in range(2, MOST_FLUSHES) else 1
        return values | {"idle.gauge_ttl": flushes, "idle.keep": INTERNAL}

    def _listeners(self) -> Iterable[Url]:
        servers = self._config.get("servers")
        if servers is None:
            yield self._listener(self._config, "")
            return
        for number, value in enumerate(self._listed(servers, "servers")):
            key = f"servers[{number}]."
            server = self._object(value, key[:-1])
            self._unused += [key + name for name in server if name not in USED_SERVER]
            yield self._listener(server, key)

    def _listener(self, server: Mapping[str, Json], key: str) -> Url:
        kind = server.get("server") or UDP_SERVER
        if kind not in (UDP_SERVER, TCP_SERVER):
            raise self._wrong(key + "server", kind, f"{UDP_SERVER} or {TCP_SERVER}")
        query = {"dialect": "statsd"}
        if kind == TCP_SERVER and server.get("socket"):
            if server.get("socket_mod") is not None:
                query["mode"] = self._permissions(server["socket_mod"], f"{key}socket_mod")
            path = str(Path(self._text(server["socket"], f"{key}socket")).absolute())
            return self._url(f"unix://{quote(path)}?{urlencode(query)}", f"{key}socket")
        port = int(self._number(server.get("port") or PORT, f"{key}port", low=0, high=65535))
        host = self._text(server.get("address") or "", f"{key}address")
        if not host and kind == UDP_SERVER:
            host = "::" if server.get("address_ipv6") else "0.0.0.0"  # noqa: S104 statsd's default
        scheme = "udp" if kind == UDP_SERVER else "tcp"
        return self._url(f"{scheme}://{_host(host)}:{port}?{urlencode(query)}", f"{key}address")

    def _permissions(self, value: Json, key: str) -> str:
        return value if isinstance(value, str) else f"{int(self._number(value, key, low=0, high=0o777)):o}"

    def _url(self, text: str, key: str) -> Url:
        try:
            return urls.parse(text)
        except UrlError as error:
            message = f"{self._file}: {key}: {error}"
            raise ConfigError(message) from error

    def _graphite(self) -> dict[str, Json]:
        graphite = self._object(self._config.get("graphite") or {}, "graphite")
        self._unused += [f"graphite.{name}" for name in graphite if name not in USED_GRAPHITE]
        return graphite

    def _sinks(self, graphite: dict[str, Json], prefix: str) -> Iterable[Url]:
        makers: dict[str, Callable[[], Url | None]] = {
            GRAPHITE: lambda: self._carbon(graphite, prefix),
            CONSOLE: lambda: urls.parse("console://?format=statsd"),
            REPEATER: lambda: None,
        }
        key = "backends"
        listed = self._config.get(key)
        for value in self._listed([GRAPHITE] if listed is None else listed, key):
            name = self._text(value, key)
            if name not in makers:
                raise self._wrong(key, name, f"one of {', '.join(makers)}{did_you_mean(name, makers)}")
            sink = makers[name]()
            yield from [sink] if sink is not None else []

    def _carbon(self, graphite: dict[str, Json], prefix: str) -> Url | None:
        """Return Graphite's URL, None when the file names no host: then nothing is sent."""
        if not self._config.get("graphiteHost"):
            return None
        host = self._text(self._config["graphiteHost"], "graphiteHost")
        pickled = self._protocol() == "pickle"
        key, default = ("graphitePicklePort", CARBON_PICKLE) if pickled else ("graphitePort", CARBON)
        port = int(self._number(self._config.get(key) or default, key, low=1, high=65535))
        query = {
            "namespace": "legacy" if graphite.get("legacyNamespace", True) else "statsd",
            "counts": str(bool(self._config.get("flush_counts", True))).lower(),
            "statsd_stats": prefix,
            "sanitize": str(not self._config.get("keyNameSanitize", True)).lower(),
        }
        query |= {
            ours: self._text(graphite[key], f"graphite.{key}") for key, ours in GRAPHITE_PREFIXES.items() if key in graphite
        }
        scheme = "graphite+pickle" if pickled else "graphite"
        return self._url(f"{scheme}://{_host(host)}:{port}?{urlencode(query)}", "graphiteHost")

    def _protocol(self) -> str:
        key = "graphiteProtocol"
        value = self._text(self._config.get(key) or "text", key)
        if value not in ("text", "pickle"):
            raise self._wrong(key, value, "text or pickle")
        return value


def _host(name: str) -> str:
    return f"[{name}]" if ":" in name else name
