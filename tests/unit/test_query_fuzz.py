"""Whatever functions are given, in whatever order, they answer or refuse: nothing else comes out, and soon."""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.chart import Look
from nilometer.query.evaluate import evaluate
from nilometer.query.formats import to_csv, to_json, to_raw, to_svg
from nilometer.query.functions import TABLE
from nilometer.query.limits import QueryError
from nilometer.testing.series import Shelf

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

START, END = 1_000_000, 1_000_120
SHELF = Shelf(
    {
        "a.b": {time: time % 7 for time in range(START - 600, END, 10)},
        "a.c": dict.fromkeys(range(START, END, 20), -1.5),
        "a.none": {},
        "slow": dict.fromkeys(range(START - 600, END, 60), 1e300),
        "big;t=v": {START + 10: 1.7e308, START + 20: -1.7e308, START + 30: 5e-324},
    }
)
numbers = (
    st.integers(-3, 70) | st.sampled_from([10**9, -(10**9)]) | st.floats(-1e9, 1e9, allow_nan=False).map(lambda x: round(x, 3))
)
words = st.sampled_from(
    [
        "avg",
        "sum",
        "max",
        "last",
        "sumSeries",
        "scale",
        "1min",
        "30s",
        "-1h",
        "2d",
        ">",
        "a",
        "(",
        "\\\\1",
        ".",
        "si",
        "hours",
        "%d",
        "a.%",
    ]
)
paths = st.sampled_from(["a.*", "a.b", "*", "slow", "gone", "a.none", "seriesByTag('t=v')", "a.{b,c}"])
constants = numbers.map(str) | words.map(repr) | st.sampled_from(["true", "false", "None", "inf"])


def calls(arguments: SearchStrategy[str]) -> SearchStrategy[str]:
    """Return calls of any function, the first argument often series, the others of any kind."""
    others = st.lists(constants | arguments, max_size=4)
    first = st.lists(arguments, max_size=2)
    names = st.sampled_from(sorted(TABLE))
    return st.builds(lambda name, series, rest: f"{name}({','.join([*series, *rest])})", names, first, others)


targets = st.recursive(paths, calls, max_leaves=6)


@given(targets)
def test_any_target_is_answered_or_refused(target: str) -> None:
    try:
        found = evaluate(SHELF, [target], START, END, now=END, zone=UTC)
        for series in found:
            assert series.step > 0
        to_csv(found, UTC)
        to_raw(found)
        to_svg(found, range(START, END), Look())
        json.loads(to_json(found, 7))
    except QueryError:
        return
