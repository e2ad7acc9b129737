"""`nilometer config` and the flags of settings."""

from __future__ import annotations

import tomllib
from pathlib import Path

import click
import pytest

from nilometer.cli import completion
from nilometer.cli.help import Command
from nilometer.cli.main import main
from nilometer.cli.options import Chosen, with_settings
from nilometer.core import settings as table
from nilometer.core.quantity import Duration

SAMPLES: dict[str, str | list[str]] = {
    "server.listen": ["unix:///run/x.sock", "udp://:9"],
    "server.sinks": ["null://", "memory://"],
    "server.state": "/var/lib/x",
    "flush.interval": "3s",
    "flush.align": "start",
    "stop.deadline": "4s",
    "gauges.keep": "false",
    "timers.percentiles": ["50", "-99.9"],
    "timers.histograms": ['{match = "a b", bins = [1, "inf"]}'],
    "timers.sketch": "true",
    "timers.cumulative": "true",
    "timers.statistics": ["upper", "count"],
    "idle.delete_counters": "true",
    "idle.delete_timers": "true",
    "idle.delete_sets": "true",
    "idle.delete_gauges": "true",
    "idle.gauge_ttl": "3",
    "idle.keep": ["kept", "held"],
    "idle.expire_counters": "3",
    "idle.expire_timers": "10m",
    "idle.expire_gauges": "1d",
    "idle.expire_sets": "5",
    "names.sanitize": "false",
    "names.tags": ["env:prod", "zone:a"],
    "rules.list": ['{match = "a.*", action = "drop"}', '{prefix = "b", scale = 2}'],
    "rules.mapping": "mapping.yml",
    "rules.presets": ["requests"],
    "limits.series": "11",
    "limits.samples": "12",
    "limits.set_members": "13",
    "limits.series_per_prefix": "14",
    "limits.prefix_parts": "2",
    "limits.series_per_source": "15",
    "limits.tags": "0",
    "limits.name": "1KiB",
    "limits.keys": "1MiB",
    "limits.samples_per_timer": "16",
    "limits.members_per_set": "17",
    "limits.line": "1KiB",
    "limits.connections": "14",
    "relay.to": "udp://127.0.0.1:9",
    "relay.mode": "ring",
    "relay.check_interval": "1s",
    "relay.queue": "1MiB",
    "spool.size": "1MiB",
    "spool.age": "1h",
    "retry.first": "2s",
    "retry.most": "3m",
    "history.retention": "2d",
    "history.rollups": ["2m:60d"],
    "events.sources": ["nats://localhost"],
    "events.store": "postgresql://events@db/events",
    "events.retention": "30d",
    "events.queue": "500",
    "events.metrics": "false",
    "events.unknown": "refuse",
    "traces.sources": ["amqp://a?topics=profiler"],
    "traces.store": "postgresql://traces@db/traces",
    "traces.sinks": ["log://", "console://"],
    "traces.retention": "30d",
    "traces.queue": "500",
    "traces.ratio": "0.5",
    "traces.rate": "10.5",
    "traces.errors": "false",
    "traces.slower": "250ms",
    "traces.sampling": ["shop/*health=0", "shop/*=0.1"],
    "traces.wait": "5s",
    "traces.undecided": "500",
    "traces.metrics": ["server:*/*=requests.{service}.{name}"],
    "traces.leads": ["*/*=mdb.req.timing.{name}", "*/*=a"],
    "traces.exemplars": "10",
    "tables.sources": ["magnetodb+http://a", "magnetodb+http://b"],
    "tables.health": ["https://a/health", "shop=https://b/health"],
    "tables.every": "30s",
    "tables.delay": "5s",
    "tables.jitter": "2s",
    "tables.align": "true",
    "tables.prefix": "node1",
    "tables.name": "{source}.{table}",
    "tables.tags": "true",
    "tables.timeout": "2s",
    "tables.token_file": "/token",
    "tables.ca": "/ca.pem",
    "tables.at_once": "8",
    "tables.most": "5000",
    "usage.period": "day",
    "usage.to": ["log://"],
    "usage.service": "shop",
    "statistics.buses": ["amqp://a", "nats://b"],
    "statistics.store": "postgresql://a/b",
    "statistics.archive": ["datagrepper+https://a"],
    "statistics.plugins": ["volume", "./mine.py"],
    "statistics.since": "2020-01-01T06:00:00Z",
    "statistics.window": "1h",
    "statistics.retention": "3d",
    "statistics.backlog": ["volume=7d"],
    "statistics.keep": ["volume=90d", "volume-by-user=1d"],
    "admin.listen": ["tcp://127.0.0.1:1"],
    "web.listen": ["http://127.0.0.1:1"],
    "web.origins": ["https://grafana.example"],
    "log.level": "debug",
    "log.format": "json",
    "log.to": "syslog",
    "self.names": "statsd",
    "log.name": "web7",
    "log.messages": "true",
    "keyflush.interval": "30s",
    "keyflush.percent": "5",
    "keyflush.log": "/var/log/keys",
    "self.prefix": "own",
}


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run where no settings file lies and no variable sets anything."""
    monkeypatch.chdir(tmp_path)
    for setting in table.TABLE:
        monkeypatch.delenv(setting.environment, raising=False)
    monkeypatch.delenv("NILOMETER_CONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def chosen_by(*arguments: str) -> Chosen:
    """Return what a command with the settings' flags makes of the arguments."""
    seen: list[Chosen] = []

    @click.command(cls=Command)
    @with_settings
    def command(chosen: Chosen) -> None:
        seen.append(chosen)

    command.main(list(arguments), standalone_mode=False)
    return seen[0]


