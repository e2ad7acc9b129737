"""What every answer tells a browser: to run nothing but the interface's own files, and to show it nowhere else.

Rules:

* A route's own header wins.
* A drawing (SVG) brings its own style and may do nothing else, wherever it is shown.

Source: W3C Content Security Policy Level 3, the Fetch standard (Cross-Origin-Resource-Policy), OWASP Secure Headers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "content-security-policy"
PAGE = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
DRAWING = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class SecurityHeaders:
    """Adds the headers to every answer, also to those of the guard."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                drawing = headers.get("content-type", "").startswith("image/svg+xml")
                for name, value in ({POLICY: DRAWING if drawing else PAGE} | HEADERS).items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)
