"""Both kernels give the same numbers, texts, tallies and bad lines, however a stream is cut into datagrams."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from nilometer.core.wire.render import Plain, lines
from nilometer.ingest.kernel import Aggregation
from nilometer.testing import agreement, kernels, streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nilometer.ingest.kernel import Kernel
    from nilometer.testing.streams import Stage

pytestmark = agreement.MARKS


def whole(stage: Stage) -> Iterator[bytes]:
    yield b"".join(stage.lines)


def pieces(stage: Stage) -> Iterator[bytes]:
    """Cut at some ends of lines."""
    bounds = sorted({0, len(stage.lines), *(cut for cut in stage.cuts if cut < len(stage.lines))})
    for start, end in itertools.pairwise(bounds):
        yield b"".join(stage.lines[start:end])


def singly(stage: Stage) -> Iterator[bytes]:
    yield from stage.lines


def observe(kernel: Kernel, stages: list[Stage], cut: Callable[[Stage], Iterator[bytes]]) -> list[dict[str, Any]]:
    """Return all that can be seen of a kernel, window by window."""
    seen = []
    for stage in stages:
        if stage.rules is not None:
            kernel.configure(stage.rules)
        packets, explained = 1, list[dict[str, Any]]()
        for data in cut(stage):
            kernel.feed(data, "peer:1", stage.dialect, packets=packets)
            explained += [each | {"line": 0} for each in kernel.explain(data, stage.dialect)]
            packets = 0
        aggregates = kernel.flush(stage.seconds)
        flush = kernels.as_flush(aggregates, stage.seconds)
        seen.append(
            {
                "rows": agreement.rows(flush),
                "text": lines(flush, kernels.NAMING, Plain()),
                "tally": agreement.tally(aggregates.tally, "packets"),
                "sketches": [block.sketches for block in aggregates.blocks],
                "bad": kernel.bad_lines(),
                "timed": agreement.timed(aggregates.timed),
                "notices": kernel.notices(),
                "explained": [repr(sorted(each.items())) for each in explained],
                "overflowed": kernel.overflowed(),
                "gauges": agreement.gauges(kernel),
            }
        )
    return seen


@agreement.profile(60)
@given(streams.streams)
def test_kernels_agree_however_the_stream_is_cut(stages: list[Stage]) -> None:
    expected = observe(kernels.make("reference"), stages, whole)
    assert observe(kernels.make("reference"), stages, pieces) == expected
    for cut in (whole, pieces, singly):
        assert observe(kernels.make("native"), stages, cut) == expected


def crowd(seed: int, series: int, count: int) -> Iterator[bytes]:
    """Yield datagrams of lines over many series: short and long names, clean and not, all kinds, deltas, long members."""
    draw = random.Random(seed)  # noqa: S311 a sample to test with
    types = ["c", "c", "ms", "g", "s", "c|@0.1", "ms|@0.3", "h"]
    for _ in range(count):
        names = [draw.randrange(series) for _ in range(30)]
        yield "\n".join(
            f"{'long.' * (name % 17)}n{' x' * (name % 3)}.{name}:{draw.choice(['', '', '+', '-'])}{draw.randrange(10**4) / 8}"
            f"|{draw.choice(types)}{'|#zone:' + 'z' * (name % 70) if name % 5 == 0 else ''}"
            for name in names
        ).encode()


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param(Aggregation(), marks=pytest.mark.slow),
        Aggregation(delete_counters=True, delete_gauges=True, gauge_ttl=2, sanitize=False),
    ],
)
def test_kernels_agree_on_many_series(rules: Aggregation) -> None:
    stages = [
        streams.Stage(rules if not seed else None, [data + b"\n" for data in crowd(seed, 12_000, 300)], "auto", 10.0)
        for seed in range(3)
    ]
    expected = observe(kernels.make("reference"), stages, singly)
    assert observe(kernels.make("native"), stages, singly) == expected
    assert observe(kernels.make("native"), stages, whole) == expected
