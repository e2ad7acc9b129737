"""Both kernels refuse, sketch and estimate the same within tiny limits, also what rules hold over several windows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from nilometer.testing import agreement, kernels, rules, streams

if TYPE_CHECKING:
    from nilometer.ingest.kernel import Aggregation, Kernel

pytestmark = agreement.MARKS
NAMES = ["a", "a.b", "a.b.c", "web.time", "x y", "b", "a;t=1", "a;t=1;u=2", "more"]
VALUES = ["1|c", "2|ms", "1e3|ms|@0.5", "0|ms", "3|g", "+4|g", "-1|g", "m|s", "n|s", "o|s", "p|s", "9e400|ms", "0.1|ms"]
VALUES += ["1|c|T7", "2|c|T8", "-1|g|T7"]
lines = st.builds(lambda name, value: f"{name}:{value}\n".encode(), st.sampled_from(NAMES), st.sampled_from(VALUES))
limits = st.fixed_dictionaries(streams.LIMITS)


@dataclass(frozen=True)
class Step:
    """Perhaps other limits, lines with their source, and whether all is flushed after them."""

    limits: dict[str, Any] | None
    lines: list[tuple[bytes, str]]
    last: bool
    dialect: str


sources = st.sampled_from(["192.0.2.1:1", "192.0.2.1:2", "[::1]:1", "/run/x"])
steps = st.builds(
    Step,
    st.none() | st.none() | limits,
    st.lists(st.tuples(lines, sources), max_size=15),
    st.booleans(),
    st.sampled_from(["statsd", "auto", "auto"]),
)


def observe(kernel: Kernel, first: Aggregation, steps: list[Step]) -> list[Any]:
    """Return all that can be seen of a kernel, flush by flush."""
    seen: list[Any] = []
    kernel.configure(first)
    for step in steps:
        if step.limits is not None:
            kernel.configure(replace(first, **step.limits))
        for data, source in step.lines:
            kernel.feed(data, source, step.dialect, packets=0)
        aggregates = kernel.flush(1.0, last=step.last)
        seen.append(agreement.rows(kernels.as_flush(aggregates)))
        seen.append(agreement.tally(aggregates.tally, "packets"))
        seen.append([block.sketches for block in aggregates.blocks])
        seen.append(agreement.timed(aggregates.timed))
        seen.append(kernel.overflowed())
    return seen


@agreement.profile(200)
@given(rules.aggregations, limits, st.lists(steps, min_size=1, max_size=5))
def test_kernels_agree_on_limits(aggregation: Aggregation, tiny: dict[str, Any], steps: list[Step]) -> None:
    first = replace(aggregation, **tiny)
    assert observe(kernels.make("native"), first, steps) == observe(kernels.make("reference"), first, steps)
