"""A flush as Graphite reads it: lines of text, pickles, or plain points.

`use` puts a faster renderer in place of `Plain`; the native kernel brings one that answers alike.
Format: carbon's line protocol ``path value timestamp``; numbers as JavaScript prints them, which is what statsd sends.

Rules:

* Counters come first, then timers, gauges and sets; blocks of one kind keep their order.
* Within a block the statistics of a series stand together, in the order of the block's columns.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from nilometer.core.record import Kind, Points
from nilometer.core.wire.key import clean, split
from nilometer.core.wire.number import to_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nilometer.core.naming import Naming
    from nilometer.core.record import Block, Flush

ORDER = (Kind.COUNTER, Kind.TIMER, Kind.GAUGE, Kind.SET)
FRAME_METRICS, FRAME_BYTES = 500, 512 * 1024
"""What one pickle frame holds at most; carbon refuses frames above 1 MiB. One metric alone may exceed the bytes."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A column with what surrounds each series' name: bytes before it, bytes after it (the tags follow)."""

    before: bytes
    after: bytes
    values: Sequence[float]
    present: bytes | None


class Renderer(Protocol):
    """Lays out one block, series by series and within a series column by column."""

    def lines(self, block: Block, columns: Sequence[Placed], timestamp: int, *, sanitize: bool) -> bytes:
        """Return ``path value timestamp`` lines, each ended by a newline."""

    def points(self, block: Block, columns: Sequence[Placed], *, sanitize: bool) -> tuple[bytes, Sequence[float]]:
        """Return the paths joined by newlines, and a float64 for each."""


class Plain:
    """The renderer in Python: exact, and the oracle of the native one."""

    def lines(self, block: Block, columns: Sequence[Placed], timestamp: int, *, sanitize: bool) -> bytes:
        """Return ``path value timestamp`` lines, each ended by a newline."""
        end = f" {timestamp}\n"
        return "".join(f"{path} {to_text(value)}{end}" for path, value in _cells(block, columns, sanitize=sanitize)).encode()

    def points(self, block: Block, columns: Sequence[Placed], *, sanitize: bool) -> tuple[bytes, Sequence[float]]:
        """Return the paths joined by newlines, and a float64 for each."""
        cells = list(_cells(block, columns, sanitize=sanitize))
        return "\n".join(path for path, _ in cells).encode(), array("d", [value for _, value in cells])


def _cells(block: Block, columns: Sequence[Placed], *, sanitize: bool) -> Iterator[tuple[str, float]]:
    """Yield path and value of each statistic that is there, series by series."""
    affixes = [(column.before.decode(), column.after.decode(), column.values, column.present) for column in columns]
    for index, key in enumerate(block.keys()):
        name, tags = split(key)
        shown = clean(name) if sanitize else name
        for before, after, values, present in affixes:
            if present is None or present[index]:
                yield f"{before}{shown}{after}{tags}", values[index]


@dataclass(slots=True)
class _Installed:
    """Which renderer is in use, process-wide: both answer alike, one is quicker."""

    renderer: Renderer


_installed = _Installed(Plain())


def use(renderer: Renderer) -> None:
    """Render with this renderer from now on."""
    _installed.renderer = renderer


def lines(flush: Flush, naming: Naming, renderer: Renderer | None = None) -> bytes:
    """Return the flush as carbon's text lines, with the window's timestamp."""
    chosen, timestamp = renderer or _installed.renderer, flush.window.timestamp
    return b"".join(
        chosen.lines(block, columns, timestamp, sanitize=naming.sanitize) for block, columns in _placed(flush, naming)
    )


def points(flush: Flush, naming: Naming, renderer: Renderer | None = None) -> Points:
    """Return the flush as paths and values, in the order of `lines`."""
    chosen = renderer or _installed.renderer
    paths: list[bytes] = []
    values = array("d")
    for block, columns in _placed(flush, naming):
        text, numbers = chosen.points(block, columns, sanitize=naming.sanitize)
        if len(numbers):
            paths.append(text)
            values.extend(numbers)
    return Points(flush.window.timestamp, b"\n".join(paths), values)


def _placed(flush: Flush, naming: Naming) -> Iterator[tuple[Block, list[Placed]]]:
    """Yield each block that has series, with those of its columns that are sent."""
    for kind in ORDER:
        for block in flush.blocks:
            if block.kind is kind and block.count:
                yield block, _columns(block, naming)


def _columns(block: Block, naming: Naming) -> list[Placed]:
    placed = []
    for column in block.columns:
        affix = naming.affix(block.kind, column.name)
        if affix is not None:
            placed.append(Placed(affix.before.encode(), affix.after.encode(), column.values, column.present))
    return placed


def pickles(flush: Flush, naming: Naming) -> Iterator[bytes]:
    """Yield the flush as frames for carbon's pickle port.

    A frame is four bytes of length, big endian, then a list of ``(path, (timestamp, value))`` in pickle protocol 0, values
    as text. Source: carbon's ``MetricPickleReceiver``; the layout is the
    reference server's own.
    """
    laid_out = points(flush, naming)
    parts: list[bytes] = []
    size = 0
    for path, value in laid_out.items():
        part = f"(S'{_quoted(path)}'\n(L{laid_out.timestamp}L\nS'{to_text(value)}'\ntta".encode("ascii")
        if parts and (len(parts) == FRAME_METRICS or size + len(part) > FRAME_BYTES):
            yield _frame(parts)
            parts, size = [], 0
        parts.append(part)
        size += len(part)
    if parts:
        yield _frame(parts)


def _quoted(path: str) -> str:
    """Escape what would end the string or leave ASCII; the bytes of UTF-8 are escaped one by one."""
    if path.isascii() and path.isprintable() and "'" not in path and "\\" not in path:
        return path
    return "".join(chr(byte) if 32 <= byte < 127 and byte not in b"'\\" else f"\\x{byte:02x}" for byte in path.encode())  # noqa: PLR2004 ASCII


def _frame(parts: list[bytes]) -> bytes:
    body = b"(l" + b"".join(parts) + b"."
    return len(body).to_bytes(4, "big") + body
