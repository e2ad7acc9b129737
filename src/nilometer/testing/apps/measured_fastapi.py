"""A FastAPI application of tests with request metrics, as its users write one, as a server imports it."""

import os
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import StreamingResponse

from nilometer.emit.requests.asgi import RequestMetrics
from nilometer.testing.apps.paths import HOST, STATSD

shop = FastAPI()
application = FastAPI()
application.mount("/shop", shop, name="shop")
application.add_middleware(RequestMetrics, client=os.environ[STATSD], host=HOST, groups={"endpoint"})


@application.get("/items/{item}")
def read_item(item: int) -> int:
    """Answer, in a thread of the pool."""
    return item


@application.put("/items/{item}")
async def write_item(item: int, request: Request) -> int:
    """Read the body, answer its length."""
    return item - item + sum([len(piece) async for piece in request.stream()])


@application.get("/stream/{count}")
async def stream(count: int) -> StreamingResponse:
    """Answer in so many pieces of ten bytes."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * 10

    return StreamingResponse(pieces())


@application.websocket("/socket")
async def socket(connection: WebSocket) -> None:
    """Say what is said, once."""
    await connection.accept()
    await connection.send_text(await connection.receive_text())


@shop.get("/items/{item}")
async def sell_item(item: int) -> int:
    """Answer."""
    return item
