"""The admin interface on TCP: one asyncio loop in a thread of its own, beside ingest.

Rules:

* A line is a command, and several may come in one write; they are answered in order. Empty lines between commands are nothing;
  what comes at a time and is nothing but white space is a command that is unknown, as to statsd.
* A command needs no newline: what follows the last one is a command once the peer has sent nothing more for `PAUSE` seconds, or
  has closed its half. So clients work that send ``help`` alone, as to statsd, and a command that the network cuts is still one.
* A peer costs at most a line of `LONGEST` bytes, what it sent in one read, and one answer: while an answer waits to be read,
  nothing more is read or answered. One that does nothing for `IDLE` seconds, or reads nothing, is closed.
* More than `MOST_PEERS` at a time: the newcomer is closed at once.
* A line that ends as the first one of an HTTP request closes the connection: no web page gets commands in by way of a browser.
* What goes wrong on one connection ends that connection only.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import threading
from collections import deque
from typing import TYPE_CHECKING, cast

from nilometer.ingest.admin.commands import ERROR
from nilometer.ingest.sockets import addresses, shown, tcp_socket

if TYPE_CHECKING:
    import socket

    from nilometer.core.url import Url
    from nilometer.ingest.admin.commands import Commands

PORT = 8126
PAUSE = 0.05
IDLE = 300.0
LONGEST = 64 * 1024
MOST_PEERS = 100
HTTP = re.compile(r"HTTP/\d(\.\d)?\s*$")
LOG = logging.getLogger(__name__)


class AdminServer:
    """Answers commands on the addresses of some URLs. Raise OSError when one cannot be bound; nothing runs then."""

    def __init__(self, commands: Commands, *, idle: float = IDLE) -> None:
        self.commands, self.idle = commands, idle
        self.peers: set[Peer] = set()
        self.loop = asyncio.new_event_loop()
        self._servers: list[asyncio.Server] = []
        self._thread = threading.Thread(target=self._run, name="nilometer-admin", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        self.loop.close()

    def listen(self, url: Url) -> list[str]:
        """Answer on every address of a ``tcp://`` URL. Return them with their ports. Raise OSError."""
        port = PORT if url.port is None else url.port
        with contextlib.ExitStack() as opened:
            sockets = [opened.enter_context(tcp_socket(address, port)) for address in addresses(url)]
            names = [shown(sock.getsockname()) for sock in sockets]
            for sock in sockets:
                self._servers.append(asyncio.run_coroutine_threadsafe(self._serve(sock), self.loop).result())
            opened.pop_all()
        return names

    async def _serve(self, sock: socket.socket) -> asyncio.Server:
        return await self.loop.create_server(lambda: Peer(self), sock=sock)

    def stop(self) -> None:
        """Close everything."""
        asyncio.run_coroutine_threadsafe(self._stop(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()

    async def _stop(self) -> None:
        for server in self._servers:
            server.close()
        for peer in list(self.peers):
            peer.abort()
        await asyncio.sleep(0)


class Peer(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: AdminServer) -> None:
        self._server = server
        self._rest = b""
        self._waiting: deque[bytes] = deque()
        self._full = self._ended = False
        self._transport: asyncio.Transport | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._idle: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the peer in, or close it when there are too many."""
        self._transport = cast("asyncio.Transport", transport)
        if len(self._server.peers) >= MOST_PEERS:
            self._transport.abort()
            return
        self._transport.set_write_buffer_limits(0)
        self._server.peers.add(self)
        self._rearm()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _rearm(self) -> None:
        """Begin to wait anew for the peer to do something."""
        if self._idle is not None:
            self._idle.cancel()
        self._idle = self._server.loop.call_later(self._server.idle, self.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the peer, whatever ended it."""
        del exc
        self._server.peers.discard(self)
        self._waiting.clear()
        for timer in (self._pause, self._idle):
            if timer is not None:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Take bytes in, and answer the commands that they complete."""
        self._rearm()
        if self._pause is not None:
            self._pause.cancel()
        if not self._rest and not data.strip():
            self._waiting.append(b"")
        else:
            *lines, self._rest = (self._rest + data).split(b"\n")
            self._waiting.extend(line for line in lines if line.strip())
        if len(self._rest) > LONGEST:
            self._refuse()
        elif self._rest:
            self._pause = self._server.loop.call_later(PAUSE, self._finish)
        self._work()

    def _refuse(self) -> None:
        """Hang up on a line that does not end."""
        if self._transport is not None:
            self._transport.write(ERROR.encode())
            self._transport.close()
        self._rest = b""

    def _finish(self) -> None:
        """Take what has no newline for a command."""
        rest, self._rest = self._rest, b""
        if rest.strip():
            self._waiting.append(rest)
        self._work()

    def eof_received(self) -> bool:
        """Answer what is left, then close."""
        self._ended = True
        self._finish()
        return self._busy()

    def _busy(self) -> bool:
        return bool(self._waiting) or self._full

    def pause_writing(self) -> None:
        """Stop: the peer has not read its answer."""
        self._full = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on: the peer has read its answer."""
        self._full = False
        self._rearm()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
        self._work()

    def _work(self) -> None:
        """Answer what waits, as long as the peer reads."""
        transport = self._transport
        while self._waiting and not self._full and transport is not None and not transport.is_closing():
            answer = self._answer(self._waiting.popleft().decode("utf-8", "replace"))
            if answer is None:
                self._waiting.clear()
                transport.close()
            else:
                transport.write(answer.encode("utf-8", "replace"))
        if self._ended and not self._busy() and transport is not None:
            transport.close()

    def _answer(self, line: str) -> str | None:
        """Return the answer, None to hang up."""
        if HTTP.search(line):
            return None
        try:
            return self._server.commands.answer(line)
        except Exception:  # a fault of ours must not end the interface
            LOG.exception("the admin command %r failed", line[:100])
            return ERROR
