"""Who may ask over HTTP: checks each request before it reaches a route.

Rules:

* Once a token was made, a request carries one whose scope reaches far enough: ``Authorization: Bearer TOKEN``.
* Before that the interface is for this machine alone: the connection is to a loopback address, and the request names
  the interface by such an address, ``localhost`` or a name of the setting. A page of a foreign name that was made to lead here
  (DNS rebinding) is refused.
* What changes something does not come from another site: a browser's ``Origin`` is the interface's own or one of the setting,
  and its ``Sec-Fetch-Site`` says ``same-origin`` or ``none``.
* Who comes with wrong tokens again and again is told to wait: see `failures`.

Source: RFC 6750 (bearer tokens), RFC 6585 (429), the Fetch standard, W3C Fetch Metadata.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import time
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from nilometer.core.errors import StoreError
from nilometer.web.access import needed
from nilometer.web.connection import ALLOWED
from nilometer.web.errors import failure
from nilometer.web.failures import WINDOW, Failures
from nilometer.web.tokens import Scope, digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Send

    from nilometer.web.access import Access
    from nilometer.web.tokens import Token

LOG = logging.getLogger(__name__)
OWN_SITE = {"same-origin", "none"}
BEARER = "bearer "
V4_MAPPED = "::ffff:"
NO_TOKENS = "a token is needed, and there is none; make one: nilometer token create NAME --scope read"
NEEDED = "a token is needed: Authorization: Bearer TOKEN"


class Guard:
    """Passes requests on that may be answered."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access
        self._failures = Failures(time.monotonic)
        self._fault, self._tell_at = "", 0.0

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:  # noqa: ANN401 ASGI's own type
        """Answer one request."""
        if scope["type"] == "http":
            refusal = self._refusal(scope, Headers(scope=scope))
            if refusal is not None:
                await refusal(scope, receive, send)
                return
            if scope["method"] == "HEAD":
                scope = {**scope, "method": "GET"}  # the server leaves the body out
        await self._app(scope, receive, send)

    def _refusal(self, scope: Any, headers: Headers) -> Response | None:  # noqa: ANN401 ASGI's own type
        takes = needed(scope["method"], scope["path"])
        try:
            tokens = self._access.tokens()
        except StoreError as error:
            return None if takes is Scope.NONE else self._unreadable(error)
        if tokens is not None:
            refusal = self._without(takes, tokens, headers, scope)
        elif _is_loopback((scope.get("server") or ("",))[0]):
            host = headers.get("host", "")
            refusal = None if _is_here(host, self._access.names) else _foreign(host)
        else:
            refusal = None if takes is Scope.NONE else failure(401, NO_TOKENS, {"www-authenticate": "Bearer"})
        if refusal is None and takes >= Scope.WRITE and not self._own_site(headers):
            return failure(
                403, "a page of another site may not change anything here; the setting web.origins names those that may"
            )
        return refusal

    def _unreadable(self, error: StoreError) -> Response:
        if str(error) != self._fault:
            self._fault = str(error)
            LOG.error("%s", error)
        return failure(503, "the tokens cannot be read; the server's log says why")

    def _without(self, takes: Scope, tokens: Mapping[str, Token], headers: Headers, scope: Any) -> Response | None:  # noqa: ANN401 ASGI's own type
        """Refuse who has no token that reaches far enough."""
        if takes is Scope.NONE:
            return None
        given = headers.get("authorization", "")
        if not given.lower().startswith(BEARER):
            return failure(401, NEEDED if tokens else NO_TOKENS, {"www-authenticate": "Bearer"})
        token = tokens.get(digest(given[len(BEARER) :].strip()))
        if token is None:
            return self._wrong(str((scope.get("client") or ("",))[0]))
        if token.reach < takes:
            challenge = {"www-authenticate": f'Bearer error="insufficient_scope", scope="{takes.word}"'}
            return failure(403, f"the token {token.name!r} is good for {token.scope}; this takes {takes.word}", challenge)
        scope.setdefault("state", {})[ALLOWED] = lambda: self._known(token)
        return None

    def _known(self, token: Token) -> bool:
        """Return whether the token is in force now."""
        with contextlib.suppress(StoreError):
            return token.hash in (self._access.tokens() or ())
        return False

    def _wrong(self, address: str) -> Response:
        wait = self._failures.count(address)
        if wait:
            self._tell(address)
            return failure(429, f"too many wrong tokens from {address}; wait {wait} s", {"retry-after": str(wait)})
        return failure(
            401, "this token is not known here; it may be revoked", {"www-authenticate": 'Bearer error="invalid_token"'}
        )

    def _tell(self, address: str) -> None:
        """Log who comes with wrong tokens, once in a while, whoever they are."""
        now = time.monotonic()
        if now >= self._tell_at:
            self._tell_at = now + WINDOW
            LOG.warning("HTTP: many wrong tokens from %s, and perhaps from others; they are told to wait", address)

    def _own_site(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin in self._access.origins:
            return True
        own = origin is None or origin.rpartition("://")[2] == headers.get("host", "")
        return own and headers.get("sec-fetch-site", "none") in OWN_SITE


def _foreign(host: str) -> Response:
    return failure(403, f"the name {host[:100]!r} is not this interface's; use http://127.0.0.1 with its port")


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0].removeprefix(V4_MAPPED)).is_loopback
    except ValueError:
        return False


def _is_here(host: str, names: frozenset[str]) -> bool:
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    return name.lower() in names | {"localhost"} or _is_loopback(name.strip("[]"))
