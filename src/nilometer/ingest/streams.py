"""Lines from TCP and Unix stream sockets: one asyncio loop in a thread of its own feeds them to the kernel.

Rules:

* A connection costs at most one line of `max_line` bytes; a longer one is fed cut, so that the kernel counts and shows it
  as a bad line, and the rest of it is skipped, which only counts its bytes. The connection stays.
* Bytes are fed as soon as they are read: nothing queues here, a slow kernel slows the peers down.
* More than `connections` peers at a time, over all listeners: the newcomer is closed at once and counted.
* A last line without its newline counts in all dialects but ``statsd`` when the peer closed in order; otherwise it is lost and
  counted. statsd loses it always.
* A peer from outside the networks is closed before anything of it is read. With TLS a connection counts from the start, the
  handshake must end in time, and lines come after it; a handshake that fails costs its own connection only.
* What goes wrong on one connection ends that connection only.
* `StreamListener.stop` reads what the sockets already hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import sys
import termios
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from nilometer.ingest.entry import Entry
from nilometer.ingest.kernel import STATSD, understood
from nilometer.ingest.sockets import shown

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Coroutine

    from nilometer.core.losses import Losses
    from nilometer.ingest.kernel import Kernel

BACKLOG = 1024
CHUNK = 256 * 1024
FAREWELL = 1.0
"""Seconds for which the end of a TLS session, or of its handshake, is waited for."""


class LineBuffer:
    """Cuts a stream of bytes at its newlines. Holds at most `limit` bytes. Knows no socket.

    `skipped` counts the bytes of lines over the limit that `feed` never returns.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""
        self._skipping = False
        self.skipped = 0

    def feed(self, data: bytes) -> bytes:
        """Take bytes, return the whole lines that they complete. A line over the limit comes cut just beyond it."""
        if self._skipping:
            end, newline, data = data.partition(b"\n")
            self.skipped += len(end)
            if not newline:
                return b""
            self._skipping = False
        head, newline, tail = data.rpartition(b"\n")
        whole = self._rest + head + b"\n" if newline else b""
        self._rest = tail if newline else self._rest + tail
        if len(self._rest) > self._limit:
            whole += self._rest[: self._limit + 1] + b"\n"
            self.skipped += len(self._rest) - self._limit - 1
            self._rest, self._skipping = b"", True
        return whole

    def close(self) -> bytes:
        """Return the last line, which has no newline."""
        rest, self._rest = self._rest, b""
        return rest


@dataclass(slots=True)
class StreamListener:
    """One listening stream socket and its connections."""

    streams: Streams
    address: str
    dialect: str
    idle: float
    entry: Entry
    open: set[Connection] = field(default_factory=set)
    server: asyncio.Server | None = None

    def stop(self) -> None:
        """Take in the peers that wait, read what each connection holds, and close them all. Stopping twice does nothing."""
        server, self.server = self.server, None
        if server is not None:
            self.streams.run(self._stop(server))

    async def _stop(self, server: asyncio.Server) -> None:
        for _ in range(5):  # turns to accept, to create the connection and to begin reading, with some to spare
            await asyncio.sleep(0)
        server.close()
        closing = list(self.open)
        await asyncio.gather(*(connection.drain() for connection in closing))
        await asyncio.gather(*(connection.gone for connection in closing))


