"""Patterns and templates: what is accepted, what it becomes, what is refused and why."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core import pattern
from nilometer.core.errors import SettingError
from nilometer.core.pattern import Pattern
from nilometer.ingest.kernel import Aggregation, Rule
from nilometer.testing import kernels


@pytest.mark.parametrize(
    ("text", "name", "groups"),
    [
        ("a.*.c", "a.b.c", ("b",)),
        ("a.*.c", "a..c", ("",)),
        ("a.*.c", "a.b.d.c", None),
        ("*", "a", ("a",)),
        ("*", "a.b", None),
        ("api-*.t*", "api-7.time", ("7", "ime")),
        ("a+b", "a+b", ()),
        ("a+b", "aab", None),
        ("a.b", "axb", None),
    ],
)
def test_a_glob_stands_for_parts_between_dots(text: str, name: str, groups: tuple[str, ...] | None) -> None:
    found = re.search(pattern.glob(text).text, name)
    assert (found and found.groups()) == groups


def test_a_prefix_is_taken_to_the_letter() -> None:
    assert re.search(pattern.prefix("a.b").text, "a.bc")
    assert not re.search(pattern.prefix("a.b").text, "axbc")
    assert not re.search(pattern.prefix("a").text, "ba")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\d\W\s", r"[0-9][^0-9A-Za-z_][\t\n\v\f\r ]"),
        (r"[]\w-]+", r"[\]0-9A-Za-z_\-]+"),
        (r"[^a-f.]{2,3}?", r"[^a-f\.]{2,3}?"),
        ("[[:digit:]_]", "[0-9_]"),
        ("(?<n>a)|b", "(?P<n>a)|b"),
        ("(?i)x(?:y)$", "(?i)x(?:y)$"),
        ("a{b", r"a\{b"),
        ("a#&~", r"a\#\&\~"),
    ],
)
def test_a_regular_expression_is_spelt_out(text: str, expected: str) -> None:
    assert pattern.regex(text).text == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("(?=a)", "only (?:…), (?P<name>…) and (?i) at the start"),
        (r"a\b", r"\b is not supported"),
        (r"(a)\1", r"\1 is not supported"),
        ("(a", "a ')' is missing"),
        ("a)", "')' without '('"),
        ("[a", "it ends too early"),
        ("a\\", "it ends too early"),
        ("*a", "nothing to repeat"),
        ("^*", "nothing to repeat"),
        ("a++", "a repeat of a repeat"),
        ("(a{40}){40}", "it repeats more than 1000 times"),
        ("[z-a]", "bad character range"),
        ("(" * 60, "groups within groups"),
        ("a" * 5000, "more than 4096 characters"),
        ("(?P<a>x)(?P<a>y)", "redefinition of group name"),
    ],
)
def test_what_no_two_engines_share_is_refused(text: str, reason: str) -> None:
    with pytest.raises(SettingError, match=re.escape(reason)):
        pattern.regex(text)


pieces = st.sampled_from([*r"ab.*+?()[]{}|^$\-:,<>P=!1i&~# ", r"\w", r"\d", "[a-c]", "(?:", "(?P<n>", "{2,3}"])


@given(st.lists(pieces, max_size=8).map("".join), st.text("ab1-. ", max_size=6))
def test_what_is_accepted_means_the_same_to_both_kernels(text: str, name: str) -> None:
    try:
        found = pattern.regex(text)
    except SettingError:
        return
    whole = Rule(found.text, rename=("(", 0, ")", *(part for group in range(1, found.groups + 1) for part in (group, ","))))
    seen = []
    for kind in kernels.NAMES:
        kernel = kernels.make(kind)
        kernel.configure(Aggregation(rules=(whole,), sanitize=False))
        kernel.feed(f"{name}:1|c\n".encode())
        seen.append([block.keys() for block in kernel.flush(1).blocks])
    assert seen[0] == seen[1]


def test_templates_are_taken_apart() -> None:
    found = Pattern("", 2, {"host": 2})
    assert pattern.template("a.${1}b$2.$host$$x$0", found) == ("a.", 1, "b", 2, ".", 2, "$", "x", 0)
    assert pattern.template("", found) == ()
    assert pattern.template("5$", found) == ("5$",)


@pytest.mark.parametrize("text", ["$3", "${3}", "$1_x", "$other", "${}"])
def test_a_template_names_only_groups_that_are_there(text: str) -> None:
    with pytest.raises(SettingError, match=r"is no group of the pattern: it has \$0, \$1, \$2, \$host"):
        pattern.template(text, Pattern("", 2, {"host": 2}))
