"""The reader of statsd's files: JavaScript's literals, and nothing that would have to be executed."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.errors import ConfigError
from nilometer.ingest.statsd.literal import DEEPEST, read

EXAMPLE = """\
/*
Graphite Required Variable: { not: 'read' }
*/
{
  graphitePort: 2003 // carbon
, graphiteHost: "graphite.example.com"
, port: 8125
, backends: [ "./backends/graphite", ]
, graphite: { globalSuffix: require('os').hostname().split('.')[0] },
}
"""


def test_a_file_as_statsd_ships_it() -> None:
    found = read(EXAMPLE, "config.js", lambda: "web7.example.com")
    assert found.value == {
        "graphitePort": 2003,
        "graphiteHost": "graphite.example.com",
        "port": 8125,
        "backends": ["./backends/graphite"],
        "graphite": {"globalSuffix": "web7"},
    }
    assert found.place("graphiteHost") == "config.js:6:17"
    assert found.place("backends[0]") == "config.js:8:15"
    assert found.place("elsewhere") == "config.js"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("({a: 1});", {"a": 1}),
        ("module.exports = {};", {}),
        ("{a: 'x' + 1 + 2, b: 1 + 2 + 'x', c: ('a' + 'b')}", {"a": "x12", "b": "3x", "c": "ab"}),
        ("{a: require(\"node:os\").hostname() + '-a'}", {"a": "web7.example.com-a"}),
        ("{a: 'a.b.c'.split('.')}", {"a": ["a", "b", "c"]}),
        ("{a: undefined, b: null}", {"b": None}),
        ("{mode: 0770, hex: 0xff, big: 1_000, dot: .5, end: 5., neg: -1e3}", None),
        (
            r"{a: '\x41\u0042\u{43}\104\n\
\q'}",
            {"a": "ABCD\nq"},
        ),
        (r"{a: '\ud83d\ude00'}", {"a": "\N{GRINNING FACE}"}),
        ("\ufeff{a: 1}", {"a": 1}),
    ],
)
def test_what_is_read(text: str, value: object) -> None:
    found = read(text, "config.js", lambda: "web7.example.com").value
    assert found == ({"mode": 0o770, "hex": 255, "big": 1000, "dot": 0.5, "end": 5, "neg": -1000} if value is None else value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "config.js:1:1: expected an object of keys and values"),
        ("// nothing\n", "config.js:2:1: expected an object"),
        ("{a: 1", "config.js:1:6: expected , or }; found the end of the file"),
        ("{a: 1 b: 2}", "config.js:1:7: expected , or }; found 'b'"),
        ("{\n  a: process.env.X\n}", "config.js:2:6: expected a value: a text, a number"),
        ("{a: process.env.X}", "nothing in the file is executed"),
        ("{a: `x`}", "nothing in the file is executed"),
        ("{a: function () {}}", "found 'function'"),
        ("{a: require('fs')}", "expected require('os').hostname(), the only thing"),
        ("{a: require('os').cpus()}", "expected require('os').hostname(): hostname here; found 'cpus'"),
        ("{a: 'x'.length}", "expected nothing, or .split('.')"),
        ("{a: 'a.b'.split('.')[2]}", "expected the number of a part, from 0 to 1; found '2]}'"),
        ("{a: 'a'.split('')}", "expected a text of one or more characters"),
        ("{a: 1n}", "expected a number; found '1n}'"),
        ("{a: 07.5}", "expected , or }; found '.5}'"),
        ("{a: -'1'}", "config.js:1:6: expected a number"),
        ("{a: 1 + true}", "config.js:1:9: expected a text or a number; found 'true'"),
        ("{a: [1] + [2]}", "expected , or }; found '+'"),
        ("[1,, 2]", "expected a value: a text"),
        ("[undefined]", "expected a value: a text"),
        ("undefined", "expected a value: a text"),
        ("{a}", "expected : and a value after the key 'a'; found '}'"),
        ("{__proto__: 1}", "expected another key"),
        ("{a: 'x\ny'}", "expected a text that ends in ' on the same line"),
        (r"{a: '\xg'}", r"config.js:1:6: expected hexadecimal digits"),
        (r"{a: '\u{110000}'}", "a character's number of at most 10FFFF"),
        (r"{a: '\ud83d'}", "one half of a pair of surrogates"),
        ("{a: 1} /* open", "config.js:1:8: expected */ at the end of this comment"),
        ("{a: 1}}", "config.js:1:7: expected the end of the file"),
        ("[" * (DEEPEST + 2), f"expected at most {DEEPEST} levels"),
        ("(" * (DEEPEST + 2), f"expected at most {DEEPEST} levels"),
        ("{a: \x1b}", "found '\\x1b}'"),
    ],
)
def test_what_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(text, "config.js")
    assert reason in str(refused.value)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\u2028"])
def test_lines_end_as_in_javascript(end: str) -> None:
    with pytest.raises(ConfigError, match=r"config\.js:3:3: "):
        read(f"{{ // x{end}a: 1,{end}  ?}}", "config.js")


VALUES: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 53), 1 << 53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text().filter(lambda key: key != "__proto__"), inner),
    max_leaves=20,
)


@given(VALUES)
def test_json_is_read_as_it_is(value: object) -> None:
    assert read(json.dumps(value), "x").value == value
    assert read(json.dumps(value, ensure_ascii=False, indent=1), "x").value == value


@given(st.text() | st.text("{}[](),:+-.'\"\\/*0x1e_nu \n$a;"))
def test_any_text_is_read_or_refused_with_its_place(text: str) -> None:
    try:
        read(text, "x")
    except ConfigError as error:
        place = str(error).partition(": expected ")[0].split(":")
        assert place[0] == "x"
        assert 1 <= int(place[1]) <= text.count("\n") + text.count("\r") + text.count("\u2028") + text.count("\u2029") + 1
        assert 1 <= int(place[2]) <= len(text) + 1


@pytest.mark.parametrize(
    "text",
    [
        "{a: " + "1" * 1_000_000 + "}",
        "{a: 0x" + "f" * 1_000_000 + "}",
        "{a: '" + r"\n" * 400_000 + "'}",
        "/*" * 500_000,
        "{a: 'a.b'" + ".split('.')[0]" * 60_000 + "}",
        "{" + "k" * 500_000 + ": [" + "1," * 100_000 + "]}",
    ],
)
def test_a_large_file_costs_no_more_than_its_size(text: str) -> None:
    try:
        found = read(text, "x")
    except ConfigError:
        return
    assert sum(map(len, found.places)) < 2 * len(text) + (1 << 20)


def test_numbers_beyond_every_number_are_infinite() -> None:
    assert read("{a: 1e999, b: -Infinity, c: NaN}", "x").value == pytest.approx(
        {"a": math.inf, "b": -math.inf, "c": math.nan}, nan_ok=True
    )
