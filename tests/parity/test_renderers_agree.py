"""The native renderer writes what the plain one writes, byte for byte."""

from __future__ import annotations

from array import array
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.naming import Naming
from nilometer.core.record import Block, Column, Flush, Kind, Window
from nilometer.core.wire import render
from nilometer.testing import agreement, kernels

pytestmark = agreement.MARKS

keys = st.sampled_from(["a", "a.b;t=1", "x y/z", "", ";", "a;t=x y;u=/", "ü\u00a0b\ufeff\x85"]) | st.text().map(
    lambda text: text.encode("utf-8", "replace").decode().replace("\n", " ")
)
numbers = st.floats() | st.integers(-(10**25), 10**25).map(float) | st.sampled_from([0.0, -0.0, 1e21, 1e-7, 5e-324, 1e16])
statistics = {
    Kind.COUNTER: ["rate", "count"],
    Kind.GAUGE: ["value"],
    Kind.SET: ["count"],
    Kind.TIMER: ["count_90", "mean", "histogram.bin_5", "count_ps", "count"],
}


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    kind = draw(st.sampled_from(list(Kind)))
    names = draw(st.lists(keys, max_size=6))
    count = len(names)
    columns = [
        Column(
            name,
            array("d", draw(st.lists(numbers, min_size=count, max_size=count))),
            draw(st.none() | st.binary(min_size=count, max_size=count).map(lambda found: bytes(byte & 1 for byte in found))),
        )
        for name in draw(st.lists(st.sampled_from(statistics[kind]), unique=True))
    ]
    return Block(kind, "\n".join(names).encode(), count, tuple(columns))


affixes = st.sampled_from(["", "stats", "p.q", "ü"])
namings = st.builds(
    Naming,
    legacy=st.booleans(),
    prefix=affixes,
    counter=affixes,
    timer=affixes,
    gauge=affixes,
    set=affixes,
    suffix=st.none() | affixes,
    counts=st.booleans(),
    sanitize=st.booleans(),
)
flushes = st.builds(
    lambda end, found: Flush(Window(end - 1, end, 1.0), tuple(found)),
    st.floats(1, 1e10),
    st.lists(blocks(), max_size=4),
)


@cache
def native() -> render.Renderer:
    """Return the native renderer, once."""
    kernels.make("native")  # says so when it is not built
    from nilometer.ingest._kernel import NativeRenderer  # noqa: PLC0415 only where it is built

    return NativeRenderer()


@agreement.profile(150)
@given(flushes, namings)
def test_renderers_agree(flush: Flush, naming: Naming) -> None:
    assert render.lines(flush, naming, native()) == render.lines(flush, naming, render.Plain())
    ours, theirs = render.points(flush, naming, native()), render.points(flush, naming, render.Plain())
    assert (ours.timestamp, ours.paths) == (theirs.timestamp, theirs.paths)
    assert array("d", ours.values).tobytes() == array("d", theirs.values).tobytes()
