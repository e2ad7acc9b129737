"""Plugins written for their authors, and tried over recorded messages."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import runpy
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from nilometer.backends import registry
from nilometer.cli.main import main
from nilometer.cli.statistics.new import KINDS
from nilometer.core.errors import ConfigError, InputError
from nilometer.core.statistics import Message, RowQuery
from nilometer.statistics import catalog
from nilometer.statistics.authoring import recorded, rows
from nilometer.statistics.authoring.examples import EXAMPLES
from nilometer.statistics.authoring.making import made
from nilometer.statistics.authoring.written import module_of
from nilometer.statistics.tallying import tallied

if TYPE_CHECKING:
    from pathlib import Path

START = 1_767_571_200.0
ODD = ("", "a,b", 'c"d', "žluťoučký", "line\nbreak", "🌊", "A", "a", "a ", "a/b")
RAISING = """
from nilometer.statistics.kinds import Count


class ByAgent(Count):
    name = "agents"
    summary = "messages by agent"
    description = "How many messages there were of each agent."
    windows = ("1d",)
    keys = ("agent",)

    def key(self, message):
        return message.body["agent"]
"""
LATEST = """
from nilometer.statistics.kinds import LatestByKey


class Last(LatestByKey):
    name = "last"
    summary = "the last topic"
    description = "The last topic of each user."
    keys = ("user",)

    def key(self, message):
        return list(message.users)

    def text(self, message):
        return message.topic
