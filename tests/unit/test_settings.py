from __future__ import annotations

import dataclasses
import math
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core import sources, toml
from nilometer.core.errors import SettingError
from nilometer.core.quantity import Duration, Expiry, Moment, NamedDuration, Rollup, Size
from nilometer.core.rules import RuleTable
from nilometer.core.setting import Bins, Setting
from nilometer.core.settings import SECTIONS, TABLE, Settings, default_toml, load, to_toml
from nilometer.core.url import NamedUrl, Url, parse

ENVIRON = {"HOME": "/home/nil"}
OTHER: dict[str, tuple[str, str, object]] = {
    "server.listen": (
        '["udp://[::1]:1", "unix:///run/n"]',
        "udp://[::1]:1 unix:///run/n",
        (parse("udp://[::1]:1"), parse("unix:///run/n")),
    ),
    "server.sinks": ('["graphite://u:p@a,b"]', "graphite://u:p@a,b", (parse("graphite://u:p@a,b"),)),
    "server.state": ('"/var/lib/n n"', "/var/lib/n n", Path("/var/lib/n n")),
    "flush.interval": ('"500ms"', "500ms", 0.5),
    "flush.align": ('"start"', "start", "start"),
    "stop.deadline": ("3", "3", 3),
    "gauges.keep": ("false", "no", False),
    "timers.percentiles": ("[50, 99.9, -5]", "50 99.9 -5", (50, 99.9, -5)),
    "timers.histograms": (
        '[{match = "a", bins = [1, 2.5, "inf"]}, {match = "", bins = []}]',
        "",
        (Bins("a", (1, 2.5, math.inf)), Bins("", ())),
    ),
    "timers.cumulative": ("true", "true", True),
    "timers.statistics": ('["mean", "std"]', "mean std", ("mean", "std")),
    "timers.sketch": ("true", "true", True),
    "idle.delete_counters": ("true", "on", True),
    "idle.delete_timers": ("true", "1", True),
    "idle.delete_sets": ("true", "yes", True),
    "idle.delete_gauges": ("true", "TRUE", True),
    "idle.gauge_ttl": ("6", "6", 6),
    "idle.keep": ('["errors"]', "errors", ("errors",)),
    "idle.expire_counters": ("3", "3", Expiry(3)),
    "idle.expire_timers": ('"10m"', "10m", Expiry(0, Duration(600))),
    "idle.expire_gauges": ('"1d"', "1d", Expiry(0, Duration(86_400))),
    "idle.expire_sets": ('"5"', "5", Expiry(5)),
    "names.sanitize": ("false", "false", False),
    "names.tags": ('["env:prod"]', "env:prod", ("env:prod",)),
    "rules.list": (
        '[{match = "a.*", rename = "b.$1", expire = 3}, {prefix = "x", action = "drop"}]',
        "",
        (RuleTable(match="a.*", rename="b.$1", expire=Expiry(3)), RuleTable(prefix="x", action="drop")),
    ),
    "rules.mapping": ('"mapping.yml"', "mapping.yml", "mapping.yml"),
    "rules.presets": ('["requests"]', "requests", ("requests",)),
    "limits.series": ("10", "10", 10),
    "limits.series_per_prefix": ("14", "14", 14),
    "limits.prefix_parts": ("2", "2", 2),
    "limits.series_per_source": ("15", "15", 15),
    "limits.tags": ("0", "0", 0),
    "limits.name": ('"1KiB"', "1KiB", 1024),
    "limits.keys": ('"1MiB"', "1MiB", 1048576),
    "limits.samples": ("11", "11", 11),
    "limits.samples_per_timer": ("16", "16", 16),
    "limits.set_members": ("12", "12", 12),
    "limits.members_per_set": ("17", "17", 17),
    "limits.line": ('"1KiB"', "1KiB", 1024),
    "limits.connections": ("13", "13", 13),
    "relay.to": ('["tcp://a?admin=1"]', "tcp://a?admin=1", (parse("tcp://a?admin=1"),)),
    "relay.mode": ('"ring"', "ring", "ring"),
    "relay.check_interval": ('"250ms"', "250ms", 0.25),
    "relay.queue": ('"1MiB"', "1MiB", 1 << 20),
    "spool.size": ("1048576", "1MiB", 1 << 20),
    "spool.age": ('"1h"', "1h", 3600),
    "retry.first": ('"2s"', "2s", 2),
    "retry.most": ("30.5", "30.5", 30.5),
    "history.retention": ('"2d"', "2d", 172_800),
    "history.rollups": ('["5m:10d"]', "5m:10d", (Rollup(Duration(300), Duration(864_000)),)),
    "events.sources": ('["nats://a?subject=x.>"]', "nats://a?subject=x.>", (parse("nats://a?subject=x.>"),)),
    "events.store": ('"none"', "none", parse("none")),
    "events.retention": ('"2d"', "2d", 172_800),
    "events.queue": ("7", "7", 7),
    "events.metrics": ("false", "false", False),
    "events.unknown": ('"refuse"', "refuse", "refuse"),
    "traces.sources": ('["amqp://a?topics=profiler"]', "amqp://a?topics=profiler", (parse("amqp://a?topics=profiler"),)),
    "traces.store": ('"postgresql://u@h/d"', "postgresql://u@h/d", parse("postgresql://u@h/d")),
    "traces.sinks": ('["log://", "console://"]', "log:// console://", (parse("log://"), parse("console://"))),
    "traces.retention": ('"2d"', "2d", 172_800),
    "traces.queue": ("1000", "1000", 1000),
    "traces.ratio": ("0.25", "0.25", 0.25),
    "traces.rate": ("12.5", "12.5", 12.5),
    "traces.errors": ("false", "no", False),
    "traces.slower": ('"250ms"', "250ms", 0.25),
    "traces.sampling": ('["shop/*health=0"]', "shop/*health=0", ("shop/*health=0",)),
    "traces.wait": ('"5s"', "5s", 5),
    "traces.undecided": ("500", "500", 500),
    "traces.metrics": ('["server:*/*=r.{service}"]', "server:*/*=r.{service}", ("server:*/*=r.{service}",)),
    "traces.leads": ('["*/*=mdb.req.timing.{name}"]', "*/*=mdb.req.timing.{name}", ("*/*=mdb.req.timing.{name}",)),
    "traces.exemplars": ("10", "10", 10),
    "tables.sources": ('["magnetodb+http://a?limit=5"]', "magnetodb+http://a?limit=5", (parse("magnetodb+http://a?limit=5"),)),
    "tables.health": (
        '["https://a/b?c=d", "shop=magnetodb+http://h"]',
        "https://a/b?c=d shop=magnetodb+http://h",
        (NamedUrl("", parse("https://a/b?c=d")), NamedUrl("shop", parse("magnetodb+http://h"))),
    ),
    "tables.every": ('"30s"', "30s", 30),
    "tables.delay": ('"5s"', "5s", 5),
    "tables.jitter": ('"2s"', "2s", 2),
    "tables.align": ("true", "true", True),
    "tables.prefix": ('"node1"', "node1", "node1"),
    "tables.name": ('"{source}.{table}"', "{source}.{table}", "{source}.{table}"),
    "tables.tags": ("true", "true", True),
    "tables.timeout": ('"2s"', "2s", 2),
    "tables.token_file": ('"/token"', "/token", "/token"),
    "tables.ca": ('"/ca.pem"', "/ca.pem", "/ca.pem"),
    "tables.at_once": ("8", "8", 8),
    "tables.most": ("5000", "5000", 5000),
    "usage.period": ('"day"', "day", "day"),
    "usage.to": ('["log://"]', "log://", (parse("log://"),)),
    "usage.service": ('"shop"', "shop", "shop"),
    "statistics.buses": ('["amqp://a"]', "amqp://a", (parse("amqp://a"),)),
    "statistics.store": ('"postgresql://a/b"', "postgresql://a/b", parse("postgresql://a/b")),
    "statistics.archive": ('["datagrepper+https://a"]', "datagrepper+https://a", (parse("datagrepper+https://a"),)),
    "statistics.plugins": ('["volume", "./mine.py"]', "volume ./mine.py", ("volume", "./mine.py")),
    "statistics.since": ("2020-01-01", "2020-01-01", Moment(1_577_836_800)),
    "statistics.window": ('"1h"', "1h", 3600),
    "statistics.retention": ('"3d"', "3d", 259_200),
    "statistics.backlog": ('["volume=7d"]', "volume=7d", (NamedDuration("volume", Duration(604_800)),)),
    "statistics.keep": ('["volume=90d"]', "volume=90d", (NamedDuration("volume", Duration(7_776_000)),)),
    "admin.listen": ("[]", "[]", ()),
    "web.listen": ("[]", "[]", ()),
    "web.origins": ('["https://a.example"]', "https://a.example", ("https://a.example",)),
    "log.level": ('"debug"', "debug", "debug"),
    "log.format": ('"json"', "json", "json"),
    "log.to": ('"syslog"', "syslog", "syslog"),
    "log.name": ('"web7"', "web7", "web7"),
    "log.messages": ("true", "yes", True),
    "keyflush.interval": ('"30s"', "30s", 30.0),
    "keyflush.percent": ("5", "5", 5.0),
    "keyflush.log": ('"/k"', "/k", "/k"),
    "self.prefix": ('"own.stats"', "own.stats", "own.stats"),
    "self.names": ('"statsd"', "statsd", "statsd"),
}
"""For each setting a value that is not its default: in TOML, as text, and what it becomes."""


