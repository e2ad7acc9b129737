"""Request metrics of a FastAPI application as its users have it: added as a middleware, sent by the real client."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from nilometer.testing.apps.kinds import ASGI
from nilometer.testing.apps.site import site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.testing.apps.site import Site

APP = "nilometer.testing.apps.measured_fastapi:application"
SLOW = [pytest.param(kind.name, marks=() if kind.name == "uvicorn" else pytest.mark.slow) for kind in ASGI]
MANY = 300


@pytest.fixture(scope="module", params=SLOW)
def shop(request: pytest.FixtureRequest) -> Iterator[Site]:
    with site(request.param, app=APP) as found:
        yield found


async def upload(port: int, size: int) -> bytes:
    """Send a body in two pieces, others coming between; return the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"PUT /items/1 HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size)
    writer.write(b"x" * (size // 2))
    await asyncio.sleep(0)
    writer.write(b"x" * (size - size // 2))
    answer = await reader.read()
    writer.close()
    return answer


def test_endpoints_are_called_what_their_functions_are(shop: Site) -> None:
    paths = ["/items/7", "/items/8", "/stream/3", "/shop/items/1", "/secret/1", "/shop/secret/2"]
    assert [shop.ask(path).status for path in paths] == [200, 200, 200, 200, 404, 404]
    assert shop.ask("/items/7", "DELETE").status == 405
    assert len(shop.values("dispatch_timing", "read_item", 2)) == 2
    assert shop.values("resp_size_bytes", "stream") == [30]
    assert len(shop.values("timing", "shop_sell_item")) == 1
    assert shop.values("errors", "unmatched", 3) == [1, 1, 1]
    assert not [name for name in shop.catcher.names() if "secret" in name]


def test_websockets_pass_through(shop: Site) -> None:
    with shop.connect() as connection:
        assert connection.upgrade("/socket").startswith(b"HTTP/1.1 101")
        assert connection.say(b"measured?") == b"measured?"


def test_hundreds_at_once_do_not_mix(shop: Site) -> None:
    async def together() -> list[bytes]:
        return await asyncio.gather(*(upload(shop.server.port, size) for size in range(1, MANY + 1)))

    answers = asyncio.run(together())
    assert [int(answer.rpartition(b"\r\n\r\n")[2]) for answer in answers] == list(range(1, MANY + 1))
    assert sorted(shop.values("size_bytes", "write_item", MANY)) == list(range(1, MANY + 1))
    assert len(shop.values("timing", "write_item", MANY)) == MANY
    assert not {name.split(".")[3] for name in shop.catcher.names()} & {"receive_errors", "send_errors", "failures"}