class Connection(asyncio.Protocol):
    """One peer."""

    def __init__(self, listener: StreamListener) -> None:
        self._streams, self._listener = listener.streams, listener
        self._lines = LineBuffer(self._streams.max_line)
        self._heard = 0.0
        self._ended = False
        self._timer: asyncio.TimerHandle | None = None
        self.gone = self._streams.loop.create_future()
        self.source = ""
        self._secured = False
        self._handshake: asyncio.Task[None] | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the peer in, or close it when there are too many."""
        self.transport = cast("asyncio.Transport", transport)
        self.source = _peer(transport, self._listener.address)
        entry = self._listener.entry
        if not entry.admits(transport.get_extra_info("peername")):
            entry.refused("address", self.source, "")
            self.transport.abort()
            return
        if not self._streams.admit():
            self.transport.abort()
            return
        self._listener.open.add(self)
        if entry.tls is None:
            self._begin()
        else:
            self.transport.pause_reading()
            self._handshake = self._streams.loop.create_task(self._secure(self.transport, entry.tls))

    def _begin(self) -> None:
        self._heard = self._streams.loop.time()
        self._watch()

    async def _secure(self, transport: asyncio.Transport, tls: ssl.SSLContext) -> None:
        """Agree with the peer on a TLS session, then read what it sends."""
        loop, entry = self._streams.loop, self._listener.entry
        try:
            secured = await loop.start_tls(
                transport,
                self,
                tls,
                server_side=True,
                ssl_handshake_timeout=entry.handshake,
                ssl_shutdown_timeout=FAREWELL,
            )
        except OSError as error:
            entry.refused("tls", self.source, getattr(error, "reason", None) or str(error) or type(error).__name__)
            transport.abort()
            self.connection_lost(None)
            return
        if secured is None:  # the peer has gone meanwhile
            self.connection_lost(None)
            return
        self._secured, self.transport = True, secured
        self._begin()

    def _watch(self) -> None:
        """Close the connection once nothing has come for `idle` seconds."""
        if not self._listener.idle or self.transport is None:
            return
        left = self._heard + self._listener.idle - self._streams.loop.time()
        if left <= 0:
            self.transport.close()
        else:
            self._timer = self._streams.loop.call_later(left, self._watch)

    def data_received(self, data: bytes) -> None:
        """Feed the lines that are whole."""
        self._heard = self._streams.loop.time()
        before = self._lines.skipped
        self._feed(self._lines.feed(data), 1 if b"\n" in data else 0)
        self._streams.skipped += self._lines.skipped - before

    def _feed(self, lines: bytes, packets: int) -> None:
        if lines:
            self._streams.kernel.feed(lines, self.source, self._listener.dialect, packets=packets)

    def eof_received(self) -> None:
        """Note that the peer closed in order; the transport closes itself."""
        self._ended = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the line that was left unfinished."""
        if self._timer is not None:
            self._timer.cancel()
        if not self.gone.done():
            self.gone.set_result(None)
        if self not in self._listener.open:
            return
        self._listener.open.discard(self)
        self._streams.connections -= 1
        self._finish(in_order=self._ended and exc is None)

    def _finish(self, *, in_order: bool) -> None:
        tail = self._lines.close()
        if not tail:
            return
        if in_order and understood(self._listener.dialect)[0] != STATSD:
            self._feed(tail, 1)
        else:
            self._streams.losses.count("stream", "unfinished_line")

    async def drain(self) -> None:
        """Read what the socket holds now, then hang up. What a busy sender adds meanwhile is not waited for."""
        if self._handshake is not None and not self._handshake.done():
            await asyncio.wait([self._handshake], timeout=FAREWELL)
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        with contextlib.suppress(OSError):  # nothing more to read, or a reset: both end the connection
            descriptor = transport.get_extra_info("socket").fileno()
            if self._listener.entry.tls is None:
                transport.pause_reading()
                self._read(descriptor, _held(descriptor))
            elif self._secured:
                await self._read_secured(descriptor)
        if self._listener.entry.tls is None or self._secured:
            transport.close()
        else:
            transport.abort()

    def _read(self, descriptor: int, left: int) -> None:
        while left >= 0:  # one read more than needed, to see whether the peer has closed
            data = os.read(descriptor, CHUNK)
            self._ended = not data
            if self._ended:
                break
            self.data_received(data)
            left -= len(data)

    async def _read_secured(self, descriptor: int) -> None:
        """Let the session take what the socket holds, for at most `FAREWELL` seconds."""
        end = self._streams.loop.time() + FAREWELL
        while _held(descriptor) and self._streams.loop.time() < end:  # noqa: ASYNC110 nothing tells that it is empty
            await asyncio.sleep(0.001)


def _held(descriptor: int) -> int:
    """Return how many bytes a socket holds for us to read. Raise OSError."""
    return int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)), sys.byteorder)


def _peer(transport: asyncio.BaseTransport, address: str) -> str:
    peer = transport.get_extra_info("peername")
    return shown(peer) if isinstance(peer, tuple) else address


class Streams:
    """The loop and its thread. `skipped` counts the bytes of lines over the limit that no kernel was fed, since the start."""

    def __init__(self, kernel: Kernel, losses: Losses, *, max_line: int, most: int) -> None:
        self.kernel, self.losses = kernel, losses
        self.max_line, self.most = max_line, most
        self.connections = 0
        self.skipped = 0
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="nilometer-streams", daemon=True)
        self._thread.start()

    def admit(self) -> bool:
        """Count a newcomer, or refuse it."""
        if self.connections >= self.most:
            self.losses.count("stream", "connection_limit")
            return False
        self.connections += 1
        return True

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        self.loop.close()

    def run(self, work: Coroutine[object, object, None]) -> None:
        """Run `work` on the loop and wait for it."""
        asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def serve(self, sock: socket.socket, address: str, dialect: str, idle: float, entry: Entry | None = None) -> StreamListener:
        """Accept connections on a bound socket; one that is silent for `idle` seconds is closed (0: never)."""
        listener = StreamListener(self, address, dialect, idle, entry or Entry())

        async def begin() -> None:
            listener.server = await self.loop.create_server(lambda: Connection(listener), sock=sock, backlog=BACKLOG)

        self.run(begin())
        return listener

    def stop(self) -> None:
        """End the loop. The listeners are stopped by then."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
