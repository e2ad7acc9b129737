"""Lines to datagrams: as many as fit, in their order. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Packet(NamedTuple):
    """A datagram and the number of its lines."""

    data: bytes
    lines: int


class Packer:
    """Packs lines into datagrams of at most `size` bytes; a longer line goes alone. Holds what does not fill one yet."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lines: list[bytes] = []
        self._bytes = 0

    def add(self, text: str) -> Packet | None:
        """Add a line; returns a datagram when the line does not fit into it any more."""
        line = text.encode("utf-8", "replace")
        full = self.take() if self._lines and self._bytes + len(line) > self._size else None
        self._lines.append(line)
        self._bytes += len(line) + 1
        return full

    def take(self) -> Packet | None:
        """Return what there is, None when there is nothing."""
        if not self._lines:
            return None
        packet = Packet(b"\n".join(self._lines), len(self._lines))
        self.clear()
        return packet

    def clear(self) -> None:
        """Forget what there is."""
        self._lines, self._bytes = [], 0


def pieces(lines: list[str], size: int) -> Iterator[Packet]:
    """Pack lines, each with its end, into pieces of a stream."""
    packer = Packer(size)
    for line in lines:
        if (packet := packer.add(line)) is not None:
            yield Packet(packet.data + b"\n", packet.lines)
    if (rest := packer.take()) is not None:
        yield Packet(rest.data + b"\n", rest.lines)
