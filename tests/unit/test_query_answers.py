"""Requests of Graphite's clients become answers; what cannot be answered is text with status 400."""

from __future__ import annotations

import json
import struct
import sys
import zlib
from typing import Any

import pytest

from nilometer.query import answers, picture
from nilometer.testing.series import Shelf

START = 1_000_000
SHELF = Shelf(
    {
        "a.one": {START + 10 * place: float(place) for place in range(13)},
        "a.two": {START + 60: 2.5},
        "a.two.deep": {START + 60: 1.0},
        "hits;dc=east": {START: 1.0},
    }
)
RANGE = [("from", str(START)), ("until", str(START + 60)), ("now", str(START + 600))]


def render(target: str, **options: str) -> answers.Answer:
    return answers.render(SHELF, [("target", target), *RANGE, *options.items()])


def test_json_shows_values_with_their_times() -> None:
    answer = render("a.one", format="json")
    (series,) = json.loads(answer.body)
    assert (answer.status, answer.kind) == (200, "application/json")
    assert series == {
        "target": "a.one",
        "tags": {"name": "a.one"},
        "datapoints": [[float(place), START + 10 * place] for place in range(1, 7)],
    }


def test_json_shows_as_many_points_as_are_asked_for() -> None:
    assert (
        json.loads(render("a.one", format="json", maxDataPoints="3").body)[0]["datapoints"]
        == [
            [1.5, START + 20],
            [3.5, START + 40],
            [5.5, START + 60],
        ]
        or json.loads(render("a.one", format="json", maxDataPoints="3").body)[0]["datapoints"]
    )
    assert json.loads(render("a.two", format="json", noNullPoints="1").body)[0]["datapoints"] == [[2.5, START + 60]]
    assert json.loads(render("a.gone", format="json").body) == []


def test_a_picture_has_the_size_and_the_colours_asked_for() -> None:
    drawn = render("color(a.one,'red')", title="One", width="400", height="200")
    assert drawn.kind == "image/png"
    width, height, colours = pixels(drawn.body)
    assert (width, height) == (400, 200)
    assert {(255, 255, 255), (255, 0, 0)} <= colours
    assert any(max(colour) < 0x50 for colour in colours), "labels are dark"


def pixels(png: bytes) -> tuple[int, int, set[tuple[int, int, int]]]:
    """Return width, height and colours of a PNG of 8-bit RGBA, decoded with the standard library alone."""
    width, height, depth, kind = struct.unpack(">IIBB", png[16:26])
    assert (png[:8], depth, kind) == (b"\x89PNG\r\n\x1a\n", 8, 6)
    data, place = b"", 8
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        data += png[place + 8 : place + 8 + length] if png[place + 4 : place + 8] == b"IDAT" else b""
        place += length + 12
    raw, row, colours = zlib.decompress(data), bytearray(width * 4), set()
    for line in range(height):
        start = line * (width * 4 + 1)
        row = unfiltered(raw[start], raw[start + 1 : start + 1 + width * 4], row)
        colours |= {(row[at], row[at + 1], row[at + 2]) for at in range(0, len(row), 4)}
    return width, height, colours


def unfiltered(method: int, line: bytes, above: bytearray) -> bytearray:
    """Return a line of a PNG as it was before it was filtered: https://www.w3.org/TR/png-3/#9Filters."""
    row = bytearray(line)
    for at, value in enumerate(line):
        left, up, corner = (row[at - 4] if at > 3 else 0), above[at], (above[at - 4] if at > 3 else 0)
        guess = left + up - corner
        near = min((left, up, corner), key=lambda each: abs(guess - each))
        row[at] = (value + (0, left, up, (left + up) // 2, near)[method]) & 0xFF
    return row


def test_a_picture_without_its_library_or_a_font_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "FOLDERS", ())
    picture._font.cache_clear()
    assert b"apt-get install fonts-dejavu-core" in render("a.one").body
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    answer = render("a.one")
    assert (answer.status, b"pip install resvg-py" in answer.body) == (400, True)


def test_text_and_charts() -> None:
    assert render("a.one", format="raw").body == b"a.one,1000010,1000070,10|1.0,2.0,3.0,4.0,5.0,6.0\n"
    assert render("a.two", rawData="1").body.startswith(b"a.two,")
    assert render("a.one", format="csv", tz="Asia/Tokyo").body.splitlines()[0] == b"a.one,1970-01-12 22:46:50,1.0"
    drawn = render("color(alias(a.one,'<x>'),'red')", format="svg", title="T & U", width="400")
    assert drawn.kind == "image/svg+xml"
    assert all(piece in drawn.body for piece in (b"&lt;x&gt;", b"T &amp; U", b'width="400"', b"#ff0000"))
    assert json.loads(render("a.one", format="dygraph").body)["labels"] == ["Time", "a.one"]
    assert json.loads(render("a.one", format="rickshaw").body)[0]["datapoints"][0] == {"x": START + 10, "y": 1.0}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"format": "pickle"}, b"format=pickle is not to be had"),
        ({"format": "json", "jsonp": "steal"}, b"jsonp"),
        ({"format": "json", "from": "soon"}, b"'soon' is no time"),
        ({"format": "json", "from": "now", "until": "now"}, b"is empty"),
        ({"format": "json", "xFilesFactor": "x"}, b"xFilesFactor='x' is no number"),
        ({"format": "svg", "width": "wide"}, b"width='wide' is no whole number"),
    ],
)
def test_what_cannot_be_rendered_is_named(options: dict[str, str], problem: bytes) -> None:
    answer = render("a.one", **options)
    assert (answer.status, answer.kind) == (400, "text/plain; charset=utf-8")
    assert problem in answer.body