"""


def fedmsg(number: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 whatever a message has
    found = {"msg_id": f"m{number}", "timestamp": START + number, "topic": "org.fedoraproject.prod.git.receive"}
    return found | {"msg": {"agent": f"agent-{number % 2}"}} | changes


def stored(tmp_path: Path, *messages: object) -> str:
    file = tmp_path / "messages.json"
    file.write_text("".join(f"{json.dumps(each)}\n" for each in messages))
    return str(file)


def plugin(tmp_path: Path, text: str = RAISING) -> str:
    file = tmp_path / "agents.py"
    file.write_text(text)
    return str(file)


# -- new ---------------------------------------------------------------------------------------------------------------


def test_each_kind_is_written_with_a_test_that_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tuple(EXAMPLES) == KINDS
    for kind in KINDS:
        assert main(["statistics", "new", f"My {kind}'s", "--kind", kind, "--to", str(tmp_path / "mine")]) == 0
        assert f"pytest {tmp_path}/mine/test_my_{kind}_s.py" in capsys.readouterr().out
        tests = runpy.run_path(f"{tmp_path}/mine/test_my_{kind}_s.py")
        called = [test for name, test in tests.items() if name.startswith("test_")]
        assert len(called) == 3
        for test in called:
            test()
    tidy = [sys.executable, "-m", "ruff", "format", "--isolated", "--check", str(tmp_path)]
    assert subprocess.run(tidy, capture_output=True, check=False).returncode == 0


def test_a_plugin_that_was_written_is_one_that_a_server_takes(tmp_path: Path) -> None:
    assert main(["statistics", "new", "orders, by shop.py", "--to", str(tmp_path)]) == 0
    found = catalog.statistics([str(tmp_path / "orders_by_shop.py")])
    assert [each.ident for each in found] == ["orders-by-shop-1d", "orders-by-shop-1m"]
    assert found[0].plugin.name == "orders, by shop"


def test_what_is_there_is_left_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "test_mine.py").write_text("x")
    assert main(["statistics", "new", "mine", "--to", str(tmp_path)]) == 2
    assert "test_mine.py is there already" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["test_mine.py"]
    assert main(["statistics", "new", "mine", "--to", str(tmp_path / "test_mine.py")]) == 1
    assert "cannot write" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", "5 a", "a/b", "../a", "a\nb", "class", "statistics", "nilometer", "a" * 81, "…"])
def test_a_name_that_makes_no_plugin_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        module_of(name)


# -- the rows ----------------------------------------------------------------------------------------------------------


def test_rows_are_those_that_a_store_serves(tmp_path: Path) -> None:
    messages = [
        Message(
            str(number),
            START + number * 7919.5,
            f"org.example.prod.{ODD[number % 3]}x.new",
            {"agent": ODD[number % len(ODD)], "seconds": number},
            {"users": [ODD[number % len(ODD)], ODD[number % 7]]},
            arrived=START + number * 7920,
            number=number,
        )
        for number in range(1, 80)
    ]
    every = catalog.statistics(["volume-by-user", "volume", "popularity", "delivery delay", "active users", "volume-by-agent"])
    every += catalog.statistics([plugin(tmp_path, LATEST)])
    found = tallied(every, messages)
    assert found.failures == []
    with contextlib.closing(registry.open(f"sqlite:///{tmp_path}/rows.db", registry.STATISTICS)) as store:
        for each in every:
            store.register(each.ident, each.plugin.kind, each.plugin.version)
        assert store.apply(found.tallies, 0, 99)
        for each in every:
            served = store.find_rows(each.ident, RowQuery(), 10_000).rows
            assert served
            assert made(found.tallies[each.ident]) == served, each.ident
            largest = store.find_rows(each.ident, RowQuery(top=2), 10_000).rows
            assert made(found.tallies[each.ident], 2) == largest, each.ident


def test_what_a_plugin_raises_reaches_its_test(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="agent"):
        rows(plugin(tmp_path), [Message("1", START, "x")])
    with pytest.raises(ConfigError, match="no such file"):
        rows(tmp_path / "none.py", [])


# -- recorded messages -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + json.dumps(fedmsg(1)) + "\r\n\n" + json.dumps(fedmsg(2)),
        json.dumps([fedmsg(1), fedmsg(2)], indent=1),
        json.dumps({"raw_messages": [fedmsg(1), fedmsg(2)], "total": 2}),
        json.dumps({"about": "x", "messages": [{"message": fedmsg(1)}, {"message": fedmsg(2), "n": 3}]}, indent=2),
    ],
)
def test_messages_are_read_from_lines_lists_and_answers_of_archives(text: str) -> None:
    found = recorded.read(text.encode(), 0)
    assert (found.wrong, found.again) == ([], 0)
    assert [(each.id, each.number, each.time) for each in found.messages] == [("m1", 1, START + 1), ("m2", 2, START + 2)]


def test_one_message_and_any_format_that_a_bus_brings() -> None:
    own = {"type": "table.create", "payload": {"message": {"text": "hello"}}}
    assert recorded.read(json.dumps(own, indent=2).encode(), 7.0).messages[0].time == 7.0
    oslo = {"message_id": "o1", "event_type": "table.create", "payload": {}, "publisher_id": "p", "priority": "INFO"}
    record = {"id": "f1", "topic": "a.b", "headers": {"fedora_messaging_schema": "x"}, "body": {}}
    lines = "\n".join(map(json.dumps, (own, oslo | {"timestamp": "2026-01-05 00:00:00"}, record, own)))
    found = recorded.read(lines.encode(), 7.0)
    assert [each.topic for each in found.messages] == ["table.create", "table.create", "a.b"]
    assert found.again == 1


def test_what_is_no_message_is_named_by_its_number_and_the_rest_counts() -> None:
    deep: Any = 1
    for _ in range(80):
        deep = [deep]
    lines = [json.dumps(fedmsg(1)), "{", "7", "NaN", json.dumps(fedmsg(2, timestamp="x")), json.dumps(fedmsg(3, msg=deep))]
    found = recorded.read("\n".join([*lines, json.dumps(fedmsg(9))]).encode() + b"\n\xff", 0)
    assert [each.number for each in found.messages] == [1, 7]
    assert [each.partition(":")[0] for each in found.wrong] == [f"message {number}" for number in (2, 3, 4, 5, 6, 8)]
    assert "timestamp" in found.wrong[3]
    listed = recorded.read(json.dumps([fedmsg(3, msg=deep), fedmsg(4)]).encode(), 0)
    assert "message 1: objects and lists lie" in listed.wrong[0]
    assert len(listed.messages) == 1


@pytest.mark.parametrize("data", [b"not json", b"[{}", b'[\n{"a": 1},\n', b"\xff", b"[" * 200_000])
def test_a_file_that_holds_no_messages_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="neither a list of messages nor"):
        recorded.read(data, 0)
    assert recorded.read(b"\n", 0).messages == []


# -- try ---------------------------------------------------------------------------------------------------------------


def test_rows_come_as_a_table_json_and_csv(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = stored(tmp_path, *(fedmsg(number) for number in (1, 2, 3, 3)))
    asked = ["statistics", "try", plugin(tmp_path), "--messages", file]
    assert main(asked) == 0
    shown = capsys.readouterr()
    assert [line.split() for line in shown.out.splitlines()[2:4]] == [
        ["2026-01-06T00:00:00Z", "agent-1", "2"],
        ["2026-01-06T00:00:00Z", "agent-0", "1"],
    ]
    assert shown.err == f"{file}: 3 messages; 1 came again, and count once\n"
    assert main([*asked, "--json", "--limit", "1"]) == 0
    row = {"timestamp": START + 86400, "agent": "agent-1", "volume": 2}
    assert json.loads(capsys.readouterr().out) | {"cursor": None} == {
        "ident": "agents-1d", "columns": ["timestamp", "agent", "volume"], "rows": [row], "cursor": None
    }  # fmt: skip
    assert main([*asked, "--csv"]) == 0
    written = capsys.readouterr().out
    assert list(csv.reader(io.StringIO(written)))[:2] == [
        ["statistic", "timestamp", "agent", "volume"],
        ["agents-1d", str(START + 86400), "agent-1", "2"],
    ]


def test_csv_has_the_columns_of_several_statistics(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["statistics", "try", "builtin", "--messages", stored(tmp_path, fedmsg(1)), "--csv"]
    assert main([*asked, "--only", "volume-1d", "--only", "volume-by-agent-1d"]) == 0
    found = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(each["statistic"], each["volume"], each["agent"]) for each in found] == [
        ("volume-1d", "1", ""),
        ("volume-by-agent-1d", "1", "agent-1"),
    ]


def test_what_a_plugin_raises_is_named_with_the_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = stored(tmp_path, fedmsg(1), {"nothing": 1}, fedmsg(3, msg={"x": 1}), fedmsg(4))
    mine = plugin(tmp_path)
    assert main(["statistics", "try", mine, "--messages", file, "--json"]) == 1
    shown = capsys.readouterr()
    assert [row["agent"] for row in json.loads(shown.out)["rows"]] == ["agent-1"]
    first, second, third = shown.err.splitlines()
    assert first == (
        f"nilometer: {mine}: agents-1d stopped at message 3 (id m3, topic org.fedoraproject.prod.git.receive): "
        "KeyError: 'agent' (key, line 13)"
    )
    assert second.startswith(f"nilometer: {file}: message 2: no event of a known format")
    assert third == f"{file}: 3 messages; 1 are none"


def test_a_plugin_that_cannot_show_its_rows_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = plugin(tmp_path, RAISING + "\n    def rows(self, rows):\n        return [each.no for each in rows]\n")
    assert main(["statistics", "try", mine, "--messages", stored(tmp_path, fedmsg(1))]) == 1
    assert "agents-1d: its plugin cannot show its rows: AttributeError" in capsys.readouterr().err


def test_wrong_use_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = stored(tmp_path, fedmsg(1))
    assert main(["statistics", "try", "volumee", "--messages", file]) == 2
    assert "did you mean 'volume'" in capsys.readouterr().err
    assert main(["statistics", "try", "volume", "--messages", file, "--only", "volume-1x"]) == 2
    assert "it makes volume-1d" in capsys.readouterr().err
    assert main(["statistics", "try", "volume", "--messages", file, "--json", "--csv"]) == 2
    (tmp_path / "text").write_text("hello")
    assert main(["statistics", "try", "volume", "--messages", str(tmp_path / "text")]) == 1
    assert "text: holds neither a list" in capsys.readouterr().err
    assert main(["statistics", "try", "volume", "--messages", f"{tmp_path}/none"]) == 2
    assert "none: No such file" in capsys.readouterr().err
