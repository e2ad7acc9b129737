"""TLS towards another system: the options that backends share, and the context made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core.options import refuse
from nilometer.core.tls import client_context

if TYPE_CHECKING:
    import ssl

    from nilometer.core.tls import ClientFiles
    from nilometer.core.url import Url

CA = "file with the authorities to trust, PEM; the system's when empty"
CERT = "file with our certificate, PEM"
KEY = "file with our private key, PEM; in `cert` when empty"
VERIFY = "check the certificate and the host's name"


def tls_context(url: Url, options: ClientFiles, *, wanted: bool, cure: str) -> ssl.SSLContext | None:
    """Return how to speak TLS; None when it is not `wanted`, and then the message for a file that needs it ends with `cure`.

    Raise `UrlError` for files that cannot be used.
    """
    if wanted:
        return client_context(url, options)
    given = [name for name in ("ca", "cert", "key") if getattr(options, name)]
    if given or not options.verify:
        raise refuse(url, f"option {next(iter(given), 'verify')} is for TLS; {cure}")
    return None
