"""A bound on what a request may send, however it says how much that is: more than `LARGEST` bytes are answered with 413."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST = 1 << 20
"""Bytes of a body; an item has at most 400 KiB."""


class BodyLimit:
    """An ASGI application that lets another read so much of a request, and no more."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the other application does."""
        got = 0

        async def bounded() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > LARGEST:
                raise HTTPException(413, f"a request has at most {LARGEST} bytes")
            return message

        await self.app(scope, bounded if scope["type"] == "http" else receive, send)