def from_text(tmp_path: Path, text: str) -> Settings:
    return load(write(tmp_path, text), ENVIRON)


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "nilometer.toml"
    file.write_text(text)
    return file


def in_toml(name: str) -> str:
    section, _, key = name.partition(".")
    return f"# a comment\n[{section}]\n{key} = {OTHER[name][0]}\n"


def as_text(name: str) -> str:
    return OTHER[name][1] or OTHER[name][0]


every_setting = pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.name)


def test_the_table_of_this_test_is_complete() -> None:
    assert list(OTHER) == [setting.name for setting in TABLE]


@every_setting
def test_a_file_sets_it(setting: Setting, tmp_path: Path) -> None:
    settings = from_text(tmp_path, in_toml(setting.name))
    assert settings.value(setting.name) == OTHER[setting.name][2] != Settings().value(setting.name)
    assert settings.origin(setting.name) == f"{tmp_path}/nilometer.toml:3"


@every_setting
def test_the_environment_sets_it(setting: Setting) -> None:
    settings = load(None, {**ENVIRON, setting.environment: as_text(setting.name)})
    assert settings.value(setting.name) == OTHER[setting.name][2]
    assert settings.origin(setting.name) == f"${setting.environment}"


@every_setting
def test_a_flag_sets_it(setting: Setting) -> None:
    settings = load(None, ENVIRON, {setting.name: as_text(setting.name)})
    assert settings.value(setting.name) == OTHER[setting.name][2]
    assert settings.origin(setting.name) == setting.flag


