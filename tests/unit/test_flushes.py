from __future__ import annotations

import math
import struct
import tracemalloc
import zlib
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.errors import InputError
from nilometer.core.record import Block, Column, Flush, Kind, Window, block
from nilometer.core.wire.flushes import BODY, MAGIC, PLAIN, SKETCHES, decode, encode

times = st.floats(-1e12, 1e12)
keys = st.text(st.characters(exclude_characters="\n", codec="utf-8"), max_size=8)


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    names = draw(st.lists(keys, max_size=5))
    count = len(names)
    numbers = st.lists(st.floats(), min_size=count, max_size=count).map(lambda values: array("d", values))
    present = st.none() | st.binary(min_size=count, max_size=count)
    columns = st.lists(st.builds(Column, st.text(st.characters(codec="utf-8"), max_size=8), numbers, present), max_size=4)
    none: list[bytes] = []
    sketches = st.just(none) | st.lists(st.binary(max_size=9), min_size=count, max_size=count)
    kind, built = draw(st.sampled_from(Kind)), tuple(draw(columns))
    return Block(kind, "\n".join(names).encode(), count, built, tuple(draw(sketches)))


flushes = st.builds(Flush, st.builds(Window, times, times, times), st.lists(blocks(), max_size=4).map(tuple), times)


def frame(body: bytes, length: int | None = None, *, version: int = PLAIN, magic: bytes = MAGIC, tail: bytes = b"") -> bytes:
    """Build what `encode` would have made of a body, with a right checksum."""
    rest = struct.pack("<I", len(body) if length is None else length) + zlib.compress(body) + tail
    return magic + struct.pack("<BI", version, zlib.crc32(rest)) + rest


def same(one: Flush, other: Flush) -> bool:
    """Compare bit by bit: NaN is equal to itself."""
    return (
        one.window == other.window
        and one.processing_ms == other.processing_ms
        and list(map(bits, one.blocks)) == list(map(bits, other.blocks))
    )


def bits(one: Block) -> tuple[object, ...]:
    columns = [(column.name, array("d", column.values).tobytes(), column.present) for column in one.columns]
    return one.kind, one.names, one.count, columns, one.sketches


HEAD = BODY.pack(0, 10, 10, 0, 1)
SMALL = encode(Flush(Window(0, 10, 10), (block(Kind.COUNTER, {"rate": [0.1, 0.2], "count": [1, 2]}, ["a", "b"]),), 1.5))


@given(flushes)
def test_a_flush_survives_the_way_there_and_back(flush: Flush) -> None:
    assert same(decode(encode(flush)), flush)


def test_memory_of_another_owner_is_encoded_too() -> None:
    values = array("d", [1.5, math.nan])
    flush = Flush(Window(0, 10, 10), (Block(Kind.GAUGE, b"a\nb", 2, (Column("value", memoryview(values)),)),))
    assert same(decode(encode(flush)), flush)


@given(st.binary(max_size=200) | st.binary(max_size=100).map(MAGIC.__add__) | st.binary(max_size=100).map(frame))
def test_garbage_is_an_input_error_and_nothing_else(data: bytes) -> None:
    with pytest.raises(InputError):
        decode(data)


@given(flushes, st.data())
def test_a_flush_that_was_cut_is_an_input_error(flush: Flush, data: st.DataObject) -> None:
    encoded = encode(flush)
    with pytest.raises(InputError):
        decode(encoded[: data.draw(st.integers(0, len(encoded) - 1))])


@given(st.integers(0, len(SMALL) - 1), st.integers(1, 255))
def test_a_changed_byte_is_noticed(place: int, change: int) -> None:
    broken = bytearray(SMALL)
    broken[place] ^= change
    with pytest.raises(InputError):
        decode(bytes(broken))


@given(flushes, st.data())
def test_a_body_that_was_cut_is_an_input_error_though_its_checksum_is_right(flush: Flush, data: st.DataObject) -> None:
    body = zlib.decompress(encode(flush)[13:])
    with pytest.raises(InputError):
        decode(frame(body[: data.draw(st.integers(0, len(body) - 1))]))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a flush"),
        (b"PK\3\4" + bytes(40), "not a flush"),
        (frame(HEAD[:-2] + b"\0\0", version=9), "version 9"),
        (frame(HEAD[:-2] + b"\0\0") + b"x", "checksum"),
        (frame(HEAD[:-2] + b"\0\0", tail=b"x"), "not 34 bytes long"),
        (frame(HEAD[:-2] + b"\0\0" + b"x"), "1 bytes too many"),
        (frame(HEAD[:-2] + b"\0\0", 33), "not 33 bytes long"),
        (frame(HEAD[:-2] + b"\0\0", 4_000_000_000), "claims 4000000000 bytes"),
        (frame(BODY.pack(math.nan, 1, 1, 0, 0)), "not finite"),
        (frame(BODY.pack(0, math.inf, 1, 0, 0)), "not finite"),
        (frame(HEAD), "ends early"),
        (frame(HEAD + struct.pack("<BIIH", 4, 0, 0, 0)), "unknown kind 4"),
        (frame(HEAD + struct.pack("<BIIH", 0, 2, 0, 0)), "2 series whose names"),
        (frame(HEAD + struct.pack("<BII", 0, 0, 1) + b"a\0\0"), "0 series whose names"),
        (frame(HEAD + struct.pack("<BIIHH", 0, 0, 0, 1, 2) + b"\xff\xff\0"), "not UTF-8"),
    ],
)
def test_each_fault_is_named(data: bytes, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        decode(data)
    assert reason in str(caught.value)


def test_bytes_that_cannot_be_inflated_are_an_input_error() -> None:
    rest = struct.pack("<I", 40) + b"no zlib stream, but long enough"
    with pytest.raises(InputError, match="inflated"):
        decode(MAGIC + struct.pack("<BI", PLAIN, zlib.crc32(rest)) + rest)


@pytest.mark.parametrize(
    "data",
    [
        frame(HEAD + struct.pack("<BII", 0, 4_000_000_000, 4_000_000_000)),
        frame(HEAD + struct.pack("<BIIHH", 0, 1, 0, 65_535, 65_535)),
        frame(HEAD, 4_000_000_000),
        frame(bytes(8_000_000), 60),
    ],
)
def test_what_a_header_claims_is_not_allocated(data: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(InputError):
            decode(data)
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()


def test_columns_must_be_as_long_as_their_block() -> None:
    window = Window(0, 10, 10)
    for column in (Column("count", array("d", [1])), Column("count", array("d", [1, 2]), b"\1")):
        with pytest.raises(ValueError, match="in a block of 2 series"):
            encode(Flush(window, (Block(Kind.SET, b"a\nb", 2, (column,)),)))


def test_there_is_a_sketch_for_each_series_or_none() -> None:
    with pytest.raises(ValueError, match="1 sketches in a block of 2 series"):
        encode(Flush(Window(0, 10, 10), (Block(Kind.TIMER, b"a\nb", 2, (), (b"x",)),)))


def test_flushes_without_sketches_stay_readable_for_older_servers() -> None:
    plain, sketched = (Flush(Window(0, 1, 1), (Block(Kind.TIMER, b"a", 1, (), each),)) for each in ((), (b"x",)))
    assert (encode(plain)[4], encode(sketched)[4]) == (PLAIN, SKETCHES)


def test_repeated_names_take_little_room() -> None:
    names = [f"servers.web{index:04}.requests.duration" for index in range(1000)]
    flush = Flush(Window(0, 10, 10), (block(Kind.COUNTER, {"count": [1] * 1000}, names),))
    assert len(encode(flush)) < 10_000
