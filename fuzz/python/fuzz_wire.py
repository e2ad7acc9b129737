# ruff: noqa: S101, PLR2004 - a fuzz target asserts its invariant, in plain numbers
"""Invariant: a decoder raises `InputError` or returns what encodes and decodes to the same; numbers read back as they print."""

from __future__ import annotations

import math
import struct
import sys
import zlib

import atheris

with atheris.instrument_imports():
    from nilometer.core.errors import InputError
    from nilometer.core.naming import Naming
    from nilometer.core.wire.flushes import MAGIC, decode, encode
    from nilometer.core.wire.number import from_text, to_text
    from nilometer.core.wire.render import Plain, lines, pickles, points


def sealed(body: bytes) -> bytes:
    """Return a flush file that holds this body, its length and checksum right."""
    packed, length = zlib.compress(body, 1), struct.pack("<I", len(body))
    return MAGIC + struct.pack("<BI", 1, zlib.crc32(packed, zlib.crc32(length))) + length + packed


def check_flush(data: bytes) -> None:
    """Decode, encode, decode; render what is not too far from a real flush."""
    try:
        flush = decode(data)
    except InputError:
        return
    again = encode(flush)
    assert encode(decode(again)) == again
    if flush.series < 1000 and abs(flush.window.end) < 1e15:
        naming = Naming(sanitize=True)
        assert len(points(flush, naming, Plain()).values) == lines(flush, naming, Plain()).count(b"\n")
        assert sum(map(len, pickles(flush, naming))) >= 0


def check_number(data: bytes) -> None:
    """Read a number and print it."""
    value = from_text(data.decode("utf-8", "replace"))
    if value is not None:
        assert from_text(to_text(value)) == value
    if len(data) >= 8:
        (bits,) = struct.unpack("<d", data[:8])
        back = from_text(to_text(bits))
        assert back is None if math.isnan(bits) else back == bits


def test_one_input(data: bytes) -> None:
    """Check the invariant for one input: a byte says of what, the rest is it."""
    kind, rest = data[:1], data[1:]
    if kind < b"\x40":
        check_number(rest)
    else:
        check_flush(rest if kind < b"\x50" else sealed(rest))


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
