"""How long a request waited in queues before the application got it, as far as a proxy's header or the connection tells.

Rules:

* A header is what anybody may send: what is no number, or is longer ago than is believable, tells nothing; the future is 0.
* Reading the connection asks the kernel, once for a request, and takes nothing from the socket.

Sources: Heroku's and New Relic's ``X-Request-Start`` and ``X-Queue-Start`` (milliseconds, ``t=`` microseconds), nginx's
``$msec`` (seconds); Linux's ``struct tcp_info``, field ``tcpi_last_data_recv``.
"""

from __future__ import annotations

import re
import socket
import struct
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterable

HEADERS = ("X-Request-Start", "X-Queue-Start")
MOMENT = re.compile(r"\s*(?:t=)?([0-9]{1,20}(?:\.[0-9]{1,9})?)\s*(?:,|\Z)", re.ASCII)
UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))
"""Below which number a time since 1970 is one of how many in a second: 1e11 seconds are the year 5138."""
TCP_INFO = struct.Struct("8x24I")
LAST_DATA_RECV = 11
"""Which of the 32-bit numbers, behind eight bytes, tells the milliseconds since data came last."""


def moment(text: str) -> float | None:
    """Return the seconds since 1970 that a header tells, its unit known by its size; None when it tells none."""
    found = MOMENT.match(text[:64])
    if found is None:
        return None
    number = float(found[1])
    return next((number / unit for most, unit in UNITS if number < most), None)


def told(values: Iterable[str | None], now: float, longest: float) -> float | None:
    """Return the seconds from the earliest moment in headers until `now`, seconds since 1970; None above `longest`."""
    moments = [found for found in (moment(value) for value in values if value) if found]
    if not moments:
        return None
    wait = max(now - min(moments), 0.0)
    return wait if wait <= longest else None


def on_connection(connection: object) -> float | None:
    """Return the seconds since the last packet with data came on a TCP connection; None where the kernel does not tell."""
    option = getattr(socket, "TCP_INFO", None)
    if option is None or getattr(connection, "family", None) not in (socket.AF_INET, socket.AF_INET6):
        return None
    try:
        found: bytes = cast("socket.socket", connection).getsockopt(socket.IPPROTO_TCP, option, TCP_INFO.size)
    except OSError:
        return None
    return float(TCP_INFO.unpack(found)[LAST_DATA_RECV]) / 1000 if len(found) == TCP_INFO.size else None
