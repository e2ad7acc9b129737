"""Both kernels show the same of the open window, delete alike, and rank alike; to look changes nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.record import Kind
from nilometer.ingest.kernel import DROP, Aggregation, Rule
from nilometer.testing import agreement, kernels, streams

if TYPE_CHECKING:
    from nilometer.ingest.inspection import Peeked
    from nilometer.ingest.kernel import Kernel

pytestmark = agreement.MARKS


@dataclass(frozen=True)
class Step:
    """Lines from a source; then perhaps deletions, perhaps other rules, perhaps the end of the window."""

    lines: list[bytes]
    source: str
    deleted: dict[Kind, list[str]]
    rules: Aggregation | None
    ends: bool


names = st.lists(st.sampled_from(["a", "a.b", "web.time", "x_y", "a;t=1", "", "0", "nosuch"]), max_size=3)
rules = st.builds(
    Aggregation,
    delete_counters=st.booleans(),
    delete_timers=st.booleans(),
    delete_sets=st.booleans(),
    delete_gauges=st.booleans(),
    gauge_ttl=st.integers(1, 2),
    max_series=st.sampled_from([1_000_000, 3]),
    max_samples=st.sampled_from([20_000_000, 4]),
    max_set_members=st.sampled_from([5_000_000, 4]),
    rules=st.lists(
        st.sampled_from([Rule("^a$", every=2), Rule("^web", rename=("a.b",)), Rule("x", action=DROP)]), max_size=2
    ).map(tuple),
)
steps = st.builds(
    Step,
    lines=streams.chunks,
    source=st.sampled_from(["192.0.2.1:1", "192.0.2.1:2", "[2001:db8::1]:1", "/run/a:1", "@a", "", "odd:", "a:b"]),
    deleted=st.dictionaries(st.sampled_from(list(Kind)), names, max_size=2),
    rules=st.none() | rules,
    ends=st.booleans(),
)


def exact(peeked: Peeked) -> dict[str, Any]:
    values = [agreement.number(value) for value in peeked.values]
    samples = [[agreement.number(sample) for sample in samples] for samples in peeked.samples]
    members = [sorted(members) for members in peeked.members]  # what a rule holds is in no order
    return asdict(peeked) | {"values": values, "samples": samples, "members": members}


def look(kernel: Kernel) -> dict[str, Any]:
    """Return all that a look shows."""
    totals = kernel.totals()
    return {
        "peeked": [exact(kernel.peek(kind, most)) for kind in Kind for most in (1000, 2)],
        "keys": [kernel.keys(kind, prefix, 2) for kind in Kind for prefix in ("", "a")],
        "top": [asdict(kernel.top(most)) for most in (1000, 2)],
        "totals": (totals.packets, totals.bytes, totals.lines, totals.bad_lines),
    }


def observe(kernel: Kernel, steps: list[Step], *, looks: bool) -> tuple[list[Any], list[Any]]:
    """Return what was seen by looking (or nothing, without), and what the flushes and deletions gave."""
    seen: list[Any] = []
    given: list[Any] = []
    for step in steps:
        if step.rules is not None:
            kernel.configure(step.rules)
        kernel.feed(b"".join(step.lines), step.source)
        given += [kernel.delete(kind, keys) for kind, keys in step.deleted.items()]
        if looks:
            seen.append(look(kernel))
        if step.ends:
            aggregates = kernel.flush(10.0)
            given.append(agreement.rows(kernels.as_flush(aggregates, 10.0)))
            given.append(agreement.gauges(kernel))
            given.append(agreement.tally(aggregates.tally))
    return seen, given


@agreement.profile(120)
@given(st.lists(steps, min_size=1, max_size=6))
def test_kernels_show_and_delete_alike(steps: list[Step]) -> None:
    seen, given = observe(kernels.make("reference"), steps, looks=True)
    assert observe(kernels.make("native"), steps, looks=True) == (seen, given)
    for name in kernels.NAMES:
        assert observe(kernels.make(name), steps, looks=False)[1] == given


def test_kernels_rank_many_alike() -> None:
    def ranks(kernel: Kernel) -> dict[str, Any]:
        for each in range(4000):
            source = f"10.0.{each % 37}.{each * each % 251}:{each}"
            kernel.feed(b"n%d:1|c\nn%d:1|ms\nx%d:bad" % (each % 1777, each * each % 997, each), source)
            if each % 1500 == 0:
                kernel.flush(1.0)
        return asdict(kernel.top(2000))

    assert ranks(kernels.make("native")) == ranks(kernels.make("reference"))
