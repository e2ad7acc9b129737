"""Sockets that the server opens."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from nilometer.core.url import parse
from nilometer.ingest.sockets import addresses, tcp_socket

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter


async def nagle_is_off() -> bool:
    """Return whether what is written to a connection leaves at once."""
    found = asyncio.get_running_loop().create_future()

    def met(_: StreamReader, writer: StreamWriter) -> None:
        found.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    (address,) = addresses(parse("http://127.0.0.1:0"))
    sock = tcp_socket(address, 0)
    async with await asyncio.start_server(met, sock=sock):
        _, writer = await asyncio.open_connection(*sock.getsockname())
        is_off = bool(await found)
        writer.close()
        return is_off


def test_answers_over_tcp_leave_at_once() -> None:
    assert asyncio.run(nagle_is_off())
