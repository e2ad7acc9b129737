"""Lines on their way out: checked as a server would read them, and packed into as few datagrams as fit.

Nothing here knows a socket. A line is bytes without its newline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.errors import InputError
from nilometer.ingest._reference.line import read
from nilometer.ingest._reference.reading import Refusal
from nilometer.ingest.kernel import AUTO, mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from nilometer.core.url import Url

CHUNK = 256 * 1024
LONGEST = 65_535
"""The most bytes in one line of standard input."""


class Packet(NamedTuple):
    """Lines that travel together, ended by newlines, and how many they are."""

    data: bytes
    lines: int


def fault(line: bytes, dialect: str) -> str:
    """Return why a server would refuse the line, or one of its values; the empty string for a good line."""
    if not line:
        return "empty"
    return next((value.reason for value in read(line, dialect, sanitize=True).values if isinstance(value, Refusal)), "")


def dialect(url: Url) -> str:
    """Return what lines mean to the listener behind a checked URL, as a mode of the kernel."""
    options = dict(url.query)
    return mode(options.get("dialect", AUTO), options.get("gauges", ""))


def pack(lines: Iterable[bytes], limit: int) -> Iterator[Packet]:
    """Join lines into packets of at most `limit` bytes; a longer line is a packet of its own."""
    parts: list[bytes] = []
    size = 0
    for line in lines:
        if parts and size + len(line) + 1 > limit:
            yield Packet(b"".join(parts), len(parts))
            parts, size = [], 0
        parts.append(line + b"\n")
        size += len(line) + 1
    if parts:
        yield Packet(b"".join(parts), len(parts))


def batches(stream: BinaryIO) -> Iterator[list[bytes]]:
    """Yield the lines that each read of a stream completes, so that nothing waits for more input; the last needs no newline.

    Raise `InputError` for a line of more than `LONGEST` bytes.
    """
    rest, number = b"", 0
    while chunk := stream.read1(CHUNK):  # type: ignore[attr-defined]  # typeshed's BinaryIO lacks what every binary input has
        *whole, rest = (rest + chunk).split(b"\n")
        number += len(whole)
        yield whole
        if len(rest) > LONGEST:
            message = f"line {number + 1} is longer than {LONGEST:,} bytes; what follows it was not sent"
            raise InputError(message)
    if rest:
        yield [rest]
