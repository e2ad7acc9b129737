"""TLS contexts, of the files that a URL's options name.

Rules: TLS 1.2 at least. Files that cannot be used, a key with a password among them, are a `UrlError` that names the options.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Protocol

from nilometer.core.options import refuse

if TYPE_CHECKING:
    from nilometer.core.errors import UrlError
    from nilometer.core.url import Url


class Own(Protocol):
    """Our certificate and its private key, which is in `cert` when `key` is empty."""

    @property
    def cert(self) -> str:
        """Our certificate."""

    @property
    def key(self) -> str:
        """Our private key."""


class ServerFiles(Own, Protocol):
    """The options of who is connected to."""

    @property
    def client_ca(self) -> str:
        """The authorities whose clients are let in; empty for every client."""


class ClientFiles(Own, Protocol):
    """The options of who connects."""

    @property
    def ca(self) -> str:
        """The authorities to trust; empty for the system's."""

    @property
    def verify(self) -> bool:
        """Check the server's certificate and name."""


def server_context(url: Url, files: ServerFiles) -> ssl.SSLContext:
    """Return the context of a listener. Raise `UrlError`."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    load(made, url, files)
    return made


def load(made: ssl.SSLContext, url: Url, files: ServerFiles) -> None:
    """Put what the files hold now into a listener's context, for connections to come. Raise `UrlError`."""
    _load_own(made, url, files)
    if files.client_ca:
        try:
            made.load_verify_locations(files.client_ca)
        except OSError as error:
            raise _unusable(url, "client_ca", error) from error
        made.verify_mode = ssl.CERT_REQUIRED


def client_context(url: Url, files: ClientFiles) -> ssl.SSLContext:
    """Return the context of a connection to a server. Raise `UrlError`."""
    if files.key and not files.cert:
        raise refuse(url, "option key needs cert, the certificate that it belongs to")
    try:
        made = ssl.create_default_context(cafile=files.ca or None)
    except OSError as error:
        raise _unusable(url, "ca", error) from error
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if files.cert:
        _load_own(made, url, files)
    if not files.verify:
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


def _load_own(made: ssl.SSLContext, url: Url, files: Own) -> None:
    try:
        made.load_cert_chain(files.cert, files.key or None, password=_no_password)
    except (OSError, ValueError) as error:
        raise _unusable(url, "cert and key" if files.key else "cert", error) from error


def _unusable(url: Url, what: str, error: Exception) -> UrlError:
    return refuse(url, f"cannot use {what}: {getattr(error, 'strerror', None) or error}")


def _no_password() -> str:
    """Answer openssl, which would ask the terminal for the password of a key."""
    message = "the key is encrypted; write it without a password, readable by the server alone"
    raise ValueError(message)
