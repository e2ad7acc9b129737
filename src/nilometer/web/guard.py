"""Who may ask over HTTP: checks each request before it reaches a route.

Rules:

* With a token, every request carries it: ``Authorization: Bearer TOKEN``.
* Without one the interface is for this machine alone, and a request names it by a loopback address, ``localhost`` or a name of
  the setting: a page of a foreign name that was made to lead here (DNS rebinding) is refused.
* What changes something does not come from another site: a browser's ``Origin`` is the interface's own, and its
  ``Sec-Fetch-Site`` says ``same-origin`` or ``none``. No answer allows another site to read it.

Source: RFC 6750 (bearer tokens), the Fetch standard, W3C Fetch Metadata.
"""

from __future__ import annotations

import hmac
import ipaddress
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from nilometer.web.errors import failure

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from nilometer.web.access import Access

READING = {"GET", "HEAD"}
OWN_SITE = {"same-origin", "none"}


class Guard:
    """Passes requests on that may be answered."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            refusal = self._refusal(str(scope["method"]), Headers(scope=scope))
            if refusal is not None:
                await refusal(scope, receive, send)
                return
            if scope["method"] == "HEAD":
                scope = {**scope, "method": "GET"}  # the server leaves the body out
        await self._app(scope, receive, send)

    def _refusal(self, method: str, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if self._access.token:
            given = headers.get("authorization", "").removeprefix("Bearer ").encode()
            if not hmac.compare_digest(given, self._access.token.encode()):
                message = "send the token of the setting web.token_file: Authorization: Bearer TOKEN"
                return failure(401, message, {"www-authenticate": "Bearer"})
        elif not _is_here(host, self._access.names):
            return failure(403, f"the name {host[:100]!r} is not this interface's; use http://127.0.0.1 with its port")
        if method not in READING and not _own_site(host, headers):
            return failure(403, "a page of another site may not change anything here")
        return None


def _is_here(host: str, names: frozenset[str]) -> bool:
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if name.lower() in names | {"localhost"}:
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def _own_site(host: str, headers: Headers) -> bool:
    origin = headers.get("origin", f"http://{host}")
    return origin.rpartition("://")[2] == host and headers.get("sec-fetch-site", "none") in OWN_SITE
