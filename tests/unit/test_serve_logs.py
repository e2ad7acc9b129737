"""The server's log: where it goes and in which form."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import syslog
from typing import TYPE_CHECKING

import pytest

from nilometer.cli.logs import configure
from nilometer.core.sections import LogSection
from nilometer.ingest.statsd.mode import StatsdMode

if TYPE_CHECKING:
    from collections.abc import Iterator

LOG = logging.getLogger("nilometer.test")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level


def test_text_goes_to_standard_error_with_time_and_level(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSection())
    LOG.warning("it %s", "happened")

    captured = capsys.readouterr()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} WARNING it happened\n", captured.err)
    assert captured.out == ""


def test_statsd_lines_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSection(to="stdout"), StatsdMode())
    LOG.info("server is up")

    assert re.fullmatch(r"\d\d \w{3} \d\d:\d\d:\d\d - server is up\n", capsys.readouterr().out)


def test_json_is_one_object_a_line_with_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSection(format="json"))
    nothing: dict[str, int] = {}
    try:
        nothing["größe\n"] += 1
    except KeyError:
        LOG.exception("a fault")

    line = capsys.readouterr().err
    entry = json.loads(line)
    assert line.count("\n") == 1
    assert (entry["level"], entry["logger"], entry["message"]) == ("error", "nilometer.test", "a fault")
    assert "KeyError" in entry["traceback"]
    assert entry["time"] > 1e9


@pytest.mark.parametrize(("level", "shown"), [("debug", 3), ("info", 2), ("warning", 1), ("error", 0)])
def test_the_level_says_what_is_left_out(level: str, shown: int, capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogSection(level=level))
    for number in (logging.DEBUG, logging.INFO, logging.WARNING):
        LOG.log(number, "it happened")

    assert capsys.readouterr().err.count("\n") == shown


@pytest.fixture
def syslogged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    calls: list[tuple[object, ...]] = []
    monkeypatch.setattr(syslog, "openlog", lambda *arguments: calls.append(arguments))
    monkeypatch.setattr(syslog, "syslog", lambda *arguments: calls.append(arguments))
    return calls


def test_syslog_gets_priorities_and_the_programs_name(syslogged: list[tuple[object, ...]]) -> None:
    configure(LogSection(to="syslog", name="web7"))
    LOG.warning("a\0b")
    LOG.error("c")

    assert syslogged == [
        ("web7", syslog.LOG_PID, syslog.LOG_LOCAL0),
        (syslog.LOG_WARNING, "ab"),
        (syslog.LOG_ERR, "c"),
    ]


def test_what_has_no_level_in_statsd_has_the_files_in_syslog(syslogged: list[tuple[object, ...]]) -> None:
    configure(LogSection(to="syslog", name="statsd"), StatsdMode(priority="LOG_NOTICE"))
    LOG.warning("DEBUG: Bad line: x")
    LOG.warning("other")

    assert syslogged[1:] == [(syslog.LOG_NOTICE, "Bad line: x"), (syslog.LOG_WARNING, "other")]


def test_a_log_that_nobody_reads_any_more_brings_no_tracebacks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read, write = os.pipe()
    os.close(read)
    with open(write, "wb", buffering=0) as broken:  # noqa: PTH123 no file on a disk
        monkeypatch.setattr("sys.stdout", io.TextIOWrapper(broken, write_through=True))
        configure(LogSection(to="stdout"))
        LOG.warning("unread")

    assert capsys.readouterr().err == ""
