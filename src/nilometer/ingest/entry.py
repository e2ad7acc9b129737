"""How a stream's peer comes in: from which networks, and with TLS or without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nilometer.ingest.guard import holds

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from nilometer.ingest.guard import Network


def _ignore(reason: str, source: str, why: str) -> None:
    del reason, source, why


@dataclass(slots=True)
class Entry:
    """What a listener asks of its peers. `tls` may be replaced while it runs; `handshake` in seconds.

    `refused` hears the reason, the peer's address, and what is known besides.
    """

    allowed: tuple[Network, ...] = ()
    tls: ssl.SSLContext | None = None
    handshake: float = 10.0
    refused: Callable[[str, str, str], None] = _ignore

    def admits(self, peer: object) -> bool:
        """Return whether a peer, by its address as the socket module has it, may come in."""
        return not self.allowed or (isinstance(peer, tuple) and holds(self.allowed, str(peer[0])))
