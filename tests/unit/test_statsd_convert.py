"""statsd's file as settings: what is written is good, and says what it leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from nilometer.cli.program import program
from nilometer.core.settings import load as load_settings
from nilometer.ingest.statsd import translate
from nilometer.ingest.statsd.convert import convert

if TYPE_CHECKING:
    from pathlib import Path

FILE = """\
{ flushInterval: 2000, // ms
  percentThreshold: [90, 150], graphiteHost: 'db', deleteGauges: true, prefixStats: 'me',
  title: 'x', wrong: 1, histogram: [{ metric: 'a"\\n', bins: [1, 'inf'] }] }
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "config.js"
    file.write_text(FILE)
    return file


def test_the_result_gives_the_same_settings(file: Path, tmp_path: Path) -> None:
    found = translate.load(file)
    written = tmp_path / "nilometer.toml"
    written.write_text(convert(found, "config.js"))
    settings = load_settings(written, {})

    expected = {**found.values, "timers.percentiles": (90.0,)}
    assert {name: settings.value(name) for name in expected} == expected
    assert {name for name in settings.origins if settings.origin(name) != "default"} <= set(expected)


def test_what_has_no_setting_is_named(file: Path) -> None:
    head = convert(translate.load(file), "config.js").partition("\n\n")[0].split("\n")

    assert [line.rpartition("config.js")[2] for line in head] == [
        " asks for, as settings of Nilometer.",
        ":3:22: wrong has no effect: neither statsd nor a backend of its own has such a key",
        ":3:10: title has no setting: the process keeps its name",
        "# timers.percentiles cannot be 150: expected at least -100.0 and at most 100.0",
    ]


def test_a_file_that_sends_nowhere_is_converted_to_nowhere(tmp_path: Path) -> None:
    file = tmp_path / "config\n.js"
    file.write_text("{}")
    text = convert(translate.load(file), str(file))

    assert 'sinks = ["null://"]' in text
    assert text.startswith(f"# What statsd's file {tmp_path}/config .js asks for")


def test_the_command_writes_a_file_that_check_accepts(file: Path, tmp_path: Path) -> None:
    output = tmp_path / "nilometer.toml"
    runner = CliRunner()

    shown = runner.invoke(program, ["config", "convert", str(file)])
    assert runner.invoke(program, ["config", "convert", str(file), "-o", str(output)]).exit_code == 0
    assert shown.output == output.read_text()
    assert "good" in runner.invoke(program, ["config", "check", str(output)]).output


def test_the_command_overwrites_nothing(file: Path) -> None:
    refused = CliRunner().invoke(program, ["config", "convert", str(file), "-o", str(file)])

    assert refused.exit_code != 0
    assert "cannot be written: File exists" in str(refused.output) + str(refused.exception)
    assert file.read_text() == FILE
