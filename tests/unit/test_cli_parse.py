"""`nilometer parse`: lines in, JSON out."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from nilometer.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


def parsed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line, parse_constant=pytest.fail) for line in capsys.readouterr().out.splitlines()]


def type_in(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))


def test_each_value_is_a_line_of_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    type_in(monkeypatch, "a:1|c|#é:x\n\nb:1|c:x|g\r\n_e{1,1}:a|b".encode())
    assert main(["parse"]) == 0
    found = parsed(capsys)
    assert [(each["line"], each.get("type"), each.get("error")) for each in found] == [
        (1, "counter", None),
        (3, "counter", None),
        (3, None, "not a number"),
        (4, "event", None),
    ]
    assert found[0]["tags"] == ["é:x"]


def test_a_file_in_a_dialect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lines").write_bytes(b"g:-5|h\ng:-5|g\na\xff:Infinity|c\n")
    assert main(["parse", "--dialect", "statsd", "--gauges", "absolute", str(tmp_path / "lines")]) == 0
    found = parsed(capsys)
    assert [(each["name"], each["type"], each["values"]) for each in found] == [
        ("g", "counter", [-5.0]),
        ("g", "gauge", [-5.0]),
        ("a", "counter", ["Infinity"]),
    ]
    assert "relative" not in found[1]


def test_numbers_of_lines_go_on_from_chunk_to_chunk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    type_in(monkeypatch, b"a:1|c\n" * 60_000)
    assert main(["parse"]) == 0
    assert [each["line"] for each in parsed(capsys)] == list(range(1, 60_001))


def test_a_line_that_is_too_long_ends_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    type_in(monkeypatch, b"a:1|c\n" + b"x" * 600_000)
    assert main(["parse"]) == 1
    assert "line 2 is longer than" in capsys.readouterr().err


def test_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parse", "--dialect", "carbon"]) == 2
    assert main(["parse", "/no/such/file"]) == 2
    assert "No such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["parse", "--dialect", "dogstasd"], "dogstatsd"),
        (["token", "create", "a", "--scope", "reed"], "read"),
        (["completion", "bsh"], "bash"),
    ],
)
def test_a_mistyped_choice_is_answered_with_the_nearest(
    arguments: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert f"; did you mean {meant!r}?" in capsys.readouterr().err
