"""Targets are read as Graphite reads them, and what cannot be read is named."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.query.limits import MOST_DEPTH, MOST_TARGET_LENGTH, QueryError, TooMuch
from nilometer.query.parse import Call, Literal, Path, Template, first_path, parse


@pytest.mark.parametrize(
    "text",
    [
        "a.b.c",
        "a.*.c?[0-9]",
        "servers.{web,db}01.cpu-{user,system}",
        "requests;dc=east;code=500",
        "1min.load",
        "5.x",
        "trueish.x",
        "none.x",
        "a:b/c%d$e~f+g",
        "straße.übung",
    ],
)
def test_paths(text: str) -> None:
    assert parse(text) == Path(text)


def test_signs_may_be_escaped_in_paths() -> None:
    assert parse(r"a\(b\).c\,d\=e\\") == Path(r"a(b).c,d=e" + "\\")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-3", -3),
        ("2.50", 2.5),
        ("1e3", 1000.0),
        ("-1.5E-2", -0.015),
        ("true", True),
        ("False", False),
        ("NONE", None),
        ("inf", math.inf),
        ("'it''s'", "it''s"),
        ('"say \\"x\\" "', 'say \\"x\\" '),
        ("'^(.*)$'", "^(.*)$"),
    ],
)
def test_constants(text: str, value: object) -> None:
    node = parse(f"f(a, {text} , b.c)")
    assert node == Call("f", (Path("a"), Literal(value), Path("b.c")), (), f"f(a, {text} , b.c)")  # type: ignore[arg-type]  # any constant


def test_calls_nest_and_take_names() -> None:
    node = parse(" sum( scale(a.b,2), c , k = 'x' ) ")
    inner = Call("scale", (Path("a.b"), Literal(2)), (), "scale(a.b,2)")
    assert isinstance(node, Call)
    assert (node.name, node.args, node.kwargs) == ("sum", (inner, Path("c")), (("k", Literal("x")),))
    assert parse("f()") == Call("f", (), (), "f()")


def test_a_pipe_is_a_first_argument() -> None:
    node = parse("a.b | scale(2)|alias('x')")
    assert isinstance(node, Call)
    assert node.name == "alias"
    assert node.args == (Call("scale", (Path("a.b"), Literal(2)), (), "scale(2)"), Literal("x"))
    assert parse("f(a|g())") == Call("f", (Call("g", (Path("a"),), (), "g()"),), (), "f(a|g())")


def test_templates_have_values_by_place_and_name() -> None:
    assert parse("template(a.$1.$x, 'one', x=2)") == Template(Path("a.$1.$x"), {"1": "one", "x": 2})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "at character 1 .*expected a path"),
        ("f(a", r"at character 4 .*expected , or \)"),
        ("f(a b)", r"at character 5 .*expected , or \)"),
        ("a.b)", "at character 4 .*should end here"),
        ("f(k=1, a)", "after an argument with a name all need one"),
        ("a | b", r"after \| comes a function"),
        ("a.{b", "should end here"),
        ("a.{b,}", "should end here"),
        ("f('a)", "expected a path"),
        ("template(a.$x, true)", "strings and numbers alone"),
        ("a..b", "should end here"),
        (f"f({'1' * 500})", "digits"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, problem: str) -> None:
    with pytest.raises(QueryError, match=problem):
        parse(text)


def test_depth_and_length_are_bounded() -> None:
    deep = "f(" * MOST_DEPTH + "a" + ")" * MOST_DEPTH
    assert isinstance(parse(deep), Call)
    for text in (f"f({deep})", "a" + "|f()" * (MOST_DEPTH + 1), "a" * (MOST_TARGET_LENGTH + 1), "f(" * 8000):
        with pytest.raises(TooMuch):
            parse(text)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("scale(a.b.c,2)", "a.b.c"),
        ("f(g(a.b, 1), c.d)", "a.b"),
        ("a.b (avg: 3.0)", "a.b"),
        ("seriesByTag('x=y')", None),
        ("(((", None),
    ],
)
def test_the_first_path_of_a_name(name: str, path: str | None) -> None:
    assert first_path(name) == path


@given(st.text(alphabet="ab1.,(){}'\"|=\\ *$-e", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text)
    except QueryError:
        return