@every_setting
def test_its_value_has_the_declared_type(setting: Setting) -> None:
    for value in (setting.default, OTHER[setting.name][2]):
        items = value if setting.many and isinstance(value, tuple) else (value,)
        assert all(isinstance(item, setting.kind) or setting.kind in (float, Duration, Size) for item in items)
    read = load(None, ENVIRON, {setting.name: as_text(setting.name)}).value(setting.name)
    assert all(isinstance(item, setting.kind) for item in (read if setting.many and isinstance(read, tuple) else (read,)))


@every_setting
def test_it_is_explained(setting: Setting) -> None:
    assert setting.help.endswith(".")
    assert setting.expected
    assert f"\n# {setting.help}\n" in default_toml()
    assert setting.environment in default_toml()


@every_setting
def test_a_value_of_a_wrong_type_is_named(setting: Setting, tmp_path: Path) -> None:
    for wrong in ("06:30:00" if setting.kind is Moment else "1979-05-27", "[[1]]", "{}"):
        section, _, key = setting.name.partition(".")
        with pytest.raises(SettingError) as caught:
            from_text(tmp_path, f"[{section}]\n{key} = {wrong}")
        assert str(caught.value).startswith(f"{tmp_path}/nilometer.toml:2: {setting.name}")
        assert "expected" in str(caught.value)


