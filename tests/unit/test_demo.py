"""The parts of the demonstration that need no process."""

from __future__ import annotations

import io
import os
import signal
import sys
from threading import Event
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl, urlsplit

import pytest

import nilometer
from nilometer.cli import demo as command
from nilometer.core.errors import ConfigError
from nilometer.demo import figures, page, parts
from nilometer.demo.signals import Ending, ending
from nilometer.testing.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from nilometer.demo.stage import Stage

FIGURES = figures.Figures(20, 12.34, 50, 400, 2, 0)


class Closed(io.StringIO):
    """Standard output that nobody reads any more."""

    def write(self, _: str) -> int:
        raise BrokenPipeError

    def fileno(self) -> int:
        return os.open(os.devnull, os.O_WRONLY)


def test_the_address_holds_every_chart_and_can_be_read() -> None:
    address = page.address("http://127.0.0.1:1")
    assert " " not in address
    view, _, query = urlsplit(address).fragment.partition("?")
    pairs = parse_qsl(query, strict_parsing=True)
    assert view == "/charts"
    assert [value for name, value in pairs if name == "chart"] == [title for title, *_ in page.CHARTS]
    assert [value for name, value in pairs if name == "s"] == [path for _, *paths in page.CHARTS for path in paths]
    assert pairs[-1] == ("range", "5m")


def test_the_first_signal_asks_to_end_the_second_to_hurry_and_what_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ending() as found:
            signal.raise_signal(signal.SIGHUP)
            assert not found.enough.is_set()
            signal.raise_signal(signal.SIGINT)
            assert (found.enough.is_set(), found.hurry.is_set()) == (True, False)
            signal.raise_signal(signal.SIGTERM)
            assert found.hurry.is_set()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "NEEDED", ("sys", "no_such_package"))
    with pytest.raises(ConfigError, match=r"needs no_such_package; type: pip install 'nilometer\[server\]'"):
        parts.check()


def test_an_example_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(nilometer, "__file__", str(tmp_path / "src/nilometer/__init__.py"))
    with pytest.raises(ConfigError, match="the example service is not here"):
        parts.example()
    (tmp_path / "examples/tableservice").mkdir(parents=True)
    (tmp_path / "examples/tableservice/app.py").touch()
    assert parts.example() == tmp_path / "examples"


def test_the_processes_find_no_settings_of_the_users_own_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NILOMETER_WEB_LISTEN", "[]")
    monkeypatch.setenv("NILOMETER_KERNEL", "reference")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    found = parts.environment()
    assert "NILOMETER_WEB_LISTEN" not in found
    assert found["NILOMETER_KERNEL"] == "reference"
    assert found["PYTHONPATH"] == f"{parts.example()}{os.pathsep}/elsewhere"


def test_a_server_that_does_not_answer_has_no_figures() -> None:
    assert figures.latest(f"http://127.0.0.1:{free_port()}") is None


def watched(duration: float | None, signals: Ending, figure: figures.Figures | None = FIGURES) -> None:
    """Watch a demonstration of which only figures are known."""
    stage = cast("Stage", SimpleNamespace(check=lambda: None, figures=lambda: figure))
    command._watch(stage, signals, command.Teller(signals.enough.set), duration)


def test_without_a_terminal_the_summary_is_a_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "TICK", 0.001)
    watched(0, Ending(Event(), Event()))
    expected = "20 requests/s · median 12 ms · 95 % within 50 ms · 99 % within 400 ms · 2 errors/s · 0 failures/s"
    assert capsys.readouterr().out == f"0:00  {expected}\n"


def test_it_says_so_while_there_are_no_figures(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "TICK", 0.001)
    watched(0, Ending(Event(), Event()), None)
    assert capsys.readouterr().out == "0:00  no figures yet\n"


def test_output_that_nobody_reads_any_more_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "TICK", 0.001)
    monkeypatch.setattr(sys, "stdout", Closed())
    signals = Ending(Event(), Event())
    watched(None, signals)
    assert signals.enough.is_set()


def test_the_service_sends_its_events_to_the_server_where_it_can(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = parts.service(tmp_path, "statsd://127.0.0.1:1", "http://127.0.0.1:2").arguments
    assert told[-2:] == ("--events", "webhook+http://127.0.0.1:2/api/v1/events")
    monkeypatch.setattr(parts, "find_spec", lambda _: None)
    assert "--events" not in parts.service(tmp_path, "statsd://127.0.0.1:1", "http://127.0.0.1:2").arguments
