"""Plays an ASGI server for one request, by a script: what the client sends, how long that takes, when it leaves.

Like uvicorn it tells ``http.disconnect`` when the response is over or the client has left, and takes what is sent after that
without a word.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nilometer.testing.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence

    Message = dict[str, Any]
    Sent = MutableMapping[str, Any]
    Application = Callable[[Any, Any, Any], Awaitable[None]]

DISCONNECT = {"type": "http.disconnect"}


def part(body: bytes = b"", *, more: bool = False) -> Message:
    """Return a piece of a request's body, by default its last."""
    return {"type": "http.request", "body": body, "more_body": more}


def start(status: int = 200, *headers: tuple[bytes, bytes], **more: object) -> Message:
    """Return the start of a response."""
    return {"type": "http.response.start", "status": status, "headers": list(headers), **more}


def body(data: bytes = b"", *, more: bool = False) -> Message:
    """Return a piece of a response's body, by default its last."""
    return {"type": "http.response.body", "body": data, "more_body": more}


def http_scope(method: str = "GET", path: str = "/", headers: Iterable[tuple[bytes, bytes]] = ()) -> Message:
    """Return the scope of a request."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"test"), *headers],
        "client": ("203.0.113.7", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }


@dataclass
class ScriptedServer:
    """Gives `events` one after the other; each takes `receive_seconds` of `clock`, each send takes `send_seconds`.

    ``leaves_after``: the client leaves within that many sends (0: within the first). ``raises``: what the send of a number
    raises. ``sent``, ``asked``: what came of it.
    """

    events: Sequence[Message] = (part(),)
    clock: ManualClock = field(default_factory=ManualClock)
    receive_seconds: float = 0.0
    send_seconds: float = 0.0
    leaves_after: int | None = None
    raises: dict[int, BaseException] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    asked: int = 0

    def __post_init__(self) -> None:
        self._left = list(self.events)
        self._over = asyncio.Event()

    async def receive(self) -> Message:
        """Return the next event; wait for the end of the request when there is none."""
        self.asked += 1
        if self._left and not self._over.is_set():
            self.clock.advance(self.receive_seconds)
            return self._left.pop(0)
        await self._over.wait()
        return dict(DISCONNECT)

    async def send(self, message: Sent) -> None:
        """Take a message."""
        number = len(self.sent)
        self.clock.advance(self.send_seconds)
        if number in self.raises:
            raise self.raises[number]
        self.sent.append(message)
        if self.leaves_after is not None and number >= self.leaves_after:
            self.leave()
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self.leave()

    def leave(self) -> None:
        """Be left by the client."""
        self._over.set()

    async def serve(self, application: Application, scope: Message | None = None) -> None:
        """Serve one request; what the application raises goes on."""
        await application(http_scope() if scope is None else scope, self.receive, self.send)

    def run(self, application: Application, scope: Message | None = None) -> None:
        """Serve one request in a loop of its own."""
        asyncio.run(self.serve(application, scope))