def test_names_do_not_collide() -> None:
    for names in ([s.name for s in TABLE], [s.environment for s in TABLE], [s.flag for s in TABLE]):
        assert len(set(names)) == len(names)


def test_defaults() -> None:
    settings = load(None, ENVIRON)
    assert settings.flush.interval == Duration(10)
    assert settings.server.listen == (parse("udp://:8125"), parse("tcp://127.0.0.1:8125"))
    assert settings.server.state == Path("/home/nil/.local/state/nilometer")
    assert settings.origin("flush.interval") == settings.origin("server.state") == "default"


def test_later_sources_win(tmp_path: Path) -> None:
    file = write(tmp_path, "[limits]\nseries = 1\nsamples = 1\nset_members = 1")
    environ = {"NILOMETER_LIMITS_SAMPLES": "2", "NILOMETER_LIMITS_SET_MEMBERS": "2"}
    settings = load(file, environ, {"limits.set_members": 3, "limits.line": None})
    limits = settings.limits
    assert (limits.series, limits.samples, limits.set_members, limits.line) == (1, 2, 3, 65_536)


def test_flags_may_be_lists() -> None:
    settings = load(None, ENVIRON, {"server.sinks": ("console:", "sqlite:///a b.db"), "timers.percentiles": [50]})
    assert settings.server.sinks == (parse("console:"), Url("sqlite", path="/a b.db"))
    assert settings.timers.percentiles == (50,)
    histograms = ('{match = "a b", bins = [1]}', '{match = "", bins = []}')
    assert load(None, ENVIRON, {"timers.histograms": histograms}).timers.histograms == (Bins("a b", (1,)), Bins("", ()))


def test_an_empty_text_is_an_empty_list() -> None:
    assert load(None, {"NILOMETER_SERVER_LISTEN": ""}).server.listen == ()


def test_a_list_may_be_written_as_in_toml() -> None:
    assert load(None, {"NILOMETER_IDLE_KEEP": '["a b", "c"]'}).idle.keep == ("a b", "c")


