"""Plugins found by name, and in files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from nilometer.core.errors import ConfigError
from nilometer.statistics import catalog

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint
    from pathlib import Path

FILE = """
from nilometer.statistics.kinds import Count


class ByPriority(Count):
    name = "{name}"
    summary = "messages by priority"
    description = "How many messages there were of each priority."
    windows = ("1m", "1d")
    keys = ("priority",)

    def key(self, message):
        return message.priority
"""


def written(folder: Path, text: str) -> str:
    file = folder / "mine.py"
    file.write_text(text)
    return str(file)


def test_all_that_distributions_bring_are_found_in_order() -> None:
    idents = [each.ident for each in catalog.statistics()]
    assert idents == sorted(idents)
    assert {"volume-1s", "popularity", "release-engineering-event-logs"} <= set(idents)
    assert [each.ident for each in catalog.statistics(["builtin"])] == idents


def test_a_plugin_or_one_of_its_windows_is_found_by_name() -> None:
    found = [each.ident for each in catalog.statistics(["volume", "volume-by-user-1d", "volume-1d"])]
    assert found == ["volume-1d", "volume-1h", "volume-1m", "volume-1s", "volume-5s", "volume-by-user-1d"]


def test_a_file_brings_the_plugins_that_it_defines(tmp_path: Path) -> None:
    found = catalog.statistics([written(tmp_path, FILE.format(name="by priority")), "popularity"])
    assert [each.ident for each in found] == ["by-priority-1d", "by-priority-1m", "popularity"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "defines no statistics plugin"),
        ("from nilometer.statistics.kinds import Sum\nclass Bytes(Sum): pass", "class Bytes lacks amount"),
        ("raise KeyError('no such thing')", "KeyError: 'no such thing'"),
        ("def (", "SyntaxError"),
        (FILE.format(name=""), "has no name"),
        (FILE.format(name="a/b"), "slash"),
        (FILE.format(name="by priority").replace('"1d"', '"2d"'), "2d"),
        (FILE.format(name="volume"), "two statistics plugins make volume-1"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_what_is(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Exception, match=said):
        catalog.statistics([written(tmp_path, text), "volume"])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("keys = ('user')", "its keys are the text 'user'; write a tuple"),
        ("topics = 'org.*'", "its topics are the text"),
        ("windows = '1d'", "its windows are the text"),
        ("windows = ()", "has no windows"),
        ("windows = ('1d', 7)", "its windows are"),
        ("keys = ('volume',)", "two columns 'volume'"),
        ("keys = ('timestamp',)", "two columns 'timestamp'"),
        ("kind = 'sums'", "its kind is 'sums'; write one of Kind.SUM"),
        ("backlog_delta = 3600", "its backlog_delta is 3600; write a timedelta"),
        ("keep = 5", "its keep is 5; write a timedelta"),
        ("roll_up = (86400, '1d')", "its roll_up is"),
        ("roll_up = (timedelta(days=1), '1y')", "'1y' is no window"),
        ("roll_up = (timedelta(days=1), 'ever')", "its roll_up is into 'ever'"),
        ("layout = {1, 2}", "its layout is nothing that JSON can hold"),
        ("version = '2'", "its version is '2'; write a whole number"),
        ("top = -1", "its top is -1"),
        ("name = '()'", "is no name"),
        ("name = 'x' * 300", "is no name"),
        ("windows = ('1d@Europe/Pragu',)", "no zone of time"),
        ("def __init__(self, place): pass", "cannot be made without arguments: TypeError"),
        ("def __init__(self): raise SystemExit('enough')", "SystemExit: enough"),
    ],
)
def test_what_a_plugin_says_wrong_of_itself_is_refused_before_it_runs(tmp_path: Path, line: str, said: str) -> None:
    text = f"from datetime import timedelta\n{FILE.format(name='mine')}\n    {line}\n"
    with pytest.raises(ConfigError, match=re.escape(said)) as found:
        catalog.statistics([written(tmp_path, text)])
    assert "ByPriority" in str(found.value)


def test_a_file_that_ends_the_program_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"mine\.py: SystemExit: 3"):
        catalog.statistics([written(tmp_path, "raise SystemExit(3)")])


def test_what_is_not_there_is_said_with_what_is_near(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'popularity'"):
        catalog.statistics(["popularitty"])
    with pytest.raises(ConfigError, match="no such file"):
        catalog.statistics([f"{tmp_path}/none.py"])


def test_a_distribution_that_cannot_be_loaded_is_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from importlib.metadata import EntryPoint as Point  # noqa: PLC0415 as short

    def points(*, group: str) -> list[EntryPoint]:
        return [Point("broken", "nilometer.nothing:X", group), Point("text", "nilometer.statistics.catalog:ALL", group)]

    monkeypatch.setattr(catalog, "entry_points", points)
    assert catalog.statistics() == []
    assert "broken" in caplog.text
    assert "is no plugin class" in caplog.text
