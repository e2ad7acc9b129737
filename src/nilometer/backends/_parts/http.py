"""HTTP towards one system at one or more addresses: kept connections, bounded answers, errors that say whether to try again.

Rules:

* A request goes to the address that answered last; when that cannot be reached, to the next. When none can: `Unavailable`.
* An answer is read up to `MOST` bytes and for as long as `timeout`; a longer one is no answer.
* An answer with an error status is an answer: what it means, the caller decides.
"""

from __future__ import annotations

import json
import ssl
import time
import zlib
from collections.abc import Mapping  # noqa: TC003 a named tuple's field
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from nilometer.core.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from urllib3 import BaseHTTPResponse, HTTPConnectionPool

    from nilometer.core.url import Host

MOST = 64 << 20
"""Bytes of an answer, at most."""
PIECE = 1 << 16
GZIP = 16 + zlib.MAX_WBITS
LEVEL = 1  # most of the gain at a small part of the time
SHOWN = 300
"""Characters of a text of the other side that a message shows."""


class Answer(NamedTuple):
    """What came back: the status code, the body, and the headers, their names in small letters."""

    status: int
    body: bytes
    headers: Mapping[str, str] = MappingProxyType({})

    def json(self) -> Any:  # noqa: ANN401 whatever JSON the other side sends
        """Return what the body says; None when it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def shown(self) -> str:
        """Return the body's beginning, fit for a message."""
        return shown(self.body[: 4 * SHOWN].decode("utf-8", "replace"))


def shown(text: object) -> str:
    """Return a text of the other side fit for a message: short, on one line, without control characters."""
    plain = "".join(sign if sign.isprintable() else " " for sign in str(text)[: 2 * SHOWN])
    return plain if len(plain) <= SHOWN else plain[:SHOWN] + "…"


@dataclass(frozen=True, slots=True)
class Peer:
    """How to reach the other side. `name` stands in messages; `headers` go with each request; None for `tls` is plain TCP."""

    name: str
    hosts: Sequence[Host]
    port: int
    timeout: float
    headers: Mapping[str, str]
    tls: ssl.SSLContext | None = None


class Http:
    """Requests to one peer, one at a time."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._pools = [_pool(host, peer) for host in peer.hosts]

    def send(  # noqa: PLR0913 the parts of a request
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        kind: str = "",
        gzip: bool = False,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Answer:
        """Return the answer to a request. `kind` is the body's content type. Raise `Unavailable` when there is none."""
        sent = {**self._peer.headers, **headers}
        if body is not None:
            sent["Content-Type"] = kind
        if body is not None and gzip:
            sent["Content-Encoding"], body = "gzip", _squeezed(body)
        fault: Unavailable | None = None
        for pool in list(self._pools):
            try:
                return self._ask(pool, method, path, body, sent)
            except Unavailable as error:
                fault = fault or error
                self._pools.append(self._pools.pop(0))
        raise fault or Unavailable(self._peer.name)

    def _ask(self, pool: HTTPConnectionPool, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        from urllib3.exceptions import HTTPError  # noqa: PLC0415 a driver is imported where it is used

        try:
            answer = pool.urlopen(
                method, path, body, headers, retries=False, redirect=False, preload_content=False, decode_content=False
            )
            told = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status, self._read(answer), told)
        except (HTTPError, OSError) as error:
            hint = " (name the authority that signed it with ca=FILE)" if "certificate" in str(error).lower() else ""
            message = f"{self._peer.name}: {pool.host} port {pool.port}: {shown(error)}{hint}"
            raise Unavailable(message) from error

    def _read(self, answer: BaseHTTPResponse) -> bytes:
        """Return the whole body. Raise OSError when it is too long or takes too long."""
        pieces, size, end = list[bytes](), 0, time.monotonic() + self._peer.timeout
        while piece := answer.read1(PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > MOST or time.monotonic() > end:
                answer.close()
                message = f"the answer exceeds {MOST} bytes or {self._peer.timeout:g} s"
                raise OSError(message)
        answer.release_conn()
        return b"".join(pieces)

    def close(self) -> None:
        """Hang up. A later request connects again."""
        for pool in self._pools:
            pool.close()
        self._pools = [_pool(host, self._peer) for host in self._peer.hosts]


def _pool(host: Host, peer: Peer) -> HTTPConnectionPool:
    import urllib3  # noqa: PLC0415 a driver is imported where it is used

    name, port = host.name, peer.port if host.port is None else host.port
    if peer.tls is None:
        return urllib3.HTTPConnectionPool(name, port, timeout=peer.timeout, maxsize=1, block=True)
    if peer.tls.verify_mode == ssl.CERT_NONE:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # the operator asked for it
    return urllib3.HTTPSConnectionPool(name, port, timeout=peer.timeout, maxsize=1, block=True, ssl_context=peer.tls)


def _squeezed(body: bytes) -> bytes:
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
    return packer.compress(body) + packer.flush()
