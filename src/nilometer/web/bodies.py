"""The bound on what is sent along with a request, for routes that bring none of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST = 1 << 20
"""Bytes in a body."""


class Bounded:
    """Lets a route read at most `MOST` bytes; reading more is refused as 413."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        read = 0

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MOST:
                raise HTTPException(413, f"the body has more than {MOST} bytes")
            return message

        await self._app(scope, bounded, send)
