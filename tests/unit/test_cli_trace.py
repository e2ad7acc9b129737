"""``nilometer trace``: what is listed and shown, moved and deleted; over stores, a server and files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import memory, registry
from nilometer.cli.main import main
from nilometer.cli.trace.terminal import bar, took
from nilometer.core import url as urls
from nilometer.core.traces.ids import uuid
from nilometer.core.traces.query import EVERYTHING
from nilometer.core.traces.span import Span, merge
from nilometer.core.wire import osprofiler
from nilometer.core.wire import span as wire
from nilometer.ingest._reference import ReferenceKernel
from nilometer.testing.control import control
from nilometer.testing.trace_examples import MS, ODD, START, TRACE, number, several
from nilometer.traces.osprofiler import report
from nilometer.web.access import Access
from nilometer.web.app import application
from nilometer.web.parts import Parts
from nilometer.web.server import WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

URL = "memory://cli-trace"
FIRST, SECOND, THIRD = (number(nr, 32) for nr in range(3))


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    memory.forget("cli-trace")
    memory.forget("cli-other")
    made = registry.open(URL, registry.SPANS)
    for trace in several(3):
        made.write_spans(trace)
    monkeypatch.setenv("NILOMETER_TRACES", URL)
    yield URL
    memory.forget("cli-trace")
    memory.forget("cli-other")


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(["trace", *arguments]) == 0, capsys.readouterr().err
    return capsys.readouterr().out.splitlines()


def held(url: str) -> list[Span]:
    found = registry.open(url, registry.TRACES)
    return [span for trace in reversed(found.find_traces(EVERYTHING).traces) for span in found.read_trace(trace.trace)]


# -- list --------------------------------------------------------------------------------------------------------------


def test_the_newest_come_first_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(capsys, "list")
    assert [text.split()[0] for text in found] == [f"2026-11-23T06:00:0{nr}.000Z" for nr in (2, 1, 0)]
    assert [text.split()[1:3] for text in found] == [["12", "ms"], ["11", "ms"], ["10", "ms"]]
    assert "3 spans" in found[2]
    assert f"{FIRST}  service0: GET /v1/tables" in found[2]
    assert "1 with an error: sqlalchemy.exc.OperationalError" in found[2]


@pytest.mark.parametrize(
    ("conditions", "traces"),
    [
        (("--service", "service1"), [SECOND]),
        (("--name", "GET *"), [THIRD, SECOND, FIRST]),
        (("--name", "nothing"), []),
        (("--project", "nova"), [THIRD, SECOND, FIRST]),
        (("--error",), [FIRST]),
        (("--no-error",), [THIRD, SECOND]),
        (("--shortest", "11ms"), [THIRD, SECOND]),
        (("--longest", "11ms"), [SECOND, FIRST]),
        (("--since", "2026-11-23T06:00:02Z"), [THIRD]),
        (("--until", "2026-11-23T06:00:02Z"), [SECOND, FIRST]),
        (("--limit", "1"), [THIRD]),
        (("--limit", "0"), [THIRD, SECOND, FIRST]),
    ],
)
def test_conditions_hold_together(conditions: tuple[str, ...], traces: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(capsys, "list", "--json", *conditions)
    assert [json.loads(text)["trace"] for text in found] == traces


def test_nothing_that_fits_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "list", "--service", "nobody"]) == 0
    assert "nothing fits" in capsys.readouterr().err


# -- show --------------------------------------------------------------------------------------------------------------


def test_a_tree_has_bars_and_marks_what_was_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(capsys, "tree", FIRST)
    assert [line.split("  ")[0].strip() for line in found[:1]] == ["service0: GET /v1/tables"]
    assert found[1].startswith("  service0: list")
    assert found[2].startswith("    storage: SELECT ✗ sqlalchemy.exc.OperationalError no such t…")
    assert [("●" in line, line.count("█") > 5) for line in found] == [(True, True)] * 3
    assert printed(capsys, "show", uuid(FIRST).upper()) == found


def test_without_an_id_it_is_the_newest(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "show", "--format", "spans") == printed(capsys, "show", THIRD, "--format", "spans")


def test_control_characters_of_peers_stay_out_of_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    registry.open("memory://cli-other", registry.SPANS).write_spans([*ODD, ODD[0]._replace(id="b", name="a\x1b[31m\nb")])
    lines = printed(capsys, "tree", TRACE, "--url", "memory://cli-other")
    assert len(lines) == len(ODD) + 1
    assert all(line.isprintable() for line in lines)
    assert any("(orphan)" in line for line in lines)


@pytest.mark.parametrize("form", ["json", "osprofiler", "html", "dot", "chrome", "spans"])
def test_every_format_goes_to_the_terminal_and_to_a_file(form: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    shown = "\n".join(printed(capsys, "show", FIRST, "--format", form))
    assert printed(capsys, "show", FIRST, "--format", form, "--out", str(tmp_path / "out")) == []
    assert (tmp_path / "out").read_text("utf-8").rstrip("\n") == shown
    if form in ("json", "osprofiler", "chrome", "spans"):
        assert json.loads(shown)


def test_a_tree_in_a_file_has_no_colours(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    printed(capsys, "show", FIRST, "--out", str(tmp_path / "out"))
    assert (tmp_path / "out").read_text("utf-8").replace("\n", "").isprintable()


def test_osprofilers_format_is_its_report(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads("\n".join(printed(capsys, "show", FIRST, "--format", "osprofiler")))
    assert found == json.loads(json.dumps(report(several(3)[0])))


@pytest.mark.parametrize("command", ["show", "tree", "delete"])
def test_a_trace_that_is_not_there_is_named(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", command, "nobody"]) == 1
    assert "memory://cli-trace: there is no trace 'nobody'" in capsys.readouterr().err


def test_an_empty_store_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "show", "--url", "memory://cli-other"]) == 1
    assert "memory://cli-other: there are no traces" in capsys.readouterr().err


def test_a_scheme_without_traces_names_those_that_have_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "list", "--url", "graphite://h"]) == 2
    assert "graphite:// has no traces; what it has: metrics, health; traces: " in capsys.readouterr().err


# -- diff --------------------------------------------------------------------------------------------------------------


def test_two_traces_stand_beside_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    heading, *lines = printed(capsys, "diff", FIRST, SECOND)
    assert heading.split() == ["first", "second", "change", "span"]
    assert lines[0].split()[:3] == ["-", "10", "ms"]  # another service
    assert any(line.startswith("+") and "service1: GET" in line for line in lines)
    same = printed(capsys, "diff", FIRST, FIRST)[1:]
    assert all("+0 ns" in line for line in same)


# -- moving ------------------------------------------------------------------------------------------------------------


def test_what_is_exported_is_imported_again(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = str(tmp_path / "traces.jsonl")
    printed(capsys, "export", "--out", file)
    printed(capsys, "import", file, "--url", "memory://cli-other")
    assert held("memory://cli-other") == held(URL)
    assert printed(capsys, "list", "--url", file) == printed(capsys, "list")
    assert [json.loads(line)["trace"] for line in printed(capsys, "export", SECOND)] == [SECOND] * 3


def test_copying_again_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert main(["trace", "copy", URL, "memory://cli-other"]) == 0
        assert "copying done: 9 spans" in capsys.readouterr().err
    assert held("memory://cli-other") == held(URL)
    assert main(["trace", "copy", URL, "null://", "--error"]) == 0
    assert "copying done: 3 spans" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["report", "notifications", "lines", "spans"])
def test_files_of_several_kinds_are_read(form: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    spans = several(1)[0]
    notes = [note for span in spans for note in osprofiler.notes(span)]
    text = {
        "report": lambda: json.dumps(report(spans)),
        "notifications": lambda: json.dumps(notes),
        "lines": lambda: "\n".join(map(json.dumps, notes)),
        "spans": lambda: json.dumps([wire.as_object(span) for span in spans]),
    }[form]()
    (tmp_path / "file").write_text(text)
    printed(capsys, "import", str(tmp_path / "file"), "--url", "memory://cli-other")
    assert held("memory://cli-other") == merge(spans)


@pytest.mark.parametrize("text", ["", "[", "5", '[{"trace": 5}]', '{"a": 1}', "nothing\nof the kind"])
def test_a_file_without_traces_is_named(text: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text(text)
    for arguments in (("import", str(tmp_path / "file")), ("list", "--url", str(tmp_path / "file"))):
        assert main(["trace", *arguments]) == 1
        assert str(tmp_path / "file") in capsys.readouterr().err
    assert len(held(URL)) == 9


def test_traces_are_deleted(capsys: pytest.CaptureFixture[str]) -> None:
    printed(capsys, "delete", FIRST, uuid(SECOND))
    assert {span.trace for span in held(URL)} == {THIRD}


# -- a server ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[str]:
    parts = Parts(control(ReferenceKernel()), trace_store=lambda: urls.parse(URL))
    made = WebServer(lambda: application(parts, Access()))
    address = made.listen(urls.parse("http://127.0.0.1:0"))[0]
    made.start()
    yield f"http://{address}"
    made.stop()


def test_a_server_shows_what_its_store_does(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (("list",), ("list", "--error", "--service", "service0"), ("tree", FIRST), ("diff", FIRST, SECOND)):
        assert printed(capsys, *arguments, "--url", server) == printed(capsys, *arguments)
    assert main(["trace", "copy", server, "memory://cli-other"]) == 0
    assert held("memory://cli-other") == held(URL)
    assert main(["trace", "show", "no/body?", "--url", server]) == 1
    assert "there is no trace 'no/body?'" in capsys.readouterr().err
    printed(capsys, "delete", FIRST, "--url", server)
    assert FIRST not in {span.trace for span in held(URL)}


def test_a_server_that_takes_no_spans_says_so(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "copy", URL, server]) == 1
    assert "/api/v1/traces: " in capsys.readouterr().err


def test_no_server_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "list", "--url", "http://127.0.0.1:9"]) == 1
    assert "is a server running there" in capsys.readouterr().err


# -- durations and bars ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("duration", "text"),
    [(0, "0 ns"), (999, "999 ns"), (1500, "1.5 µs"), (12 * MS, "12 ms"), (999_600_000, "1000 ms"), (90 * 1000 * MS, "90 s")],
)
def test_durations_have_three_digits(duration: int, text: str) -> None:
    assert took(duration) == text


def test_bars_stand_where_a_span_was_at_work() -> None:
    assert bar(0, 10, 10, 4) == "████"
    assert bar(5, 5, 10, 4) == "  ██"
    assert bar(10, 0, 10, 4) == "   ▏"
    assert bar(0, 0, 0, 4) == "████"
    assert len(bar(9, 5, 10, 7)) == 7
    assert START > 0
