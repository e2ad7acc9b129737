"""Both kernels do the same by the same rules, also when rules change in the middle of a window."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.ingest.kernel import Aggregation, Rule
from nilometer.testing import agreement, kernels, rules

if TYPE_CHECKING:
    from nilometer.ingest.kernel import Kernel

pytestmark = agreement.MARKS
NAMES = ["a", "a.b", "web.time", "x y", "x/y", "ab.e", "b", "a;t=1", "a;t=1;u=2", "a.b;k=v", "9--a", "a.bé", "new"]
VALUES = ["1|c", "2|ms", "3|g", "+4|g", "-1|g", "0.5|c|@0.1", "7|ms|@0.5", "m|s", "n|s", "0.1|c", "0.2|c"]
VALUES += ["4|c|#u:1,t:2", "8|c|#t:2,u:1", "16|c|#u:/1, t:2", "1|c|#t:2,u:1,,"]
VALUES += ["1:2|c|T7", "3|c|@0.1|T8", "-1|g|T7", "4|ms|T7"]
lines = st.builds(lambda name, value: f"{name}:{value}\n".encode(), st.sampled_from(NAMES), st.sampled_from(VALUES))


@dataclass(frozen=True)
class Step:
    """Perhaps other rules, lines, and perhaps a flush."""

    aggregation: Aggregation | None
    lines: list[bytes]
    seconds: float
    last: bool
    flush: bool = field(default=True)
    dialect: str = field(default="statsd")


steps = st.builds(
    Step,
    aggregation=st.none() | st.none() | rules.aggregations,
    lines=st.lists(lines, max_size=12),
    seconds=st.sampled_from([1.0, 10.0, 2.5]),
    last=st.sampled_from([False, False, False, True]),
    flush=st.sampled_from([True, True, False]),
    dialect=st.sampled_from(["statsd", "auto", "auto"]),
)


def observe(kernel: Kernel, first: Aggregation, steps: list[Step], *, together: bool) -> list[Any]:
    """Return all that can be seen of a kernel, flush by flush."""
    seen: list[Any] = []
    kernel.configure(first)
    for step in steps:
        if step.aggregation is not None:
            kernel.configure(step.aggregation)
        for data in [b"".join(step.lines)] if together else step.lines:
            kernel.feed(data, "peer:1", step.dialect, packets=0)
        if step.flush:
            aggregates = kernel.flush(step.seconds, last=step.last)
            seen.append(agreement.rows(kernels.as_flush(aggregates, step.seconds)))
            seen.append(agreement.tally(aggregates.tally, "packets"))
            seen.append(agreement.timed(aggregates.timed))
            seen.append(agreement.gauges(kernel))
    return seen


@agreement.profile(200)
@given(rules.aggregations, st.lists(steps, min_size=1, max_size=6))
def test_kernels_agree_on_rules(first: Aggregation, steps: list[Step]) -> None:
    expected = observe(kernels.make("reference"), first, steps, together=False)
    assert observe(kernels.make("native"), first, steps, together=False) == expected
    assert observe(kernels.make("native"), first, steps, together=True) == expected


@pytest.mark.parametrize("most", [20, 100_000])
def test_kernels_agree_on_many_names_with_more_routes_than_fit(most: int) -> None:
    first = Aggregation(
        max_series=most,
        rules=(
            Rule(r"^drop\.", action="drop"),
            Rule(r"^req\.([^.]*)\.(.*)$", rename=("req.", 2), tags=(("last", (1,)),), every=2),
            Rule(r"^half", sample=0.5),
        ),
    )
    data = [
        f"drop.{number % 700}:1|c\nreq.{number % 7}.{number % 900 // 300}:{number}|ms\nhalf{number % 5}:1|c\n".encode()
        for number in range(5000)
    ]
    steps = [Step(None, data[start : start + 500], 1.0, last=False) for start in range(0, 5000, 500)]
    expected = observe(kernels.make("reference"), first, steps, together=False)
    assert observe(kernels.make("native"), first, steps, together=True) == expected
