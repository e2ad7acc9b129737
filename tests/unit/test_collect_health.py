"""Health checks: what answers mean, and the gauges made of them."""

from __future__ import annotations

import json
import re
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nilometer.collect.health import Check, Checked, Checker, Health, judge, samples
from nilometer.core.errors import Unavailable


def gauges(status: int, body: object, name: str = "health.x") -> dict[str, float]:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return {each.stat: each.value for each in samples([Checked(name, judge(status, text))])}


def test_magnetodbs_answer_has_the_names_of_its_own_metrics() -> None:
    answer = {"API": "OK", "Identity": "Not Implemented", "Storage": "ERROR", "Messaging": "OK"}
    found = list(samples([Checked("magnetodb.health", judge(503, json.dumps(answer).encode()))], "host1"))
    assert {each.stat: each.value for each in found} == {
        "host1.magnetodb.health.all": 0,
        "host1.magnetodb.health.api": 1,
        "host1.magnetodb.health.storage": 0,
        "host1.magnetodb.health.messaging": 1,
    }
    assert {type(each.value) for each in found} == {int}
    assert gauges(200, {"API": "OK"}) == {"health.x.all": 1, "health.x.api": 1}


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"status": "UP", "components": {"db": {"status": "DOWN"}}}, {"all": 0, "status": 1, "components.db.status": 0}),
        ({"status": "pass", "version": "1"}, {"all": 1, "status": 1}),
        ({"checks": {"cassandra:time": [{"status": "warn", "observedValue": 250}]}}, {"all": 1, "checks.*.0.status": 1}),
        ({"a": True, "b": False, "c": None, "d": 0, "e": 1, "f": "1.2.3"}, {"all": 0, "a": 1, "b": 0}),
        ({"status": "green", "timed_out": False}, {"all": 1, "status": 1, "timed_out": 1}),
        ({"initialized": True, "sealed": False, "standby": False}, {"all": 1, "initialized": 1, "sealed": 1}),
        ({"db": "true", "hasErrors": True, "isLeader": "no", "readOnly": False}, {"all": 0, "db": 1, "haserrors": 0}),
        ({"state": "Out of service"}, {"all": 0, "state": 0}),
        ("OK", {"all": 1, "answer": 1}),
        (False, {"all": 0, "answer": 0}),
        ([], {"all": 1}),
        ({"all": "down", "ALL": "ok"}, {"all": 0}),
        ({"A": "ok", "a": "down"}, {"all": 0, "a": 1}),
    ],
)
def test_words_and_booleans_are_found_wherever_they_stand(body: object, wanted: dict[str, int]) -> None:
    found = {stat.removeprefix("health.x."): value for stat, value in gauges(200, body).items()}
    assert len(found) == len(wanted)
    for name, value in wanted.items():
        before, star, behind = name.partition("*")
        assert [value] == [
            v for stat, v in found.items() if (stat.startswith(before) and stat.endswith(behind) if star else stat == name)
        ]


@pytest.mark.parametrize(
    ("status", "body", "up"),
    [
        (200, b"OK\n", 1),
        (204, b"", 1),
        (200, b"<html>hello", 1),
        (200, b"down", 0),
        (500, b"OK", 0),
        (404, b"not found", 0),
        (302, b"", 0),
    ],
)
def test_an_answer_that_is_no_json_has_its_status_and_perhaps_a_word(status: int, body: bytes, up: int) -> None:
    assert gauges(status, body)["health.x.all"] == up


def test_what_is_down_is_said() -> None:
    assert judge(503, b'{"db": "DOWN", "b": "up"}').reason == "down: db"
    assert judge(503, b'{"b": "up"}').reason == "it answers 503"
    assert judge(200, b'{"b": "up"}').reason == ""


@pytest.mark.parametrize("body", [b"[" * 500_000, b'{"a":' * 100_000, b"9" * 10_000, b"\xff\xfe\x00", b'{"a": NaN}'])
def test_whatever_is_answered_nothing_breaks(body: bytes) -> None:
    assert gauges(200, body) == {"health.x.all": 1}


def test_an_answer_is_bounded_in_size_depth_states_and_names() -> None:
    assert judge(200, b" " * (1 << 20) + b"1") == Health(up=False, parts={}, reason="it answers with more than 1048576 bytes")
    assert len(gauges(200, {f"k{number}": "ok" for number in range(5000)})) == 201
    deep: object = "down"
    for _ in range(20):
        deep = {"k": deep}
    assert gauges(200, deep) == {"health.x.all": 1}
    long = gauges(200, {"k" * 10_000: "ok", "a\nb:1|c": "ok", "": "ok", "ä.b": "ok"})
    assert all(len(stat) < 130 and not set(stat) & set(" \n:|@#") for stat in long)
    assert len(long) == 5


def test_a_system_that_does_not_answer_is_down_and_the_others_are_asked() -> None:
    go = threading.Event()

    def away() -> tuple[int, bytes]:
        message = "http://a: no answer"
        raise Unavailable(message)

    def hang() -> tuple[int, bytes]:
        go.wait(30)
        return 200, b"OK"

    checks = [Check("a", away), Check("b", lambda: (200, b'{"x": "ok"}')), Check("c", hang)]
    checker = Checker(checks, seconds=0.2)
    for _ in range(2):
        assert checker.run(threading.Event()) == [
            Checked("a", Health(up=False, parts={}, reason="http://a: no answer")),
            Checked("b", Health(up=True, parts={("x",): True})),
            Checked("c", Health(up=False, parts={}, reason="no answer within 0.2 s")),
        ]
    go.set()


def test_a_check_that_is_broken_off_says_nothing_of_who_was_not_asked() -> None:
    stop = threading.Event()
    stop.set()
    assert Checker([Check("a", lambda: (200, b""))]).run(stop) in ([], [Checked("a", Health(up=True, parts={}))])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["UP", "down", "ok", "true"]),
    lambda inside: st.lists(inside) | st.dictionaries(st.text() | st.sampled_from(["status", "timed_out"]), inside),
)


@settings(max_examples=40)
@given(JSON, st.integers(100, 599))
def test_any_json_makes_gauges_that_every_server_takes(found: object, status: int) -> None:
    made = gauges(status, found)
    assert set(made.values()) <= {0, 1}
    assert all(re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", stat) for stat in made)
    down = [stat for stat, value in made.items() if not value and stat != "health.x.all"]
    assert not made["health.x.all"] or (200 <= status < 300 and not down)
