"""The contract of a router, the part of a kernel that repeats what comes in before it is read.

Rules:

* A packet is offered without waiting: it is copied into a queue of bounded bytes, and what does not fit is counted.
* To a datagram target a packet goes as it came, unless no datagram can hold it: then it is cut at newlines. Pieces of a
  stream go in datagrams of about 1432 bytes. A stream target gets each packet with a newline after it.
* With a ring each line goes alone, without its newline, to the target that its name falls to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Counts(NamedTuple):
    """What became of a target's packets since the start.

    `sent`: handed to the system, or put into the outbox of a stream; `bytes` theirs. `refused` by the system: nobody listens
    there, or too long. `dropped`: the outbox was full, or the target has no address.
    """

    sent: int
    bytes: int
    refused: int
    dropped: int


class Router(Protocol):
    """Repeats packets to its targets, which are numbered from 0, until it is stopped."""

    def point(self, target: int, address: str | None) -> None:
        """Name the address, ``host:port`` in numbers, of a datagram target; None for none.

        Raise ValueError when it is no address, OSError when there is no way to it.
        """

    def route(self, points: Sequence[tuple[int, int]]) -> None:
        """Use another ring from now on: points of 32 bits and the numbers of their targets.

        Of equal points the first counts.
        """

    def take(self, target: int, seconds: float) -> tuple[bytes, int] | None:
        """Wait for at most `seconds` for something to write to a stream target: bytes, and how many packets they are.

        No bytes: nothing has come. None: nothing will come any more.
        """

    def counts(self) -> Sequence[tuple[int, int, int, int]]:
        """Return the `Counts` of each target."""

    def lost(self) -> tuple[int, int]:
        """Return how many packets the queue had no room for, and how many lines had no target, since the start."""

    def stop(self) -> None:
        """Send what the queue holds, and take nothing more. What waits for streams can still be taken."""