@pytest.mark.parametrize("name", [setting.name for setting in table.TABLE])
def test_every_setting_has_a_flag_that_works(name: str) -> None:
    setting, sample = table.find(name), SAMPLES[name]
    given = sample if isinstance(sample, list) else [sample]
    settings = chosen_by(*(word for value in given for word in (setting.flag, value))).settings()
    assert settings.value(name) != table.load(None, {"HOME": "/root"}).value(name)
    assert settings.origin(name) == setting.flag
    if setting.many:
        assert len(given) == len(settings.value(name))  # type: ignore[arg-type]  # a list's setting is a tuple


def test_help_shows_what_a_setting_takes_and_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", "--help"]) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert "--flush-interval DURATION How long a window lasts. Default: 10s." in words
    assert "--flush-align clock|start" in words
    assert "--gauges-keep true|false" in words
    assert "Default: 90. May be repeated." in words
    assert "--idle-keep TEXT Counters whose key contains one of these are never forgotten. May be repeated." in words


def test_flags_add_to_those_a_command_brings_itself() -> None:
    settings = chosen_by("--flush-interval", "3s").settings({"server.sinks": ["null://"]})
    assert settings.flush.interval == Duration(3)
    assert [str(url) for url in settings.server.sinks] == ["null://"]


def test_a_list_may_be_one_flag() -> None:
    assert chosen_by("--timers-percentiles", "50 99").settings().timers.percentiles == (50, 99)
    histograms = chosen_by("--timers-histograms", '[{match = "a", bins = [1]}]').settings().timers.histograms
    assert [bins.match for bins in histograms] == ["a"]


