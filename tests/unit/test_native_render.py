"""The native renderer answers as the one in Python does."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.record import Block, Column, Kind
from nilometer.core.wire.render import Placed, Plain
from nilometer.ingest._kernel import NativeRenderer

KEYS = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])) | st.text("a1 \t\u00a0\u3000/_-.;=é,[]")
AFFIXES = st.text("stats.;é")


@st.composite
def blocks(draw: st.DrawFn) -> tuple[Block, list[Placed]]:
    keys = draw(st.lists(KEYS, max_size=5))
    count = len(keys)
    columns = []
    for _ in range(draw(st.integers(0, 3))):
        values = array("d", draw(st.lists(st.floats(), min_size=count, max_size=count)))
        present = draw(st.none() | st.binary(min_size=count, max_size=count))
        columns.append(Placed(draw(AFFIXES).encode(), draw(AFFIXES).encode(), values, present))
    shown = tuple(Column("any", placed.values, placed.present) for placed in columns)
    return Block(Kind.TIMER, "\n".join(keys).encode(), count, shown), columns


@given(blocks(), st.integers(0, 2**40), st.booleans())
def test_lines(made: tuple[Block, list[Placed]], timestamp: int, sanitize: bool) -> None:  # noqa: FBT001 drawn
    plain, native = (each.lines(*made, timestamp, sanitize=sanitize) for each in (Plain(), NativeRenderer()))
    assert native == plain


@given(blocks(), st.booleans())
def test_points(made: tuple[Block, list[Placed]], sanitize: bool) -> None:  # noqa: FBT001 drawn
    plain, native = (each.points(*made, sanitize=sanitize) for each in (Plain(), NativeRenderer()))
    assert native[0] == plain[0]
    assert array("d", native[1]).tobytes() == array("d", plain[1]).tobytes()


def test_values_may_be_a_view_of_bytes_wherever_they_lie() -> None:
    raw = b"odd" + array("d", [1.5, 2.5]).tobytes()
    placed = [Placed(b"x.", b".y", memoryview(raw)[3:].cast("d"), None)]
    text = NativeRenderer().lines(Block(Kind.GAUGE, b"a\nb;t=1", 2, ()), placed, 7, sanitize=False)
    assert text == b"x.a.y 1.5 7\nx.b.y;t=1 2.5 7\n"
    placed = [Placed(b"", b"", array("f", [1.5]), None)]
    with pytest.raises(TypeError, match="float64"):
        NativeRenderer().lines(Block(Kind.GAUGE, b"a", 1, ()), placed, 7, sanitize=False)


def test_columns_that_do_not_fit_are_refused() -> None:
    short = [Placed(b"", b"", array("d", [1.0]), None)]
    with pytest.raises(ValueError, match="a column has 1 entries, the block 2 series"):
        NativeRenderer().lines(Block(Kind.GAUGE, b"a\nb", 2, ()), short, 7, sanitize=False)