def told(answer: answers.Answer) -> Any:  # noqa: ANN401 whatever JSON can hold
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def test_nodes_in_their_forms() -> None:
    def find(*pairs: tuple[str, str]) -> Any:  # noqa: ANN401 whatever JSON can hold
        return told(answers.find(SHELF, [("query", "a.*"), *pairs]))

    assert [(node["id"], node["leaf"]) for node in find()] == [("a.two", 0), ("a.one", 1)]
    assert find(("wildcards", "1"))[0]["id"] == "a.*"
    assert [node["path"] for node in find(("format", "completer"))["metrics"]] == ["a.one", "a.two.", "a.two"]
    assert {"path": "a.one", "is_leaf": True} in find(("format", "json"))
    assert find(("format", "nodelist"), ("position", "0")) == {"nodes": ["a"]}
    assert told(answers.expand(SHELF, [("query", "a.t*"), ("query", "a.o*")])) == {"results": ["a.one", "a.two"]}
    assert "hits;dc=east" in told(answers.index(SHELF, []))


def test_tags() -> None:
    assert told(answers.tags(SHELF, [])) == [{"tag": "dc"}, {"tag": "name"}]
    assert told(answers.tag(SHELF, "dc", [])) == {"tag": "dc", "values": [{"value": "east", "count": 1}]}
    assert told(answers.tag(SHELF, "host", [])) is None
    assert told(answers.find_series(SHELF, [("expr[]", "dc=~e")])) == ["hits;dc=east"]
    assert told(answers.complete_tags(SHELF, [("expr", "dc=east")])) == ["name"]
    assert told(answers.complete_values(SHELF, [("tag", "dc"), ("valuePrefix", "e")])) == ["east"]


@pytest.mark.parametrize(
    "answer",
    [
        answers.find(SHELF, []),
        answers.find(SHELF, [("query", "*"), ("format", "pickle")]),
        answers.find(SHELF, [("query", "*"), ("position", "first")]),
        answers.find_series(SHELF, []),
        answers.find_series(SHELF, [("expr", "dc")]),
        answers.complete_values(SHELF, []),
        answers.tags(SHELF, [("limit", "-1")]),
        answers.tags(SHELF, [("filter", "(")]),
    ],
)
def test_what_cannot_be_found_is_named(answer: answers.Answer) -> None:
    assert answer.status == 400
    assert answer.body


def test_functions_are_told() -> None:
    everything = told(answers.functions([]))
    assert everything["scale"]["params"][1] == {"name": "factor", "type": "float", "required": True}
    assert set(told(answers.functions([("group", "Sorting")]))) == {
        "sortBy",
        "sortByName",
        "sortByTotal",
        "sortByMaxima",
        "sortByMinima",
    }
    assert "sumSeries" in told(answers.functions([("grouped", "1")]))["Combine"]
    assert b'"default": 1e9999' in answers.function("keepLastValue", []).body
    assert answers.function("nothing", []).status == 404


def test_functions_are_told_for_people_to_read() -> None:
    pretty, plain = answers.functions([("pretty", "1")]), answers.functions([])
    assert told(pretty) == told(plain)
    assert pretty.body.startswith(b'{\n  "absolute": {\n    "description": ')
    assert answers.function("scale", [("pretty", "1")]).body.startswith(b'{\n  "description": ')
    assert told(answers.version()) == answers.VERSION
