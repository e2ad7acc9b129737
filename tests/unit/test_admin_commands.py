"""The commands of the admin interface, without a socket."""

from __future__ import annotations

import math

import pytest

from nilometer.core.settings import load
from nilometer.ingest._reference import ReferenceKernel
from nilometer.ingest.admin import control as bounds
from nilometer.ingest.admin.commands import Commands, to_json
from nilometer.ingest.relay.relay import TargetStatus
from nilometer.ingest.statsd.mode import StatsdMode
from nilometer.testing.control import control, status

STATSD = StatsdMode(backends=("graphite", "console"), config={"a": None, "b": [1, None, [2, [3]]], "c": {"d": {}, "e": True}})


@pytest.fixture
def kernel() -> ReferenceKernel:
    return ReferenceKernel()


def answer(kernel: ReferenceKernel, *commands: str, statsd: StatsdMode | None = STATSD) -> str:
    asked = Commands(control(kernel, statsd))
    return "".join(asked.answer(command) or "(end)" for command in commands)


def test_sets_can_be_seen_and_deleted_in_statsds_place_too(kernel: ReferenceKernel) -> None:
    kernel.feed(b"u:x|s:y|s\nv:1|s", dialect="statsd")
    assert answer(kernel, "sets", "delsets u w", "sets") == (
        "{ u: [ 'x', 'y' ], v: [ '1' ] }\nEND\n\ndeleted: u\nmetric w not found\nEND\n\n{ v: [ '1' ] }\nEND\n\n"
    )


def test_statsds_own_counters_stand_before_the_clients(kernel: ReferenceKernel) -> None:
    kernel.feed(b"a:1|c\nbad", dialect="statsd")
    assert answer(kernel, "counters") == (
        "{\n  'statsd.bad_lines_seen': 1,\n  'statsd.packets_received': 1,\n  'statsd.metrics_received': 2,\n  a: 1\n}\nEND\n\n"
    )


def test_statsds_own_counters_cannot_be_deleted(kernel: ReferenceKernel) -> None:
    assert answer(kernel, "delcounters statsd.*") == "metric statsd.* not found\nEND\n\n"


def test_a_long_list_is_cut_where_node_cuts_it(kernel: ReferenceKernel) -> None:
    kernel.feed(b"t" + b":1|ms" * 2500, dialect="statsd")
    assert "... 2400 more items\n" in answer(kernel, "timers")


def test_a_dump_is_bounded_and_says_so(kernel: ReferenceKernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_SERIES", 2)
    kernel.feed(b"a:1|g\nb:1|g\nc:1|g", dialect="statsd")
    assert answer(kernel, "gauges") == "{ a: 1, b: 1 }\n... 1 more\nEND\n\n"
    assert '"count":3' in answer(kernel, "gauges", statsd=None)


def test_values_of_the_file_are_shown_as_javascript_writes_them(kernel: ReferenceKernel) -> None:
    assert answer(kernel, "config") == "\nb > 0: 1\nb > 1: null\nb > 2: 2,3\nc > d: [object Object]\nc > e: true\n"


def test_our_own_settings_are_shown_as_toml(kernel: ReferenceKernel) -> None:
    text = answer(kernel, "config", statsd=None)
    assert "[flush]\ninterval = " in text
    assert text.endswith("END\n\n")


def test_stats_tell_what_is_lost_and_who_talks(kernel: ReferenceKernel) -> None:
    kernel.feed(b"a:1|c\nb:1|c:2|c\nx\x1b", "10.0.0.1:5")
    sink = status("graphite://db", written=4, last_success=0.0)
    text = Commands(control(kernel, sinks=[sink])).answer("stats")
    assert text is not None
    lines = text.splitlines()
    assert lines[2:6] == ["messages.bad_lines_seen: 1", "messages.packets: 1", "messages.lines: 3", "messages.bytes: 18"]
    assert "graphite://db.written: 4" in lines
    assert "graphite://db.last_exception: never" in lines
    assert "top.name: 2 counter b" in lines
    assert "top.source: 3 10.0.0.1" in lines
    assert "top.bad_line: 1 10.0.0.1 no value: x\\x1b" in lines


def test_only_a_ring_has_a_status(kernel: ReferenceKernel) -> None:
    settings = load(None, {}, {"relay.mode": "ring"})
    targets = [TargetStatus(f"udp://{node}", node != "b:2", 0, 0, 0, "", node) for node in ("a:1", "b:2", "::1:3")]
    ring = Commands(control(kernel, settings=settings, relay=targets))
    assert ring.answer("status") == "uptime: 0\nnodes: a:1 ::1:3 \n"
    assert "health, status, config" in str(ring.answer("help"))
    assert answer(kernel, "status", statsd=None) == answer(kernel, "status") == "ERROR\n"
    assert "status" not in answer(kernel, "help", statsd=None) + answer(kernel, "help")


def test_numbers_that_are_not_finite_are_null_in_json() -> None:
    assert to_json({"a": [1.5, math.inf], "b": {"c": math.nan}}) == '{"a":[1.5,null],"b":{"c":null}}'