def test_a_file_is_named_or_found(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("other.toml").write_text('[flush]\ninterval = "3s"\n', encoding="utf-8")
    assert chosen_by().located is None
    assert chosen_by("-c", "other.toml").settings().flush.interval == Duration(3)
    monkeypatch.setenv("NILOMETER_CONFIG", "other.toml")
    assert chosen_by().settings().origin("flush.interval") == "other.toml:2"
    Path("nilometer.toml").write_text("", encoding="utf-8")
    monkeypatch.delenv("NILOMETER_CONFIG")
    assert chosen_by().located == Path("nilometer.toml")


def test_show_gives_each_value_and_its_origin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("NILOMETER_RETRY_FIRST", "2s")
    Path("nilometer.toml").write_text("\n[limits]\nseries = 5\n", encoding="utf-8")
    assert main(["config", "show", "--flush-interval", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert 'interval = "3s"  # --flush-interval' in lines
    assert 'first = "2s"  # $NILOMETER_RETRY_FIRST' in lines
    assert "series = 5  # nilometer.toml:3" in lines
    assert 'deadline = "10s"  # default' in lines
    assert len(table.TABLE) == sum("  # " in line for line in lines)
    shown = tomllib.loads("\n".join(lines))
    assert list(shown) == list(table.SECTIONS)


def test_show_changed_leaves_the_defaults_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", "--changed", "--flush-interval", "3"]) == 0
    assert capsys.readouterr().out == '[flush]\ninterval = "3s"  # --flush-interval\n\n'


def test_show_masks_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", "--server-sinks", "graphite://me:hidden@host"]) == 0
    output = capsys.readouterr().out
    assert "hidden" not in output
    assert "graphite://me:***@host" in output


def test_the_default_file_is_a_good_one_that_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "default"]) == 0
    text = capsys.readouterr().out
    Path("d.toml").write_text(text, encoding="utf-8")
    assert main(["config", "check", "d.toml"]) == 0
    assert capsys.readouterr().out == f"d.toml: good; settings given: 0 of {len(table.TABLE)}\n"


def test_the_default_file_holds_every_default(capsys: pytest.CaptureFixture[str]) -> None:
    main(["config", "default"])
    lines = capsys.readouterr().out.splitlines()
    keys = {setting.key for setting in table.TABLE}
    uncommented = [line[2:] if line[2:].partition(" = ")[0] in keys else line for line in lines]
    Path("d.toml").write_text("\n".join(uncommented), encoding="utf-8")
    assert table.load(Path("d.toml"), {"HOME": str(Path.home())}) == table.load(None, {"HOME": str(Path.home())})
    assert len(table.load(Path("d.toml"), {}).origins) == len(table.TABLE)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[flush]\nintervall = 1\n", "d.toml:2: unknown setting 'flush.intervall'; did you mean 'flush.interval'?"),
        ('[flush]\ninterval = "soon"\n', "d.toml:2: flush.interval"),
        ("[flush\n", "not TOML"),
        ('[server]\nlisten = ["udq://:1"]\n', "d.toml:2: server.listen: udq://:1"),
        ('[server]\nlisten = ["udp://:1?thread=2"]\n', "did you mean 'threads'?"),
        ('[relay]\nto = ["udp://h?admin=70000"]\n', "d.toml:2: relay.to: udp://h?admin=70000: option admin: 70000 is no port"),
        ('[web]\nlisten = ["https://h"]\n', "d.toml:2: web.listen: https://h: option cert is missing"),
        ('[web]\norigins = ["*"]\n', "d.toml:2: web.origins = '*': expected scheme, host and port alone"),
        ('[admin]\nlisten = ["http://h"]\n', "d.toml:2: admin.listen: http://h: the admin interface has one host"),
        ('[server]\nsinks = ["grafite://h"]\n', "d.toml:2: server.sinks: no backend answers to grafite://"),
        ('[server]\nsinks = ["graphite://h?conections=2"]\n', "did you mean 'connections'?"),
    ],
)
def test_check_names_what_is_wrong_and_where(text: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("d.toml").write_text(text, encoding="utf-8")
    assert main(["config", "check", "d.toml"]) == 2
    assert says in capsys.readouterr().err


def test_check_of_a_named_file_ignores_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("d.toml").write_text("", encoding="utf-8")
    monkeypatch.setenv("NILOMETER_FLUSH_INTERVAL", "wrong")
    assert main(["config", "check", "d.toml"]) == 0
    assert main(["config", "check"]) == 2


@pytest.mark.parametrize("named", [["d.toml"], ["-c", "d.toml"], ["--config", "d.toml"], ["--config=d.toml"]])
def test_check_takes_the_file_as_serve_does_too(named: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path("d.toml").write_text("[limits]\nseries = 5\n", encoding="utf-8")
    assert main(["config", "check", *named]) == 0
    assert capsys.readouterr().out == f"d.toml: good; settings given: 1 of {len(table.TABLE)}\n"


def test_check_of_two_files_at_once_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check", "a.toml", "-c", "b.toml"]) == 2
    assert "two files are named, a.toml and b.toml" in capsys.readouterr().err


def test_show_takes_the_file_as_serve_does(capsys: pytest.CaptureFixture[str]) -> None:
    Path("d.toml").write_text("[limits]\nseries = 5\n", encoding="utf-8")
    assert main(["config", "show", "--changed", "-c", "d.toml"]) == 0
    assert capsys.readouterr().out == "[limits]\nseries = 5  # d.toml:2\n\n"


def test_check_without_a_file_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check"]) == 0
    assert capsys.readouterr().out.startswith("no settings file; the environment: good")


def test_check_opens_nothing() -> None:
    Path("d.toml").write_text('[server]\nsinks = ["sqlite:///x/y.db", "graphite://no-such.invalid"]\n', encoding="utf-8")
    assert main(["config", "check", "d.toml"]) == 0
    assert [path.name for path in Path().iterdir()] == ["d.toml"]


@pytest.mark.parametrize("shell", list(completion.SHELLS))
def test_a_completion_script_says_how_to_install_it(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    output = capsys.readouterr().out
    assert completion.SHELLS[shell].install in output.partition("\n")[0]
    assert f"_NILOMETER_COMPLETE={shell}_complete" in output


def test_an_unknown_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "ksh"]) == 2
    assert "'bash', 'zsh', 'fish'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('sources = ["graphite://h"]', "tables.sources: graphite://h: graphite:// has no tables"),
        ('sources = ["magnetodb+http://h?limt=5"]', "tables.sources: magnetodb+http://h: unknown option 'limt'; did you mean"),
        ('health = ["udp://h"]', "tables.health: udp://h: a health check asks over HTTP"),
    ],
)
def test_what_is_collected_is_checked(line: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(f"[tables]\n{line}\n")
    assert main(["config", "check", str(file)]) == 2
    assert words in capsys.readouterr().err


def test_secrets_of_what_is_collected_are_masked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[tables]\nsources = ["magnetodb+http://h?token=s3cr3t"]\nhealth = ["a=http://h/x?api_key=s3cr3t"]\n')
    assert main(["config", "show", "-c", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "api_key=***" in shown
    assert "s3cr3t" not in shown
