"""What is sent along with a request: read as a whole, with a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST = 1 << 20
"""Bytes in a body, for routes that have no smaller bound."""
LARGER = {"/v1/traces": 8 << 20}
"""The same for paths whose senders know no bound."""


async def whole(request: Request, most: int) -> bytes:
    """Return a request's body of at most so many bytes. Raise `HTTPException`: 413, or 400 for one that has no end."""
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > most:
                raise HTTPException(413, f"the body has more than {most} bytes")
    except ClientDisconnect as error:
        raise HTTPException(400, "the body has no end") from error
    return bytes(body)


class Bounded:
    """Lets a route read at most `MOST` bytes, `LARGER` ones more; reading more is refused as 413."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        read, most = 0, LARGER.get(scope.get("path", ""), MOST)

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > most:
                raise HTTPException(413, f"the body has more than {most} bytes")
            return message

        await self._app(scope, bounded, send)
