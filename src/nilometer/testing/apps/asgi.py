"""The ASGI application of tests, bare: `plain`."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from nilometer.emit.requests.endpoints import endpoint
from nilometer.testing.apps.paths import CHUNK, DISPATCH, PROCESSING, RESPONDING, Asked, announce, asked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    Handler = Callable[[Asked, Message, Receive, Send], Awaitable[None]]

TYPE = (b"content-type", b"text/plain")


async def plain(scope: Message, receive: Receive, send: Send) -> None:
    """Do what the path says; say over a WebSocket what was said."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["type"] == "websocket":
        await websocket(receive, send)
    else:
        request = asked(scope["path"], scope["query_string"].decode("latin-1"))
        await HANDLERS.get(request.what, missing)(request, scope, receive, send)


async def lifespan(receive: Receive, send: Send) -> None:
    """Say yes to start and stop."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def websocket(receive: Receive, send: Send) -> None:
    """Accept, then say what is said."""
    while (message := await receive())["type"] != "websocket.disconnect":
        if message["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})
        else:
            await send({"type": "websocket.send", "text": message.get("text") or ""})


async def start(send: Send, status: int = 200, *headers: tuple[bytes, bytes]) -> None:
    """Start an answer."""
    await send({"type": "http.response.start", "status": status, "headers": [TYPE, *headers]})


async def body(send: Send, data: bytes = b"", *, more: bool = False) -> None:
    """Send a piece of an answer, by default its last."""
    await send({"type": "http.response.body", "body": data, "more_body": more})


async def text(send: Send, data: bytes, status: int = 200) -> None:
    """Answer with a short text."""
    await start(send, status, (b"content-length", b"%d" % len(data)))
    await body(send, data)


class Left(Exception):
    """The client left before its request's end."""


async def read(receive: Receive) -> int:
    """Read the body to its end; return how many bytes it had. Raise `Left` when the client has left."""
    total = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Left
        total += len(message.get("body", b""))
        if not message.get("more_body"):
            return total


async def hello(_: Asked, __: Message, ___: Receive, send: Send) -> None:
    """Answer ``hello``."""
    await text(send, b"hello\n")


async def echo(request: Asked, _: Message, receive: Receive, send: Send) -> None:
    """Answer how many bytes the body had."""
    announce(request)
    await text(send, b"%d\n" % await read(receive))


async def slow(request: Asked, _: Message, __: Receive, send: Send) -> None:
    """Answer after ``seconds``."""
    announce(request)
    await asyncio.sleep(request.number("seconds"))
    await text(send, b"slept\n")


async def timed(request: Asked, _: Message, receive: Receive, send: Send) -> None:
    """Spend known times on dispatch, on the request and on the response."""
    await asyncio.sleep(DISPATCH)
    await endpoint_of_timed(request, receive, send)


@endpoint("timed")
async def endpoint_of_timed(request: Asked, receive: Receive, send: Send) -> None:
    """Read the body, then answer in two pieces."""
    announce(request)
    await read(receive)
    await asyncio.sleep(PROCESSING)
    await start(send)
    await slowly(send, 2, RESPONDING)


async def slowly(send: Send, count: int, pause: float) -> None:
    """Send pieces, a pause of so many seconds before each."""
    for _ in range(count):
        await asyncio.sleep(pause)
        await body(send, b"piece\n", more=True)
    await body(send)


async def stream(request: Asked, _: Message, __: Receive, send: Send) -> None:
    """Answer in ``count`` pieces of unknown length."""
    await start(send)
    await slowly(send, int(request.number("count", 3)), request.number("pause"))


async def big(request: Asked, _: Message, __: Receive, send: Send) -> None:
    """Answer with ``chunks`` of 64 KiB, their length announced."""
    chunks = int(request.number("chunks", 256))
    announce(request)
    await start(send, 200, (b"content-length", b"%d" % (chunks * len(CHUNK))))
    for _number in range(chunks):
        await asyncio.sleep(0)  # as one that reads from somewhere: a server learns nothing of its client while nobody waits
        await body(send, CHUNK, more=True)
    await body(send)


async def boom_before(_: Asked, __: Message, ___: Receive, ____: Send) -> None:
    """Raise before the answer starts."""
    message = "before the answer"
    raise RuntimeError(message)


async def boom_body(_: Asked, __: Message, ___: Receive, send: Send) -> None:
    """Raise within the answer."""
    await start(send)
    await body(send, b"half\n", more=True)
    message = "within the answer"
    raise RuntimeError(message)


async def fail(_: Asked, __: Message, ___: Receive, send: Send) -> None:
    """Answer 503."""
    await text(send, b"down\n", 503)


async def refuse(_: Asked, __: Message, ___: Receive, send: Send) -> None:
    """Answer 403, without a look at the body."""
    await text(send, b"no\n", 403)


async def missing(_: Asked, __: Message, ___: Receive, send: Send) -> None:
    """Answer 404."""
    await text(send, b"nothing here\n", 404)


async def unchanged(_: Asked, scope: Message, __: Receive, send: Send) -> None:
    """Answer 304 to who has it already."""
    if dict(scope["headers"]).get(b"if-none-match") == b'"1"':
        await send({"type": "http.response.start", "status": 304, "headers": [(b"etag", b'"1"')]})
        await body(send)
    else:
        await start(send, 200, (b"etag", b'"1"'), (b"content-length", b"4"))
        await body(send, b"new\n")


async def head(_: Asked, scope: Message, __: Receive, send: Send) -> None:
    """Answer HEAD without a body, everything else with 12 bytes."""
    await start(send, 200, (b"content-length", b"12"))
    await body(send, b"" if scope["method"] == "HEAD" else b"twelve bytes")


async def process(_: Asked, __: Message, ___: Receive, send: Send) -> None:
    """Answer the number of the process."""
    await text(send, b"%d" % os.getpid())


HANDLERS: dict[str, Handler] = {
    "hello": hello, "echo": echo, "slow": slow, "timed": timed, "stream": stream, "big": big, "boom-before": boom_before,
    "boom-body": boom_body, "fail": fail, "refuse": refuse, "unchanged": unchanged, "head": head, "process": process,
}  # fmt: skip
