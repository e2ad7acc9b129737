# ruff: noqa: S101 - a fuzz target asserts its invariant, in plain numbers
"""Invariant: a stream of bytes gives the same lines however it is cut into reads, and none is far over the limit."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports():
    from nilometer.ingest.streams import LineBuffer

LIMIT = 8


def collect(reads: list[bytes]) -> tuple[list[bytes], bytes]:
    """Return the whole lines, and what is left at the end."""
    buffer = LineBuffer(LIMIT)
    whole = b"".join(map(buffer.feed, reads))
    assert not whole or whole.endswith(b"\n")
    return whole.split(b"\n"), buffer.close()


def shown(line: bytes) -> bytes:
    """Cut a line that is over the limit, which counts as bad whatever follows."""
    return line[: LIMIT + 1]


def test_one_input(data: bytes) -> None:
    """Check the invariant for one input: cut whole, byte by byte, and by the bytes' own values."""
    reads, start = [], 0
    while start < len(data):
        step = data[start] % 7 + 1
        reads.append(data[start : start + step])
        start += step
    whole = collect([data])
    expected = [shown(line) for line in whole[0]], whole[1]
    for other in (collect(reads), collect([bytes([byte]) for byte in data])):
        assert ([shown(line) for line in other[0]], other[1]) == expected
    *complete, last = data.split(b"\n")
    over = len(last) > LIMIT
    assert expected[0] == [*map(shown, complete), *([shown(last)] if over else []), b""]
    assert whole[1] == (b"" if over else last)


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
