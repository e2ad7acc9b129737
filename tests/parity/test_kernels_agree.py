"""Both kernels give the same numbers, texts, tallies and bad lines, however a stream is cut into datagrams."""

from __future__ import annotations

import itertools
import math
import os
import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from nilometer.core.wire.render import Plain, lines
from nilometer.testing import kernels, streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nilometer.ingest.kernel import Kernel
    from nilometer.testing.streams import Stage

SLOW = os.environ.get("NILOMETER_HYPOTHESIS") == "slow"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)] if SLOW else []
PROFILE = settings(
    max_examples=5000 if SLOW else 250,
    derandomize=not SLOW,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def whole(stage: Stage) -> Iterator[bytes]:
    yield b"".join(stage.lines)


def pieces(stage: Stage) -> Iterator[bytes]:
    """Cut at some ends of lines."""
    bounds = sorted({0, len(stage.lines), *(cut for cut in stage.cuts if cut < len(stage.lines))})
    for start, end in itertools.pairwise(bounds):
        yield b"".join(stage.lines[start:end])


def singly(stage: Stage) -> Iterator[bytes]:
    yield from stage.lines


def number(value: float) -> str:
    """Return a number to its last bit; all NaN are alike, and so are both zeros, as in text."""
    return "NaN" if math.isnan(value) else struct.pack("<d", value + 0.0).hex()


def observe(kernel: Kernel, stages: list[Stage], cut: Callable[[Stage], Iterator[bytes]]) -> list[dict[str, Any]]:
    """Return all that can be seen of a kernel, window by window."""
    seen = []
    for stage in stages:
        if stage.rules is not None:
            kernel.configure(stage.rules)
        packets = 1
        for data in cut(stage):
            kernel.feed(data, "peer:1", stage.dialect, packets=packets)
            packets = 0
        aggregates = kernel.flush(stage.seconds)
        flush = kernels.as_flush(aggregates, stage.seconds)
        tally = aggregates.tally
        seen.append(
            {
                "rows": [(*row[:3], number(row[3])) for row in flush.rows()],
                "text": lines(flush, kernels.NAMING, Plain()),
                "tally": [getattr(tally, name) for name in tally.__slots__ if name not in {"pause_ns", "packets"}],
                "bad": kernel.bad_lines(),
                "gauges": [(key, number(value)) for key, value in zip(*kernel.gauges(), strict=True)],
            }
        )
    return seen


@PROFILE
@given(streams.streams)
def test_kernels_agree_however_the_stream_is_cut(stages: list[Stage]) -> None:
    expected = observe(kernels.make("reference"), stages, whole)
    assert observe(kernels.make("reference"), stages, pieces) == expected
    for cut in (whole, pieces, singly):
        assert observe(kernels.make("native"), stages, cut) == expected
