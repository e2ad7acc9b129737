"""Lines on their way out: a queue that any thread appends to, and whoever empties it.

Rules:

* `lines` is a deque: appending takes no lock, so a signal's handler or a destructor may do it at any moment. The client
  appends, and calls `press` when `limit` lines wait.
* One at a time empties it. Who finds another at it goes away; a handler that interrupts the emptying does, too.
* At most `queue` lines wait; beyond that the oldest are dropped and counted.
* A daemon thread empties it every `flush` seconds. It starts with the first line, and again in a forked child, which sends
  nothing of its parent's (`emit.lifetime`).
* Datagrams go out from whoever presses, for they never wait; a stream belongs to the thread.
"""

from __future__ import annotations

import encodings.idna  # noqa: F401 finding a host loads it: a child that is forked while a thread does so would never find one
import weakref
from abc import ABC, abstractmethod
from collections import deque
from threading import Event, RLock, Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING

from nilometer.emit import lifetime
from nilometer.emit.client.datagrams import Datagrams
from nilometer.emit.client.options import ETHERNET_MTU, LOCAL_MTU, LONGEST_DATAGRAM, PIECE
from nilometer.emit.client.packing import Packer, Packet
from nilometer.emit.client.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nilometer.core.statsd_target import Target
    from nilometer.emit.client.losses import Losses
    from nilometer.emit.client.options import Options

PRESSED = 64
"""Lines that wait before someone empties the queue."""
DEADLINE = 2.0
"""Seconds that the end of the program may take for what still waits."""
PATIENCE = 1.0
"""Seconds that `flush` waits for another thread at it."""
ROOM_SECONDS = 0.01
"""Between two looks whether the system has room again, at the end."""


