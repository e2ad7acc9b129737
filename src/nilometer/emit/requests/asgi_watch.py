"""Notices while an answer is made and sent that the client has left, by reading on what the server tells.

Rules:

* What was read here is kept for the application, in order, and comes to it as soon as it asks. No two calls of the server's
  `receive` are open at once because of this.
* It reads only when the request's body is at its end or there is none: reading earlier would tell the server to go on with it.
* It needs asyncio. Under another loop nobody watches.

What servers do: `send` raises nothing when the client has left, in uvicorn, hypercorn and granian. All three then tell
``http.disconnect`` to who waits in `receive`, once the `send` that was blocked returns and the loop had a turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context

    from nilometer.emit.requests.asgi_traffic import Message, Receive

MOST = 16
"""Messages that are kept; when so many are there, nobody reads on."""


PATIENT = 0.1
"""Seconds after which it is watched whether the client still waits for the answer."""


class Patience:
    """Has the requests of one loop looked after that take longer than `PATIENT` seconds; one timer serves them all."""

    __slots__ = ("_timed", "_waiting", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._waiting: deque[tuple[float, Callable[[], None]]] = deque()
        self._timed = False

    def add(self, entered: float, look: Callable[[], None]) -> None:
        """Call `look` when a request that came at that moment of `perf_counter` has waited so long, answered or not."""
        self._waiting.append((entered, look))
        if not self._timed:
            self._timed = True
            self.loop.call_later(PATIENT, self._look)

    def _look(self) -> None:
        waiting, due = self._waiting, perf_counter() - PATIENT
        while waiting and waiting[0][0] <= due:
            waiting.popleft()[1]()
        self._timed = bool(waiting)
        if waiting:
            self.loop.call_later(PATIENT / 2, self._look)


class Watch:
    """Reads on in a task of the running loop until the client leaves, then calls `left`; `context` is the server's."""

    __slots__ = ("_ahead", "_left", "_news", "_receive", "_task")

    def __init__(self, receive: Receive, left: Callable[[], None], context: Context) -> None:
        self._receive, self._left = receive, left
        self._ahead: deque[Message] = deque()
        self._news = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._read(), context=context)

    async def _read(self) -> None:
        try:
            while len(self._ahead) < MOST:
                message = await self._receive()
                self._ahead.append(message)
                self._news.set()
                if message.get("type") == "http.disconnect":
                    self._left()
                    return
        except Exception:  # noqa: BLE001 an application that asks gets it from the server
            return
        finally:
            self._news.set()

    async def receive(self) -> Message:
        """Return what the server told next, as the server's `receive` would."""
        while not self._ahead:
            if self._task.done():
                return await self._receive()
            self._news.clear()
            await self._news.wait()
        return self._ahead.popleft()

    def stop(self) -> None:
        """Read no further."""
        self._task.cancel()
