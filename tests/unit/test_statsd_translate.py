"""statsd's configuration file becomes our settings: every key has its effect, what is wrong is named."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nilometer.core.errors import ConfigError
from nilometer.core.setting import Bins
from nilometer.core.settings import load as load_settings
from nilometer.ingest.relay.targets import targets
from nilometer.ingest.statsd import keys
from nilometer.ingest.statsd.convert import convert
from nilometer.ingest.statsd.mode import StatsdMode
from nilometer.ingest.statsd.translate import INTERNAL, StatsdConfig, apply, load

if TYPE_CHECKING:
    from collections.abc import Callable

    Reader = Callable[[dict[str, Any]], StatsdConfig]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    def reader(config: dict[str, Any]) -> StatsdConfig:
        file = tmp_path / "config.json"
        file.write_text(json.dumps(config))
        return load(file)

    return reader


def urls(config: StatsdConfig, name: str) -> list[str]:
    return [url.reveal() for url in config.values[name]]  # type: ignore[attr-defined]  # a tuple of URLs


def test_an_empty_file_means_the_defaults_of_statsd(read: Reader) -> None:
    config = read({})

    assert config.mode == StatsdMode()
    assert config.warnings == ()
    assert urls(config, "server.listen") == ["udp://0.0.0.0:8125?dialect=statsd"]
    assert urls(config, "server.sinks") == []
    assert urls(config, "admin.listen") == ["tcp://:8126"]
    assert {name: value for name, value in config.values.items() if not name.endswith((".listen", ".sinks"))} == {
        "flush.interval": 10.0,
        "flush.align": "start",
        "gauges.keep": False,
        "timers.percentiles": (90.0,),
        "timers.histograms": (),
        "timers.statistics": (),
        "names.sanitize": True,
        "idle.delete_counters": False,
        "idle.delete_timers": False,
        "idle.delete_sets": False,
        "idle.delete_gauges": False,
        "idle.gauge_ttl": 1,
        "idle.keep": INTERNAL,
        "log.to": "stdout",
        "log.name": "statsd",
        "log.messages": False,
        "keyflush.interval": 0,
        "keyflush.percent": 100,
        "keyflush.log": "",
        "relay.to": (),
        "self.prefix": "statsd",
        "self.names": "statsd",
    }


@pytest.mark.parametrize(
    ("config", "name", "value"),
    [
        ({"flushInterval": 2000}, "flush.interval", 2.0),
        ({"flushInterval": "500"}, "flush.interval", 0.5),
        ({"flushInterval": 0}, "flush.interval", 10.0),
        ({"percentThreshold": 95}, "timers.percentiles", (95.0,)),
        ({"percentThreshold": "99.9"}, "timers.percentiles", (99.9,)),
        ({"percentThreshold": 0}, "timers.percentiles", (90.0,)),
        ({"percentThreshold": None}, "timers.percentiles", (90.0,)),
        ({"percentThreshold": []}, "timers.percentiles", ()),
        ({"percentThreshold": [0, -10, "50", 150]}, "timers.percentiles", (0.0, -10.0, 50.0, 150.0)),
        ({"histogram": [{"metric": "a", "bins": [1, 2.5, "inf"]}]}, "timers.histograms", (Bins("a", (1.0, 2.5, math.inf)),)),
        ({"histogram": [{"metric": "", "bins": []}]}, "timers.histograms", (Bins("", ()),)),
        ({"calculatedTimerMetrics": ["count", "upper_percent"]}, "timers.statistics", ("count", "upper_percent")),
        ({"calculatedTimerMetrics": "count"}, "timers.statistics", ()),
        ({"keyNameSanitize": False}, "names.sanitize", False),
        ({"deleteCounters": True}, "idle.delete_counters", True),
        ({"deleteCounters": "0"}, "idle.delete_counters", True),
        ({"debug": 1}, "log.level", "debug"),
        ({"log": {"backend": "syslog"}}, "log.to", "syslog"),
        ({"log": {"application": "me"}}, "log.name", "me"),
        ({"dumpMessages": True}, "log.messages", True),
        ({"prefixStats": "me"}, "self.prefix", "me"),
        ({"keyFlush": {"interval": 400}}, "keyflush.interval", 0.4),
        ({"keyFlush": {"interval": -400}}, "keyflush.interval", 0),
        ({"keyFlush": {"interval": 1e-9}}, "keyflush.interval", 0.001),
        ({"keyFlush": {"percent": "5"}}, "keyflush.percent", 5),
        ({"keyFlush": {"percent": 500}}, "keyflush.percent", 100),
        ({"keyFlush": {"interval": "1e3", "log": "/k"}}, "keyflush.log", "/k"),
        ({"deleteIdleStats": True}, "idle.delete_gauges", True),
        ({"deleteIdleStats": True, "deleteSets": False}, "idle.delete_sets", False),
        ({"gaugesMaxTTL": 3}, "idle.gauge_ttl", 3),
        ({"gaugesMaxTTL": 3.0}, "idle.gauge_ttl", 3),
        ({"gaugesMaxTTL": 2.5}, "idle.gauge_ttl", 1),
        ({"gaugesMaxTTL": -1}, "idle.gauge_ttl", 1),
        ({"gaugesMaxTTL": "4"}, "idle.gauge_ttl", 1),
    ],
)
def test_keys_become_settings(read: Reader, config: dict[str, Any], name: str, value: object) -> None:
    assert read(config).values[name] == value


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"port": 9125, "address": "127.0.0.1"}, ["udp://127.0.0.1:9125?dialect=statsd"]),
        ({"address_ipv6": True}, ["udp://[::]:8125?dialect=statsd"]),
        ({"address": "::1", "address_ipv6": True}, ["udp://[::1]:8125?dialect=statsd"]),
        ({"server": "./servers/tcp"}, ["tcp://:8125?dialect=statsd"]),
        ({"server": "./servers/tcp", "socket": "/run/s.sock"}, ["unix:///run/s.sock?dialect=statsd"]),
        (
            {"server": "./servers/tcp", "socket": "/run/s.sock", "socket_mod": "0770"},
            ["unix:///run/s.sock?dialect=statsd&mode=0770"],
        ),
        (
            {"server": "./servers/tcp", "socket": "/run/s.sock", "socket_mod": 0o777},
            ["unix:///run/s.sock?dialect=statsd&mode=777"],
        ),
        (
            {"servers": [{"server": "./servers/udp", "port": 1}, {"server": "./servers/tcp", "address": "host", "port": "2"}]},
            ["udp://0.0.0.0:1?dialect=statsd", "tcp://host:2?dialect=statsd"],
        ),
        ({"servers": []}, []),
    ],
)
def test_servers_become_listeners(read: Reader, config: dict[str, Any], expected: list[str]) -> None:
    assert urls(read(config), "server.listen") == expected


def test_a_relative_socket_is_in_the_working_directory(read: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = read({"server": "./servers/tcp", "socket": "s.sock"})
    assert urls(config, "server.listen") == [f"unix://{tmp_path}/s.sock?dialect=statsd"]


LEGACY = "namespace=legacy&counts=true&statsd_stats=statsd&sanitize=false"
NEW = "namespace=statsd&counts=true&statsd_stats=statsd&sanitize=false"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"graphiteHost": "db"}, [f"graphite://db:2003?{LEGACY}"]),
        ({"graphiteHost": "::1", "graphitePort": 9}, [f"graphite://[::1]:9?{LEGACY}"]),
        ({"graphiteHost": "db", "graphiteProtocol": "pickle"}, [f"graphite+pickle://db:2004?{LEGACY}"]),
        (
            {"graphiteHost": "db", "graphiteProtocol": "pickle", "graphitePicklePort": 9, "graphitePort": 8},
            [f"graphite+pickle://db:9?{LEGACY}"],
        ),
        ({"graphiteHost": "db", "graphite": {"legacyNamespace": False}}, [f"graphite://db:2003?{NEW}"]),
        (
            {"graphiteHost": "db", "graphite": {"legacyNamespace": False, "globalPrefix": "", "prefixSet": "s"}},
            [f"graphite://db:2003?{NEW}&prefix=&prefix_set=s"],
        ),
        (
            {"graphiteHost": "db", "graphite": {"globalSuffix": "a.b"}, "flush_counts": False, "prefixStats": "me"},
            ["graphite://db:2003?namespace=legacy&counts=false&statsd_stats=me&sanitize=false&suffix=a.b"],
        ),
        (
            {"graphiteHost": "db", "keyNameSanitize": False},
            ["graphite://db:2003?namespace=legacy&counts=true&statsd_stats=statsd&sanitize=true"],
        ),
        ({"graphiteHost": "db", "backends": ["./backends/console"]}, ["console://?format=statsd&percentiles=90"]),
        (
            {"backends": ["/opt/statsd/backends/console.js"], "console": {"prettyprint": True}, "percentThreshold": [1, 2.5]},
            ["console://?format=statsd&percentiles=1,2.5&pretty=true"],
        ),
        ({"graphiteHost": "db", "backends": []}, []),
        ({"backends": None, "graphiteHost": "db"}, [f"graphite://db:2003?{LEGACY}"]),
        ({"backends": ["./backends/console", "./backends/graphite"]}, ["console://?format=statsd&percentiles=90"]),
    ],
)
def test_backends_become_sinks(read: Reader, config: dict[str, Any], expected: list[str]) -> None:
    assert urls(read(config), "server.sinks") == expected


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"flushInterval": "soon"}, 'flushInterval = "soon": expected a number from 10 to'),
        ({"flushInterval": -5}, "flushInterval = -5: expected a number from 10"),
        ({"port": 70000}, "port = 70000: expected a number from 0 to 65535"),
        ({"port": True}, "port = true: expected a number"),
        ({"servers": {}}, "servers = {}: expected a list"),
        ({"servers": [1]}, "servers[0] = 1: expected an object"),
        ({"servers": [{"server": "./servers/udpp"}]}, "servers[0].server"),
        ({"address": 5}, "address = 5: expected a text"),
        ({"address": "a:b/c"}, "address"),
        ({"percentThreshold": [90, "x"]}, 'percentThreshold = "x": expected a number'),
        ({"histogram": [{"metric": 1}]}, "histogram[0].metric = 1: expected a text"),
        ({"histogram": [{"metric": "a", "bins": ["x"]}]}, 'histogram[0].bins = "x": expected a number'),
        ({"calculatedTimerMetrics": [1]}, "calculatedTimerMetrics = 1: expected a text"),
        ({"graphiteHost": "db", "graphiteProtocol": "picke"}, "expected text or pickle"),
        ({"graphite": 1}, "graphite = 1: expected an object"),
        ({"graphiteHost": "db", "graphite": {"globalPrefix": 1}}, "graphite.globalPrefix = 1: expected a text"),
        ({"backends": ["./backends/grafite"]}, "did you mean './backends/graphite'?"),
        ({"prefixStats": None}, "prefixStats = null: expected a text"),
        ({"healthStatus": "ill"}, 'healthStatus = "ill": expected up or down'),
        ({"log": {"backend": "file"}}, 'log.backend = "file": expected stdout or syslog'),
        ({"log": {"level": "INFO"}}, 'log.level = "INFO": expected one of LOG_EMERG'),
        ({"graphiteHost": "a", "graphite": {"legacyNamespace": 0}}, "graphite.legacyNamespace = 0: expected true or false"),
        ({"backends": ["./backends/repeater"], "repeater": [{"host": "a"}]}, "repeater[0].port = null: expected a number"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(read: Reader, config: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(config)
    assert reason in str(refused.value)
    assert "config.json" in str(refused.value)


@pytest.mark.parametrize(
    ("config", "where"),
    [({"mgmt_port": 9, "mgmt_address": "::1"}, "tcp://[::1]:9"), ({"mgmt_port": 0}, "tcp://:8126")],
)
def test_the_admin_interface_listens_where_the_file_says(read: Reader, config: dict[str, Any], where: str) -> None:
    assert urls(read(config), "admin.listen") == [where]


@pytest.mark.parametrize(
    ("config", "name", "value"),
    [
        ({"mgmt_port": "9", "mgmt_address": "::1"}, "admin_named", True),
        ({"mgmt_port": 0}, "admin_named", False),
        ({"backends": ["./backends/console", "./backends/repeater"]}, "backends", ("console",)),
        ({"healthStatus": "down"}, "healthy", False),
        ({"title": "metrics"}, "title", "metrics"),
        ({"title": False}, "title", ""),
        ({"log": {"level": "LOG_ERR"}}, "priority", "LOG_ERR"),
        ({"automaticConfigReload": False}, "reload", False),
        ({"automaticConfigReload": None}, "reload", True),
    ],
)
def test_keys_without_a_setting_become_the_mode(read: Reader, config: dict[str, Any], name: str, value: object) -> None:
    assert getattr(read(config).mode, name) == value


REPEATER = {
    "backends": ["./backends/repeater"],
    "repeater": [{"host": "a", "port": 1}, {"port": "2"}, {"host": "::1", "port": 3}],
}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"repeater": [{"host": "a", "port": 1}]}, []),
        (REPEATER, ["udp://a:1?family=ipv4", "udp://localhost:2?family=ipv4", "udp://[::1]:3?family=ipv4"]),
        (
            {**REPEATER, "repeaterProtocol": "udp6"},
            ["udp://a:1?family=ipv6", "udp://localhost:2?family=ipv6", "udp://[::1]:3?family=ipv6"],
        ),
        ({**REPEATER, "repeaterProtocol": "tcp"}, ["tcp://a:1", "tcp://localhost:2", "tcp://[::1]:3"]),
    ],
)
def test_a_repeater_is_a_relay(read: Reader, config: dict[str, Any], expected: list[str]) -> None:
    found = read(config)
    assert urls(found, "relay.to") == expected
    assert [str(each) for each in targets(url for url in found.values["relay.to"])] == [  # type: ignore[attr-defined]  # URLs
        url.partition("?")[0] for url in expected
    ]


def test_keys_without_effect_are_named(read: Reader, tmp_path: Path) -> None:
    config = read({"prot": 1, "graphite": {"x": 1}, "servers": [{"y": 2}], "mgmt_port": 8126, "nodes": [{"host": "a"}]})

    names = [warning.removeprefix(f"{tmp_path / 'config.json'}:1:") for warning in config.warnings]
    assert names == [
        "10: prot has no effect: neither statsd nor a backend of its own has such a key; did you mean 'port'?",
        "31: graphite.x has no effect: neither statsd nor a backend of its own has such a key",
        "53: servers[0].y has no effect: neither statsd nor a backend of its own has such a key",
        "86: nodes has no effect: it is a key of statsd's cluster proxy",
    ]


@pytest.mark.parametrize("text", ["", "{", "[1]", "'x'", "\xff", "[" * 100_000, " " * (1 << 21)])
def test_a_file_that_holds_no_object_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.json"
    file.write_text(text, "latin1")

    with pytest.raises(ConfigError, match=r"config\.json[: ]"):
        load(file)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "config.json")


def test_flags_and_environment_win_over_the_file(read: Reader) -> None:
    base = load_settings(None, {"NILOMETER_TIMERS_PERCENTILES": "50"}, {"flush.interval": "3s"})
    settings = apply(base, read({"flushInterval": 2000, "percentThreshold": 99, "deleteSets": True}), Path("c.json"))

    assert settings.flush.interval == 3.0
    assert settings.timers.percentiles == (50.0,)
    assert settings.idle.delete_sets is True
    assert settings.origin("idle.delete_sets") == "c.json"
    assert settings.origin("flush.interval") == "--flush-interval"


NAMES = [key.name for key in keys.KEYS if "." not in key.name]
INNER = sorted({key.name.rpartition(".")[2] for key in keys.KEYS})
LEAVES = (
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers(-1, 70_000)
    | st.sampled_from(["", "udp6", "a:b", "\0", "1e3", "[", "%"])
)
MODULES = st.sampled_from(["./backends/repeater", "./backends/graphite", "./servers/tcp", "./servers/udp", "db"])
ANY = st.recursive(
    LEAVES | MODULES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(INNER), inner, max_size=4)
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(NAMES), ANY, max_size=5))
def test_whatever_a_key_holds_has_a_meaning_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, config: dict[str, Any]
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.json"
    file.write_text(json.dumps(config))
    try:
        found = load(file)
    except ConfigError as error:
        text = str(error) + "\n"
    else:
        text = convert(found, str(file))
    assert str(file) in text
    assert text.endswith("\n")
