"""TLS of a listener: the context that its files make.

Rules: TLS 1.2 at least. With `client_ca`, a client without a certificate of that authority is refused.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Protocol

from nilometer.core.errors import ConfigError

if TYPE_CHECKING:
    from nilometer.core.url import Url


class Files(Protocol):
    """What is read: the options of whatever listens with TLS."""

    @property
    def cert(self) -> str:
        """File of the certificate."""

    @property
    def key(self) -> str:
        """File of the private key."""

    @property
    def client_ca(self) -> str:
        """File of the authorities whose clients are let in."""


def context(url: Url, options: Files) -> ssl.SSLContext:
    """Return the context. Raise `ConfigError` for files that cannot be used."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    load(made, url, options)
    return made


def load(made: ssl.SSLContext, url: Url, options: Files) -> None:
    """Put what the files hold into a context, for connections to come. Raise `ConfigError` for files that cannot be used."""
    what = "cert and key"
    try:
        made.load_cert_chain(options.cert, options.key or None, password=_no_password)
        what = "client_ca"
        if options.client_ca:
            made.load_verify_locations(options.client_ca)
            made.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        message = f"{url}: cannot use {what}: {reason}"
        raise ConfigError(message) from error


def _no_password() -> str:
    """Answer openssl, which would ask the terminal for the password of a key."""
    message = "the key is encrypted; write it without a password, readable by the server alone"
    raise ValueError(message)