def test_settings_are_frozen() -> None:
    settings = load(None, ENVIRON)
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.flush.interval = Duration(1)  # type: ignore[misc]  # what is tested


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[flush]\nintervall = 1", "nilometer.toml:2: unknown setting 'flush.intervall'; did you mean 'flush.interval'?"),
        ("[flsh]\ninterval = 1", "nilometer.toml:1: unknown setting 'flsh'; did you mean 'flush'?"),
        ("interval = 1", "nilometer.toml:1: unknown setting 'interval'"),
        ("flush.intervall = 1", "nilometer.toml:1: unknown setting 'flush.intervall'; did you mean 'flush.interval'?"),
        ('[[timers.histograms]]\nmatch = "a"\nbins = []\nbin = 1', "unknown key 'bin'; did you mean 'bins'?"),
        ("flush = 1", "nilometer.toml:1: 'flush' is a table of settings, written [flush]"),
        ("[[flush]]\ninterval = 1", "'flush' is a table of settings"),
        ("[flush]\ninterval = \n", "(at line 2, column 12)"),
        ("[flush]\n[flush]", "(at line 2, column 7)"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(SettingError) as caught:
        from_text(tmp_path, text)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("flush.interval", True, "flush.interval = True: expected a duration such as"),
        ("flush.interval", "soon", "flush.interval = 'soon': expected a duration such as"),
        ("flush.interval", "50ms", "flush.interval = '50ms': expected at least 100ms and at most 1d"),
        ("flush.interval", -1, "expected a duration"),
        ("flush.interval", math.nan, "expected a duration"),
        ("flush.align", "clok", "flush.align = 'clok': expected one of clock, start; did you mean 'clock'?"),
        ("limits.series", 0, "limits.series = 0: expected at least 1"),
        ("limits.series", 1.5, "limits.series = 1.5: expected a whole number, at least 1"),
        ("limits.series", "many", "expected a whole number"),
        ("limits.line", "1", "expected at least 64 and at most 16MiB"),
        ("limits.line", 64.5, "expected a size in bytes"),
        ("gauges.keep", 1, "gauges.keep = 1: expected true or false"),
        ("gauges.keep", "maybe", "gauges.keep = 'maybe': expected true or false"),
        ("log.level", 3, "log.level = 3: expected one of debug, info, warning, error"),
        ("timers.percentiles", 90, "timers.percentiles = 90: expected a list, each a number"),
        ("timers.percentiles", [90, 101], "timers.percentiles = 101: expected at least -100"),
        ("timers.percentiles", "90 nan", "timers.percentiles = 'nan': expected a list, each a number"),
        ("timers.histograms", "[{match = 1, bins = []}]", "expected a list, each a table such as"),
        ("timers.histograms", '[{match = "a"}]', "expected a list, each a table such as"),
        ("timers.histograms", '[{match = "a", bins = ["x"]}]', "expected a list, each a table such as"),
        ("timers.histograms", "[{]", "not a TOML value"),
        ("timers.histograms", ["api:1,5,inf"], "timers.histograms = 'api:1,5,inf': expected a list, each a table such as"),
        ("timers.histograms", "[]\nother = 1", "expected a list, each a table such as"),
        ("server.state", "", "expected a path"),
        ("server.state", "a\0b", "expected a path"),
        ("server.sinks", "graphite:/x", "write scheme://host:port"),
        ("tables.every", "10ms", "at least 1s"),
        ("tables.name", "{project}", "holds no {table}"),
        ("tables.name", "{tabel}.{table}", "asks for 'tabel'"),
        ("tables.health", "x=no%url", "is not a URL"),
        ("history.rollups", "1d:1m", "the step must be above zero and shorter"),
        ("history.rollups", "500ms:1d", "expected a step of whole seconds"),
        ("history.rollups", "10m:30d 1m:365d", "history.rollups: each step must be coarser"),
        ("history.rollups", "1m:30d 10m:30d", "history.rollups: each step must be coarser, and kept longer"),
        ("retry.first", "2m", "retry.first (2m) is longer than retry.most (1m)"),
        ("retry.most", "100ms", "retry.most (100ms) is shorter than retry.first (1s); set retry.first too"),
        ("self.prefix", "a b", "self.prefix = 'a b': expected a name without spaces"),
        ("self.prefix", "a.", "expected a name without spaces, slashes or a final dot"),
        ("log.format", "x" * 300, "xxx...: expected one of text, json"),
    ],
)
def test_a_value_that_does_not_fit_is_named(name: str, value: object, reason: str) -> None:
    with pytest.raises(SettingError) as caught:
        load(None, ENVIRON, {name: value})
    assert str(caught.value).startswith("--" + name.replace(".", "-").replace("_", "-") + ": ")
    assert reason in str(caught.value)
    assert len(str(caught.value)) < 300


def test_secrets_do_not_show_in_errors(tmp_path: Path) -> None:
    with pytest.raises(SettingError) as caught:
        from_text(tmp_path, '[server]\nsinks = ["amqp://u:hunter2@h:port"]')
    assert "nilometer.toml:2: server.sinks: 'amqp://***@h:port' is not a URL" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", ["flush.intervall", "flush", "", "interval"])
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(SettingError, match="unknown setting"):
        load(None, ENVIRON, {name: "1"})
    with pytest.raises(SettingError, match="unknown setting"):
        load(None, ENVIRON).origin(name)


@pytest.mark.parametrize("variable", ["NILOMETER_FLUSH_INTERVALL", "NILOMETER_FLUSHINTERVAL", "NILOMETER_SERVER_SINK"])
def test_a_mistyped_variable_is_refused(variable: str) -> None:
    with pytest.raises(SettingError, match=rf"\${variable}: unknown setting; did you mean 'NILOMETER_"):
        load(None, {variable: "1"})


