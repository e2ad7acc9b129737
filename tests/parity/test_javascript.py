"""What Node makes of the same texts and values: literals of configuration files, and dumps of `util.inspect`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from nilometer.core.errors import ConfigError
from nilometer.core.wire.inspect import Style, inspect
from nilometer.core.wire.number import to_text
from nilometer.ingest.statsd.literal import read
from nilometer.testing.javascript import evaluate

if TYPE_CHECKING:
    from nilometer.core.wire.inspect import Tree
    from nilometer.ingest.statsd.mode import Json

EVALUATED = """(() => {
  const there = (v) => Object.entries(v).filter(([, item]) => item !== undefined);
  const plain = (v) => Array.isArray(v) ? v.map(plain)
    : v === null || typeof v === 'boolean' ? v
    : typeof v === 'number' ? ['number', String(v)]
    : typeof v === 'string' ? ['text', v]
    : Object.fromEntries(there(v).map(([key, item]) => ['.' + key, plain(item)]));
  const read = (text) => { try { return plain(eval('config = ' + text)); } catch (e) { return ['error', String(e)]; } };
  return input.map(read);
})()"""
SHOWN = "input.map(([value, depth, colors]) => require('util').inspect(value, { depth, colors }))"

gap = st.sampled_from(["", " ", "\n", "\t", "// x\n", "/* } */", "\u00a0", "\r\n"])


def plain(value: Json) -> object:
    """Return a value in the form that node answers in."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {f".{key}": plain(item) for key, item in value.items()}
    if isinstance(value, str):
        return ["text", value]
    return value if isinstance(value, bool) or value is None else ["number", to_text(value)]


numbers = st.one_of(
    st.integers(0, 10**25).map(str),
    st.floats(0, allow_nan=False, allow_infinity=False).map(to_text),
    st.integers(0, 1 << 60).map(hex),
    st.integers(0, 1 << 60).map(oct),
    st.integers(0, 1 << 60).map(bin),
    st.from_regex(
        r"(0|[1-9][0-9]{0,3})\.[0-9]{0,3}([eE][+-]?[0-9]{1,2})?|\.[0-9]{1,4}|0[0-7]{1,4}|0[89][0-9]{0,3}|[1-9](_[0-9]){1,3}",
        fullmatch=True,
    ),
    st.sampled_from(["Infinity", "NaN", "1e999", "5e-324"]),
)
escapes = st.sampled_from(
    [r"\n", r"\x41", r"\u00e9", r"\u{1F600}", r"\ud83d\ude00", r"\0", r"\101", r"\8", r"\q", "\\\n", "\\\r\n", r"\\"]
)
signs = st.characters(exclude_categories=["Cs"], exclude_characters="'\"\\\n\r")
texts = st.tuples(st.sampled_from("'\""), st.lists(signs | escapes, max_size=6)).map(
    lambda part: part[0] + "".join(part[1]) + part[0]
)
joined = st.tuples(texts, gap, numbers | texts).map(lambda part: f"{part[0]}{part[1]}+{part[2]}")
leaves = (
    numbers
    | st.builds("{}{}".format, st.sampled_from("+-"), numbers)
    | texts
    | joined
    | st.sampled_from(["true", "false", "null"])
)
names = (
    st.sampled_from(["a", "$b", "_c1", "if", "é", "a\u0301", "constructor"])
    | texts
    | numbers.filter(lambda text: text[0].isdigit())
)


def listed(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    entry = st.tuples(gap, inner, gap).map("".join)
    return st.tuples(st.lists(entry, max_size=3), st.booleans()).map(
        lambda part: "[" + ",".join(part[0]) + ("," if part[1] and part[0] else "") + "]"
    )


def keyed(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    entry = st.tuples(gap, names, gap, st.just(":"), gap, inner | st.just("undefined"), gap).map("".join)
    return st.tuples(st.lists(entry, max_size=3), st.booleans()).map(
        lambda part: "{" + ",".join(part[0]) + ("," if part[1] and part[0] else "") + "}"
    )


literals = st.recursive(leaves, lambda inner: listed(inner) | keyed(inner) | inner.map("({})".format), max_leaves=12)
words = ["'b'", '"c"', "1", "0777", ".5", "0x1f", "1e3", "NaN", "null", "undefined", "//\n", "/*", "*/", ".split('.')", "[0]"]
tokens = st.sampled_from([*"{}[](),:;+-a\n \\", "__proto__", *words])
several = settings(max_examples=8, phases=[Phase.explicit, Phase.generate])
"""One process of Node answers a whole list, so an example is a list, which nothing is gained by making smaller."""


@several
@given(st.lists(literals, min_size=60, max_size=60))
def test_a_literal_is_read_as_node_evaluates_it(texts: list[str]) -> None:
    for text, expected in zip(texts, as_list(evaluate(EVALUATED, texts)), strict=True):
        assert plain(read(text, "x").value) == expected, text


@several
@given(st.lists(st.lists(tokens, max_size=9).map("".join), min_size=60, max_size=60))
def test_what_is_read_of_any_text_is_what_node_evaluates(texts: list[str]) -> None:
    accepted = {}
    for text in texts:
        try:
            accepted[text] = plain(read(text, "x").value)
        except ConfigError:
            continue
    if accepted:
        assert as_list(evaluate(EVALUATED, list(accepted))) == list(accepted.values())


def as_list(found: object) -> list[object]:
    assert isinstance(found, list)
    return found


keys = st.text("abz_.'\"`\n\x7f1-é", min_size=1, max_size=12).filter(lambda key: not key.isdigit())
scalars = st.integers(-(10**6), 10**12) | st.floats(allow_nan=False, allow_infinity=False) | st.text("ab'\"`\\\t", max_size=20)
lists = st.lists(st.integers(0, 10**6) | st.floats(0, 1000), max_size=120) | st.lists(st.text("abc", max_size=14), max_size=30)
trees: st.SearchStrategy[Tree] = st.recursive(
    scalars | lists | st.booleans() | st.none(),
    lambda inner: st.dictionaries(keys, inner, max_size=6) | st.lists(inner, max_size=4),
    max_leaves=14,
)


@several
@given(st.lists(st.tuples(trees, st.sampled_from([0, 2, 5, None]), st.booleans()), min_size=60, max_size=60))
def test_values_are_shown_as_node_does(cases: list[tuple[Tree, int | None, bool]]) -> None:
    for (value, depth, colours), expected in zip(cases, as_list(evaluate(SHOWN, cases)), strict=True):
        assert inspect(value, Style(depth, colours)) == expected


@pytest.mark.parametrize(
    ("value", "text"), [(-0.0, "-0"), (math.nan, "NaN"), (-math.inf, "-Infinity"), ("\ud800", "'\\ud800'")]
)
def test_what_json_cannot_carry_is_shown_too(value: Tree, text: str) -> None:
    assert inspect(value) == text
