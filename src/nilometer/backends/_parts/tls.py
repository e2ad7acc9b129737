"""TLS towards another system: the options that backends share, and the context made of them."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Protocol

from nilometer.core.options import refuse

if TYPE_CHECKING:
    from nilometer.core.url import Url

CA = "file with the authorities to trust, PEM; the system's when empty"
CERT = "file with our certificate, PEM"
KEY = "file with our private key, PEM; in `cert` when empty"
VERIFY = "check the certificate and the host's name"


class Files(Protocol):
    """The options: names of files, and whether to look at the other side's certificate."""

    @property
    def ca(self) -> str:
        """The authorities to trust."""

    @property
    def cert(self) -> str:
        """Our certificate."""

    @property
    def key(self) -> str:
        """Our private key."""

    @property
    def verify(self) -> bool:
        """Check the certificate and the host's name."""


def tls_context(url: Url, options: Files, *, wanted: bool, cure: str) -> ssl.SSLContext | None:
    """Return how to speak TLS; None when it is not `wanted`, and then the message for a file that needs it ends with `cure`.

    Raise `UrlError` for files that cannot be used.
    """
    files = {name: getattr(options, name) for name in ("ca", "cert", "key") if getattr(options, name)}
    if not wanted:
        if files or not options.verify:
            raise refuse(url, f"option {next(iter(files), 'verify')} is for TLS; {cure}")
        return None
    if "key" in files and "cert" not in files:
        raise refuse(url, "option key needs cert, the certificate that it belongs to")
    try:
        made = ssl.create_default_context(cafile=options.ca or None)
        if options.cert:
            made.load_cert_chain(options.cert, options.key or None)
    except OSError as error:
        raise refuse(url, f"cannot use {' or '.join(files)}: {error.strerror or error}") from error
    if not options.verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made
