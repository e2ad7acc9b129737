"""A flush as bytes, for the spool and for other nodes.

Layout, sealed (`sealed`) under the magic "NILF", little endian, version 1, or 2 when there are sketches::

    body    start f64 · end f64 · interval f64 · processing_ms f64 · blocks u16 · block…
    block   kind u8 (place in KINDS) · series u32 · names (u32 length, bytes) · columns u16 · column… · [sketches, in version 2]
    column  name (u16 length, UTF-8) · has_present u8 · values f64 per series · [present u8 per series]
    sketches  has_sketches u8 · [u32 length, bytes per series]

Rules: `decode` raises `InputError` for whatever is not such a flush, and nothing else.
"""

from __future__ import annotations

import math
import struct
import sys
from array import array
from typing import TYPE_CHECKING

from nilometer.core.errors import InputError
from nilometer.core.record import Block, Column, Flush, Kind, Window
from nilometer.core.wire.sealed import seal, unseal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAGIC = b"NILF"
VERSIONS = PLAIN, SKETCHES = (1, 2)
BODY = struct.Struct("<ddddH")
KINDS = (Kind.COUNTER, Kind.TIMER, Kind.GAUGE, Kind.SET)
SWAP = sys.byteorder == "big"


def encode(flush: Flush) -> bytes:
    """Return the flush as bytes. Raise ValueError when a column is not as long as its block."""
    window = flush.window
    head = BODY.pack(window.start, window.end, window.interval, flush.processing_ms, len(flush.blocks))
    version = SKETCHES if any(block.sketches for block in flush.blocks) else PLAIN
    body = b"".join((head, *(part for block in flush.blocks for part in _block(block, version))))
    return seal(MAGIC, version, body)


def _block(block: Block, version: int) -> Iterator[bytes]:
    yield struct.pack("<BII", KINDS.index(block.kind), block.count, len(block.names))
    yield block.names
    yield struct.pack("<H", len(block.columns))
    for column in block.columns:
        name = column.name.encode()
        yield struct.pack("<H", len(name)) + name + bytes([column.present is not None])
        yield _values(column.values, block.count)
        yield _present(column.present, block.count)
    if version == SKETCHES:
        yield from _sketches(block)


def _sketches(block: Block) -> Iterator[bytes]:
    yield bytes([bool(block.sketches)])
    if block.sketches and len(block.sketches) != block.count:
        message = f"{len(block.sketches)} sketches in a block of {block.count} series"
        raise ValueError(message)
    for sketch in block.sketches:
        yield struct.pack("<I", len(sketch)) + sketch


def _values(values: Sequence[float], count: int) -> bytes:
    if len(values) != count:
        message = f"a column of {len(values)} values in a block of {count} series"
        raise ValueError(message)
    numbers = array("d", values)
    if SWAP:
        numbers.byteswap()
    return numbers.tobytes()


def _present(present: bytes | None, count: int) -> bytes:
    if present is not None and len(present) != count:
        message = f"{len(present)} marks of presence in a block of {count} series"
        raise ValueError(message)
    return present or b""


class _Reader:
    """Takes pieces off the front of a body; raises `InputError` when there is less than asked for."""

    def __init__(self, body: bytes) -> None:
        self._body = memoryview(body)
        self._at = 0

    def take(self, number: int) -> memoryview:
        piece = self._body[self._at : self._at + number]
        if len(piece) < number:
            message = f"a flush ends early: {number} bytes expected at {self._at}, {len(piece)} are left"
            raise InputError(message)
        self._at += number
        return piece

    def number(self, layout: str) -> int:
        (value,) = struct.unpack(layout, self.take(struct.calcsize(layout)))
        return int(value)

    def floats(self, count: int) -> array[float]:
        values = array("d")
        values.frombytes(self.take(8 * count))
        if SWAP:
            values.byteswap()
        return values

    def end(self) -> None:
        if self._at != len(self._body):
            message = f"{len(self._body) - self._at} bytes too many after a flush"
            raise InputError(message)


def decode(data: bytes) -> Flush:
    """Return the flush that `encode` made these bytes of. Raise `InputError` for anything else."""
    version, body = unseal(MAGIC, VERSIONS, data, "flush")
    reader = _Reader(body)
    start, end, interval, processing, blocks = BODY.unpack(reader.take(BODY.size))
    if not all(map(math.isfinite, (start, end, interval, processing))):
        message = "a flush whose times are not finite"
        raise InputError(message)
    flush = Flush(Window(start, end, interval), tuple(_read_block(reader, version) for _ in range(blocks)), processing)
    reader.end()
    return flush


def _read_block(reader: _Reader, version: int) -> Block:
    kind, count = reader.number("<B"), reader.number("<I")
    names = bytes(reader.take(reader.number("<I")))
    if kind >= len(KINDS):
        message = f"a block of unknown kind {kind}"
        raise InputError(message)
    if names.count(b"\n") != max(count - 1, 0) or (not count and names):
        message = f"a block of {count} series whose names are not as many"
        raise InputError(message)
    columns = tuple(_read_column(reader, count) for _ in range(reader.number("<H")))
    has_sketches = version == SKETCHES and reader.number("<B")
    sketches = tuple(bytes(reader.take(reader.number("<I"))) for _ in range(count if has_sketches else 0))
    return Block(KINDS[kind], names, count, columns, sketches)


def _read_column(reader: _Reader, count: int) -> Column:
    raw = bytes(reader.take(reader.number("<H")))
    try:
        name = raw.decode()
    except UnicodeDecodeError as error:
        message = f"a column whose name is not UTF-8: {raw!r}"
        raise InputError(message) from error
    has_present = reader.number("<B")
    return Column(name, reader.floats(count), bytes(reader.take(count)) if has_present else None)