def test_variables_that_a_platform_sets_are_left_alone() -> None:
    port = "NILOMETER_PORT_8125_UDP"
    names = ["SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_STATSD", "PORT", "KERNEL", "CONFIG"]
    environ = {f"NILOMETER_{name}": "x" for name in names} | {port: "x", f"{port}_PROTO": "x", f"{port}_ADDR": "x"}
    assert load(None, environ) == load(None, {})


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"\xff", "not UTF-8: byte 0"), (b"# " + b"x" * (1 << 20), "larger than 1048576 bytes")],
)
def test_what_is_no_settings_file(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(SettingError, match=reason):
        load(tmp_path / "file", ENVIRON)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"gone\.toml: cannot be read: No such file"):
        load(tmp_path / "gone.toml", ENVIRON)
    with pytest.raises(SettingError, match="cannot be read: Is a directory"):
        load(tmp_path, ENVIRON)


def test_which_file_is_read(tmp_path: Path) -> None:
    assert sources.locate(Path("a"), {"NILOMETER_CONFIG": "b"}, tmp_path) == Path("a")
    assert sources.locate(None, {"NILOMETER_CONFIG": "b"}, tmp_path) == Path("b")
    assert sources.FILES[1:] == (Path("/etc/nilometer/nilometer.toml"),)
    file = write(tmp_path, "")
    assert sources.locate(None, {"NILOMETER_CONFIG": ""}, tmp_path) == file


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"XDG_STATE_HOME": "/state", "HOME": "/home/nil"}, "/state/nilometer"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/home/nil"}, "/home/nil/.local/state/nilometer"),
        ({"HOME": "/home/nil"}, "/home/nil/.local/state/nilometer"),
        ({}, "/.local/state/nilometer"),
    ],
)
def test_where_state_is_kept(environ: dict[str, str], path: str) -> None:
    assert load(None, environ).server.state == Path(path)


def test_a_home_is_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/nil")
    assert load(None, {}, {"server.state": "~/n"}).server.state == Path("/home/nil/n")


def test_the_default_file_is_all_comments_and_says_the_defaults(tmp_path: Path) -> None:
    text = default_toml()
    assert from_text(tmp_path, text) == load(None, ENVIRON)
    assert from_text(tmp_path, text).origins == {}
    keys = {setting.key for setting in TABLE}
    lines = [line[2:] if line[2:].partition(" = ")[0] in keys else line for line in text.splitlines()]
    settings = from_text(tmp_path, "\n".join(lines))
    assert len(settings.origins) == len(TABLE)
    assert dataclasses.replace(settings, server=Settings().server) == Settings()
    assert settings.server.listen == Settings().server.listen


def test_the_settings_in_use_read_back_as_the_same(tmp_path: Path) -> None:
    settings = load(None, ENVIRON, {name: as_text(name) for name in OTHER if name != "server.sinks"})
    text = to_toml(settings)
    assert from_text(tmp_path, text) == settings
    assert 'interval = "500ms"  # --flush-interval\n' in text
    assert "sinks = []  # default\n" in text


def test_the_settings_in_use_show_no_secret() -> None:
    text = to_toml(load(None, ENVIRON, {"server.sinks": "amqp://u:hunter2@h/?token=hunter2"}))
    assert 'sinks = ["amqp://u:***@h/?token=***"]' in text
    assert "hunter2" not in text
    assert "hunter2" not in repr(load(None, ENVIRON, {"server.sinks": "amqp://u:hunter2@h"}))


def test_every_section_is_a_class_named_for_it() -> None:
    assert [kind.__name__ for kind in SECTIONS.values()] == [f"{section.title()}Section" for section in SECTIONS]


def test_every_section_says_what_it_is_about() -> None:
    assert all(f"# {kind.__doc__}\n[{section}]\n" in default_toml() for section, kind in SECTIONS.items())


@given(
    st.text(st.characters(codec="utf-8"))
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False, min_value=-1e300)
)
def test_any_value_is_written_as_toml(value: object) -> None:
    read = tomllib.loads(f"value = {toml.literal(value)}")["value"]
    assert (math.inf if read == "inf" and value == math.inf else read) == value


@given(
    st.dictionaries(
        st.sampled_from(list(OTHER)) | st.text(max_size=12),
        st.text(max_size=30) | st.integers() | st.floats() | st.none(),
        max_size=3,
    )
)
def test_any_flags_are_settings_or_a_setting_error(flags: dict[str, object]) -> None:
    try:
        settings = load(None, ENVIRON, flags)
    except SettingError:
        return
    assert set(settings.origins) <= set(flags)
