"""A connection to one NATS server, on which nothing secret is sent before TLS stands where that is wanted."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from nats.aio.client import Client

    from nilometer.core.url import Host, Url

PORT = 4222
CLOSING = 1.0
"""Seconds that a connection has to close in good order."""


class Login(NamedTuple):
    """The token to log in with, empty where user and password are asked for, or nothing; and how long that may take."""

    token: str
    timeout: float


async def connect(url: Url, host: Host, tls: ssl.SSLContext | None, login: Login) -> Client:
    """Connect to one address, once. Raise what nats-py raises, and OSError where TLS is wanted and not spoken."""
    from nats.aio.client import Client  # noqa: PLC0415 a driver is imported where it is used
    from nats.errors import NoServersError  # noqa: PLC0415 see above

    client = Client()

    def secret(text: str) -> Callable[[], str]:
        return lambda: _guarded(client, tls, text)

    options: dict[str, Any] = {"tls": tls, "tls_hostname": host.name} if tls else {}
    if login.token:
        options["token"] = secret(login.token)
    elif url.user is not None:
        options |= {"user": secret(url.user), "password": secret(url.password or "")}
    place = host._replace(port=PORT if host.port is None else host.port)
    options |= {"allow_reconnect": False, "max_reconnect_attempts": 1, "reconnect_time_wait": 0}
    faults = list[Exception]()

    async def keep(fault: Exception) -> None:
        faults[:] = [fault]

    options |= {"error_cb": keep, "connect_timeout": login.timeout, "name": "nilometer"}
    try:
        await client.connect(f"{'tls' if tls else 'nats'}://{place}", **options)
        _guarded(client, tls, "")
    except BaseException as error:
        await hang_up(client)
        if isinstance(error, NoServersError) and faults:
            raise faults[0] from error
        raise
    return client


async def hang_up(client: Client) -> None:
    """Close the connection, also one that came about by half, or whose other side does not read. Raise nothing."""
    with contextlib.suppress(Exception):
        await asyncio.wait_for(client.close(), CLOSING)
    writer = getattr(client._transport, "_io_writer", None)  # noqa: SLF001 nats-py keeps what it did not connect
    if writer is not None:
        writer.transport.abort()


def _guarded(client: Client, tls: ssl.SSLContext | None, text: str) -> str:
    """Return the text that is to be sent, unless TLS is wanted and does not stand: nats-py goes on without when told to."""
    if tls and not client._server_info.get("tls_required"):  # noqa: SLF001 nats-py has no other word for it
        message = "the server does not speak TLS; write nats://, or have it speak TLS"
        raise ConnectionError(message)
    return text