class Outbox(ABC):
    """What both kinds share: the queue, its bound, the thread, the fork, the end."""

    def __init__(self, options: Options, losses: Losses) -> None:
        self.lines: deque[str] = deque()
        self.limit = 1  # the first line starts the thread
        self.gather: Callable[[], Iterable[str]] = tuple
        self.forget: Callable[[], None] = self.lines.clear  # what a child does to what `gather` would bring
        self._options, self._losses = options, losses
        self._lock = RLock()
        self._busy = False
        self._wake = Event()
        self._stop = False
        self._thread: Thread | None = None
        lifetime.follow(self)

    @property
    def idle(self) -> bool:
        """Whether nobody empties it, because nothing came yet."""
        return self._thread is None

    def press(self) -> None:
        """Make room: `limit` lines wait."""
        if self._thread is None:
            self._start()
        if self._stop:
            self._losses.count("closed", self._emptied())
        self._bound()

    def flush(self) -> None:
        """Send all that waits, as far as that needs no waiting."""
        self._exclusively(self._everything, PATIENCE)

    def close(self, deadline: float) -> None:
        """Stop the thread, send all that can be sent within `deadline` seconds, and count the rest as lost."""
        end = monotonic() + deadline
        self._stop = True
        self._wake.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(max(end - monotonic(), 0.0) / 2)
        self._exclusively(lambda: self._finish(end), max(end - monotonic(), 0.0))
        self.limit = 1

    def forked(self) -> None:
        """Begin anew in a child."""
        self.lines.clear()
        self.forget()
        self._lock, self._busy, self._wake = RLock(), False, Event()
        self._losses.forked()
        running, self._thread = self._thread is not None, None
        if running:
            self._start()

    def _start(self) -> None:
        """Start the thread, unless another is about to: then that one does."""
        if self._lock.acquire(blocking=False):
            try:
                if self._thread is None and not self._stop:
                    self._begin()
            finally:
                self._lock.release()

    def _begin(self) -> None:
        self.limit = PRESSED if self._options.flush else 1
        lifetime.end_with_multiprocessing(self)
        self._thread = Thread(target=_run, args=(weakref.ref(self), self._wake), name="nilometer-client", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # the interpreter ends: what comes now goes out at the end
            self._thread = None
            self.limit = PRESSED

    def _bound(self) -> None:
        dropped = 0
        while len(self.lines) > self._options.queue:
            try:
                self.lines.popleft()
            except IndexError:
                break
            dropped += 1
        if dropped:
            self._losses.count("queue", dropped)

    def _exclusively(self, work: Callable[[], None], patience: float = 0) -> None:
        """Do what only one may do at a time; not at all when another is at it for longer than `patience` seconds."""
        if not (self._lock.acquire(timeout=patience) if patience > 0 else self._lock.acquire(blocking=False)):
            return
        try:
            if not self._busy:
                self._busy = True
                try:
                    work()
                except Exception:  # noqa: BLE001 neither the application nor the thread may end of it
                    self._losses.count("error")
                finally:
                    self._busy = False
        finally:
            self._lock.release()

    def _emptied(self) -> int:
        count = len(self.lines)
        self.lines.clear()
        return count

    def seconds(self) -> float:
        """Return how long the thread may sleep."""
        return self._options.flush or PATIENCE

    def prepare(self) -> None:  # noqa: B027 a stream has nothing to prepare
        """Do what the thread does first."""

    def tick(self) -> bool:
        """Do what the thread does each time; returns whether it goes on."""
        self._wake.clear()
        self._exclusively(self._everything)
        self._bound()
        return not self._stop

    @abstractmethod
    def _everything(self) -> None:
        """Send all that can be sent now."""

    @abstractmethod
    def _finish(self, end: float) -> None:
        """Send all that can be sent until the moment `end`, count the rest, and hang up."""


class DatagramOutbox(Outbox):
    """Lines that go out as datagrams."""

    def __init__(self, target: Target, options: Options, losses: Losses) -> None:
        super().__init__(options, losses)
        self._datagrams = Datagrams(target, losses)
        self._packer = Packer(options.mtu or (LOCAL_MTU if target.local else ETHERNET_MTU))

    def press(self) -> None:
        """Send what fills datagrams, at once."""
        super().press()
        if self.lines and self._datagrams.ready():
            self._exclusively(self._fill if self._options.flush else self._everything)

    def forked(self) -> None:
        """Begin anew in a child."""
        self._datagrams.forked()
        self._packer.clear()
        super().forked()

    def prepare(self) -> None:
        """Ask for the host's name, then send what came meanwhile; for an address whoever sends has opened the socket."""
        if not self._datagrams.literal and not self._datagrams.ready() and self._datagrams.open():
            self.press()

    def tick(self) -> bool:
        """See to the host's name, then send everything."""
        if not self._datagrams.ready() or self._datagrams.stale():
            self._datagrams.open()
        return super().tick()

    def _fill(self) -> None:
        lines, add = self.lines, self._packer.add
        while lines:
            packet = add(lines.popleft())
            if packet is not None:
                self._send(packet)

    def _everything(self) -> None:
        self.lines.extend(self.gather())
        if not self._datagrams.ready():
            return
        self._datagrams.retry()
        self._fill()
        if (rest := self._packer.take()) is not None:
            self._send(rest)

    def _send(self, packet: Packet) -> None:
        if len(packet.data) > LONGEST_DATAGRAM:
            self._losses.count("too_long", packet.lines)
        else:
            self._datagrams.send(packet.data, packet.lines)

    def _finish(self, end: float) -> None:
        self._everything()
        while not self._datagrams.retry() and monotonic() < end:
            sleep(ROOM_SECONDS)
        self._datagrams.give_up()
        self._losses.count("network", self._emptied())
        self._datagrams.close()


class StreamOutbox(Outbox):
    """Lines that go out over a stream, by the thread."""

    def __init__(self, target: Target, options: Options, losses: Losses) -> None:
        super().__init__(options, losses)
        self.stream = Stream(target, options.timeout)
        self._packer = Packer(PIECE)
        self._piece: Packet | None = None

    def press(self) -> None:
        """Wake the thread."""
        super().press()
        if not self._wake.is_set():
            self._wake.set()

    def flush(self) -> None:
        """Have the thread send what waits, and wait a little until it did."""
        self._wake.set()
        end = monotonic() + PATIENCE
        while (self.lines or self._piece) and not self.stream.wait() and monotonic() < end:
            sleep(ROOM_SECONDS)

    def forked(self) -> None:
        """Begin anew in a child."""
        self.stream.forked()
        self._packer.clear()
        self._piece = None
        super().forked()

    def seconds(self) -> float:
        """Return how long the thread may sleep: until the next try, when the server is away."""
        return max(super().seconds(), self.stream.wait())

    def _everything(self) -> None:
        self.lines.extend(self.gather())
        while not self.stream.wait() and (self._piece or self._next()) and self._sent():
            pass

    def _next(self) -> bool:
        """Make the next piece; returns whether there is one."""
        packet = None
        while packet is None and self.lines:
            packet = self._packer.add(self.lines.popleft())
        packet = packet or self._packer.take()
        self._piece = None if packet is None else Packet(packet.data + b"\n", packet.lines)
        return self._piece is not None

    def _sent(self, timeout: float | None = None) -> bool:
        """Send the piece; what is left of it after a break stays."""
        assert self._piece is not None  # noqa: S101 whoever calls made one
        data = self._piece.data
        rest = data[self.stream.send(data, timeout) :]
        self._piece = Packet(rest, rest.count(b"\n")) if rest else None
        return not rest

    def _finish(self, end: float) -> None:
        self.lines.extend(self.gather())
        while (self._piece or self._next()) and monotonic() < end:
            if not self._sent(max(end - monotonic(), ROOM_SECONDS)):
                sleep(min(self.stream.wait(), max(end - monotonic(), 0.0)))
        left = self._piece.lines if self._piece else 0
        self._losses.count("network", left + self._emptied())
        self._piece = None
        self.stream.close()


def _run(outbox: weakref.ref[Outbox], wake: Event) -> None:
    """Empty an outbox until it is closed or thrown away; the thread holds it only while it works."""
    found = outbox()
    if found is not None:
        found.prepare()
    while found is not None:
        seconds = found.seconds()
        del found
        wake.wait(seconds)
        found = outbox()
        if found is None or not found.tick():
            return
