"""Asks an ASGI application in the same thread, without a socket: any address on both sides, any bytes in a header."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message


class Answer(NamedTuple):
    """What came back; of headers that stand there twice the last."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 whatever JSON can hold
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks `app` at the address `server` from `client`."""

    app: ASGIApp
    server: str = "127.0.0.1"
    client: str = "203.0.113.7"

    def ask(
        self, target: str, method: str = "GET", headers: Mapping[str, str | bytes] | None = None, body: bytes = b""
    ) -> Answer:
        """Return the answer; what the application raises besides is left to its server, as in a real one."""
        path, _, query = target.partition("?")
        host = f"[{self.server}]" if ":" in self.server else self.server
        given = {"host": host, **(headers or {})}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote_to_bytes(path).decode("utf-8", "replace"),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode() if isinstance(value, str) else value) for name, value in given.items()],
            "client": (self.client, 1),
            "server": (self.server, 8127),
            "state": {},
        }
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        async def run() -> None:
            with contextlib.suppress(Exception):
                await self.app(scope, receive, send)

        asyncio.run(run())
        found = {name.decode("latin1").lower(): value.decode("latin1") for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], found, b"".join(message.get("body", b"") for message in sent[1:]))
