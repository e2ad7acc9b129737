"""Where the HTTP interface may listen: what its URLs say, checked before anything is bound.

Rules: ``http://HOST:PORT`` or ``https://HOST:PORT?cert=FILE&key=FILE``. TLS is that of listeners: 1.2 at least.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nilometer.core.options import option, refuse
from nilometer.ingest.sockets import addresses

if TYPE_CHECKING:
    import ssl

    from nilometer.core.url import Url

PORT = 8127
HTTP, HTTPS = "http", "https"


@dataclass(frozen=True, slots=True)
class HttpsOptions:
    """Options of ``https://``."""

    cert: str = option("", "file with the certificate, PEM, its chain behind it; SIGHUP reads it again")
    key: str = option("", "file with the private key, PEM; in `cert` when empty")
    client_ca: str = option("", "file with the authorities whose clients may ask, PEM; any client when empty")


def check(url: Url) -> None:
    """Raise `ConfigError` for a URL that cannot be listened on, without reading the files that it names."""
    plain = url.scheme == HTTP and not url.query
    if not (plain or url.scheme == HTTPS) or url.user is not None or len(url.hosts) > 1 or url.path.strip("/"):
        raise refuse(url, f"the HTTP interface has one host; write {HTTP}://127.0.0.1:{PORT}, or {HTTPS}:// with cert and key")
    if not plain and not url.options(HttpsOptions).cert:
        raise refuse(url, "option cert is missing: add ?cert=FILE&key=FILE")


def context(url: Url) -> ssl.SSLContext | None:
    """Return what TLS the URL asks for, None for none. Raise `ConfigError` for files that cannot be used."""
    if url.scheme != HTTPS:
        return None
    from nilometer.core import tls  # noqa: PLC0415 ssl costs a server without it its start

    made = tls.server_context(url, url.options(HttpsOptions))
    made.set_alpn_protocols(["http/1.1"])
    return made


def renew(url: Url, used: ssl.SSLContext) -> None:
    """Have connections to come use the certificate and the key as the files hold them now. Raise `ConfigError`.

    A handshake meanwhile, in another thread, would fail: it could get the new certificate with the old key.
    """
    from nilometer.core import tls  # noqa: PLC0415 see above

    tls.load(used, url, url.options(HttpsOptions))


def is_local(url: Url) -> bool:
    """Return whether the URL is for this machine alone."""
    try:
        return all(ipaddress.ip_address(address.host.partition("%")[0]).is_loopback for address in addresses(url))
    except OSError:
        return True  # nothing of this name can be bound, which is told then
