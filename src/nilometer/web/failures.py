"""How many wrong tokens came from which address lately: a bounded table.

Rules:

* An address, of IPv6 its network of 64 bits, has `MOST` failures in `WINDOW` seconds; what fails beyond them is told to wait.
* A right token is taken meanwhile: nobody locks out others behind the same address, and guessing gains nothing by it.
* The table holds `PLACES` addresses; the one that was entered first makes room.
"""

from __future__ import annotations

import ipaddress
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MOST, WINDOW, PLACES = 10, 60.0, 10_000
NETWORK = 64


class Failures:
    """The table. `clock` tells seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._table: dict[str, tuple[float, int]] = {}

    def count(self, address: str) -> int:
        """Count a failure; return for how many seconds the address must wait, 0 while it need not."""
        place, now = _place(address), self._clock()
        began, number = self._table.get(place, (now, 0))
        if now - began >= WINDOW:
            self._table.pop(place)
            began, number = now, 0
        if place not in self._table and len(self._table) >= PLACES:
            self._table.pop(next(iter(self._table)))
        self._table[place] = began, number + 1
        return max(math.ceil(began + WINDOW - now), 1) if number >= MOST else 0

    def __len__(self) -> int:
        """Return how many addresses there are."""
        return len(self._table)


def _place(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, NETWORK), strict=False))
    return address
