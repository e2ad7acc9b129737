"""A server on statsd's file, and one on the settings that the file is converted to, have equal settings: key by key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core import settings as table
from nilometer.core.settings import load as load_settings
from nilometer.ingest.statsd import keys
from nilometer.ingest.statsd.convert import NOWHERE, convert
from nilometer.ingest.statsd.translate import apply, load

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PORT = st.integers(1, 65535) | st.integers(1, 65535).map(str)
HOST = st.sampled_from(["127.0.0.1", "::1", "localhost", "db.example"])
TEXT = st.text("abzAZ09_.-é\"'\\ \t", min_size=1, max_size=12)
NAME = st.from_regex(r"[a-z][a-z0-9_.]{0,10}[a-z0-9]", fullmatch=True)
FLAG = st.booleans() | st.sampled_from([0, 1, "", "x", None])
PERCENT = st.integers(-100, 100) | st.floats(-100, 100).map(lambda value: round(value, 3))
LISTENER: dict[str, SearchStrategy[Any]] = {
    "server": st.sampled_from(["./servers/udp", "./servers/tcp", "/opt/statsd/servers/tcp.js"]),
    "address": HOST,
    "address_ipv6": FLAG,
    "port": PORT,
    "socket": st.just("/run/statsd.sock"),
    "socket_mod": st.sampled_from(["0770", 0o660, "777"]),
}
GRAPHITE: dict[str, SearchStrategy[Any]] = {
    "legacyNamespace": st.booleans(),
    **dict.fromkeys(("globalPrefix", "prefixCounter", "prefixTimer", "prefixGauge", "prefixSet", "globalSuffix"), TEXT),
}


def some(values: dict[str, SearchStrategy[Any]]) -> SearchStrategy[dict[str, Any]]:
    """Objects that have some of the keys."""
    return st.fixed_dictionaries({}, optional=values)


VALUES: dict[str, SearchStrategy[Any]] = {
    **LISTENER,
    "servers": st.lists(some(LISTENER), max_size=3),
    "mgmt_address": HOST,
    "mgmt_port": PORT,
    "healthStatus": st.sampled_from(["up", "down"]),
    "title": TEXT | st.just(value=False),
    "flushInterval": st.integers(100, 86_400_000) | st.floats(100, 100_000),
    "percentThreshold": PERCENT | st.lists(PERCENT, max_size=4),
    "calculatedTimerMetrics": st.lists(st.sampled_from(["count", "upper_percent", "histogram"]) | TEXT, max_size=3),
    "histogram": st.lists(
        some({"metric": TEXT, "bins": st.lists(PERCENT, max_size=3).map(sorted).map(lambda bins: [*bins, "inf"])}), max_size=2
    ),
    "deleteIdleStats": FLAG,
    "deleteCounters": FLAG,
    "deleteTimers": FLAG,
    "deleteSets": FLAG,
    "deleteGauges": FLAG,
    "gaugesMaxTTL": st.integers(-1, 100),
    "keyNameSanitize": FLAG,
    "prefixStats": NAME | st.just(""),
    "backends": st.lists(
        st.sampled_from(["./backends/graphite", "./backends/console", "./backends/repeater"]), max_size=3, unique=True
    ),
    "graphiteHost": HOST,
    "graphitePort": PORT,
    "graphitePicklePort": PORT,
    "graphiteProtocol": st.sampled_from(["text", "pickle"]),
    "flush_counts": FLAG,
    "graphite": some(GRAPHITE),
    "console": some({"prettyprint": FLAG}),
    "repeater": st.lists(st.fixed_dictionaries({"port": PORT}, optional={"host": HOST}), max_size=3),
    "repeaterProtocol": st.sampled_from(["udp4", "udp6", "tcp"]),
    "keyFlush": some({"interval": st.integers(0, 86_400_000) | st.floats(0, 1000), "percent": PERCENT, "log": TEXT}),
    "dumpMessages": FLAG,
    "debug": FLAG,
    "log": some({"backend": st.sampled_from(["stdout", "syslog"]), "application": TEXT, "level": st.just("LOG_ERR")}),
    "automaticConfigReload": FLAG,
}


def test_every_key_with_an_effect_is_tried() -> None:
    assert set(VALUES) == {key.name for key in keys.KEYS if key.effect and "." not in key.name}


@given(some(VALUES))
def test_the_settings_are_equal(tmp_path_factory: pytest.TempPathFactory, config: dict[str, Any]) -> None:
    file, written = (tmp_path_factory.getbasetemp() / name for name in ("round.json", "round.toml"))
    file.write_text(json.dumps(config))
    found = load(file)
    direct = apply(load_settings(None, {}), found, file)
    written.write_text(convert(found, "config.js"))
    converted = load_settings(written, {})

    different = {
        setting.name: (direct.value(setting.name), converted.value(setting.name))
        for setting in table.TABLE
        if direct.value(setting.name) != converted.value(setting.name)
    }
    sinks = different.pop("server.sinks", None)
    assert sinks in (None, ((), NOWHERE))  # of statsd's file no sink means none, of ours the embedded store
    assert different == {}


@pytest.mark.parametrize("key", keys.KEYS, ids=lambda key: key.name)
def test_a_key_says_what_becomes_of_it(key: keys.Key) -> None:
    """A key becomes a setting, or is named where no setting does what it does, or where it does nothing."""
    path = key.name.replace("[]", "[0]")
    named = bool(keys.reason(path) or keys.alone(path))
    assert named == (key.name in UNWRITTEN or not key.effect)


UNWRITTEN = {"healthStatus", "title", "log.level", "automaticConfigReload"}
"""What a process in statsd's place does and no setting of ours."""
