"""What passes between an ASGI server and an application in one request, measured.

Rules:

* Messages go through as they are. Whatever fails in the looking at them is counted and changes nothing. What is out of order
  is left to the server, which refuses it.
* The time inside `receive` counts until the request's body is at its end, the time inside `send` until the response is.
* The client has left when the server tells so (``http.disconnect``) before the response is at its end, when `send` raises an
  OSError, or when the application is cancelled. It is no error when all that was announced had been sent by then.

Extensions of ASGI that end or carry a response: ``http.response.pathsend``, ``http.response.zerocopysend``,
``http.response.trailers``. The others are passed on, not measured.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import copy_context
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from nilometer.emit.requests.asgi_watch import PATIENT, Watch
from nilometer.emit.requests.measure import announced

if TYPE_CHECKING:
    from nilometer.emit.requests.asgi_scope import RoutedScope
    from nilometer.emit.requests.measure import Exchange
    from nilometer.emit.requests.report import Reporter

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
NO_BODY = frozenset({204, 304})
FAILURE = 500
BLOCKED = 0.001
"""Seconds of a `send` that had to wait for the client."""
LONGEST_PAUSE = 0.002
"""Seconds that are waited after it at most: granian tells from another thread, and the client is slow anyway."""
UNSEEN = 1 << 18
"""Bytes that are sent without a look whether the client is still there."""
START, BODY, TRAILERS = "http.response.start", "http.response.body", "http.response.trailers"
PATH, FILE = "http.response.pathsend", "http.response.zerocopysend"
MEASURED = frozenset({START, BODY, TRAILERS, PATH, FILE})


class Traffic:
    """One request: `receive` and `send` stand for the server's, `scope` goes to the application.

    `bodiless`: the request can have no body. `watchable`: the loop is one of asyncio. When the request is over, the reporter
    tells of it.
    """

    __slots__ = (
        "_body_over",
        "_closing",
        "_context",
        "_ending",
        "_interrupted",
        "_length",
        "_over",
        "_pause",
        "_receive",
        "_receiving",
        "_reporter",
        "_send",
        "_told",
        "_trailers",
        "_unseen",
        "_watch",
        "bodiless",
        "exchange",
        "left",
        "scope",
        "watchable",
    )

    def __init__(self, exchange: Exchange, scope: RoutedScope, receive: Receive, send: Send, reporter: Reporter) -> None:
        self.exchange, self.scope = exchange, scope
        self._receive, self._send, self._reporter = receive, send, reporter
        self.bodiless = self.left = self.watchable = False
        self._body_over = self._closing = self._ending = self._interrupted = self._over = self._told = self._trailers = False
        self._receiving = self._unseen = 0
        self._pause = 0.0
        self._length: int | None = None
        self._watch: Watch | None = None
        self._context = copy_context()

    async def receive(self) -> Message:
        """Return what the server tells."""
        source = self._receive if self._watch is None else self._watch.receive
        began = perf_counter()
        self._receiving += 1
        try:
            message = await source()
        except BaseException as error:
            self._unreceived(error, perf_counter() - began)
            raise
        finally:
            self._receiving -= 1
        if not self._over:
            try:
                self._received(message, perf_counter() - began)
            except Exception as error:  # noqa: BLE001 the message goes through
                self._reporter.fault("receive", error)
        return message

    def _unreceived(self, error: BaseException, seconds: float) -> None:
        if self._over or self._body_over or self.bodiless:
            return
        self.exchange.received(seconds, 0)
        if isinstance(error, OSError):
            self.exchange.receive_failed(timeout=isinstance(error, TimeoutError))
        self._interrupted = not isinstance(error, Exception)

    def _received(self, message: Message, seconds: float) -> None:
        kind, exchange = message["type"], self.exchange
        self._interrupted = False
        if kind == "http.request":
            if not self._body_over:
                exchange.received(seconds, len(message.get("body") or b""))
                if not message.get("more_body"):
                    self._body_over = True
                    exchange.receive_ended()
        elif kind == "http.disconnect":
            self._cut(seconds)
            self._leave()

    def _cut(self, seconds: float) -> None:
        """Note that the client left before the end of its request, unless all that was announced is there."""
        exchange = self.exchange
        if self._body_over or self.bodiless or (exchange.expected is not None and exchange.receive_bytes >= exchange.expected):
            return
        self._body_over = True
        exchange.received(seconds, 0)
        exchange.receive_failed(timeout=0 < self._reporter.options.receive_timeout <= seconds)

    def _leave(self) -> None:
        """Note that the client has left before the end of the response, unless all that was announced has been sent."""
        exchange = self.exchange
        self._closing = self._ending
        if self._over or self._ending or self.left:
            return
        self.left = True
        if exchange.started_at is None:
            if not (exchange.receive_error or exchange.receive_timeout):
                exchange.left()
        elif not (self._empty or (self._length is not None and exchange.send_bytes >= self._length)):
            exchange.send_failed()

    @property
    def _empty(self) -> bool:
        """Whether the response has no body, whatever is said of it."""
        return self.exchange.method == "HEAD" or self.exchange.status in NO_BODY

    async def send(self, message: Message) -> None:
        """Give the server what the application answers."""
        kind = message.get("type") if isinstance(message, dict) else None
        if self._over or kind not in MEASURED or (kind == START) is not (self.exchange.started_at is None):
            await self._send(message)
            return
        began = perf_counter()
        if self._looks(message, began):
            pause, self._unseen, self._pause = self._pause, 0, 0.0
            await asyncio.sleep(pause)
            began = perf_counter()
        count = self._begin(message, began)
        try:
            await self._send(message)
        except BaseException as error:
            self._unsent(error, perf_counter() - began, message, count)
            raise
        self._sent(count, perf_counter(), began)

    def _looks(self, message: Message, now: float) -> bool:
        """Tell whether to let the loop turn once, so that the watch can see that the client has left."""
        if message["type"] == START:
            if now - self.exchange.entered >= PATIENT:
                self.look()
            return self._watch is not None
        if self._watch is None or self.left:
            return False
        return self._unseen >= UNSEEN or (self._unseen > 0 and not message.get("more_body"))

    def _begin(self, message: Message, moment: float) -> int:
        """Look at a message before the server takes it; return the bytes of the body in it."""
        kind = message["type"]
        try:
            if kind == START:
                self._start(message, moment)
                return 0
            if kind == TRAILERS:
                self._ending = not message.get("more_trailers")
                return 0
            self._ending = not self._trailers and (kind == PATH or not message.get("more_body"))
            return 0 if self._empty else self._size(message)
        except Exception as error:  # noqa: BLE001 the server will say what it thinks of it
            self._reporter.fault("send", error)
            return 0

    def _start(self, message: Message, moment: float) -> None:
        self.exchange.started(moment, int(message["status"]))
        self._trailers = bool(message.get("trailers"))
        for name, value in message.get("headers", ()):
            if name.lower() == b"content-length":
                self._length = announced(value.decode("latin-1"))

    def _unsent(self, error: BaseException, seconds: float, message: Message, count: int) -> None:
        """Note what the server did not take; when it is the start, another may follow.

        A server may tell that all is over from within the last `send`, whereupon frameworks cancel it: then it was taken.
        """
        exchange = self.exchange
        if self._closing and not isinstance(error, Exception):
            self._sent(count, perf_counter(), perf_counter() - seconds)
            return
        self._ending = False
        if isinstance(error, OSError):
            self.left = True
            exchange.send_failed(timeout=isinstance(error, TimeoutError))
        elif message["type"] == START and isinstance(error, Exception):
            exchange.started_at, exchange.status = None, 0
            return
        exchange.sent(seconds)

    def _sent(self, count: int, now: float, began: float) -> None:
        seconds = now - began
        self.exchange.sent(seconds, 0 if self.left else count)
        if self._ending:
            self._finish(now)
        elif count:
            self._unseen += count
            if seconds >= BLOCKED:
                self._unseen, self._pause = UNSEEN, min(seconds / 20, LONGEST_PAUSE)
            self.look()

    def _size(self, message: Message) -> int:
        """Return the bytes of the body in a message."""
        kind = message["type"]
        if kind == BODY:
            return len(message.get("body") or b"")
        if kind == PATH:
            return Path(message["path"]).stat().st_size if self._length is None else self._length
        return _of_file(message)

    def look(self) -> None:
        """Read on what the server tells, where that changes nothing: the application does not do so itself."""
        if self._watch is None and not (self.left or self._receiving or self._over) and (self._body_over or self.bodiless):
            self._watch = Watch(self._receive, self._leave, self._context) if self.watchable else None

    def _finish(self, moment: float) -> None:
        """Note the end of the response. One that failed may still be followed by its exception."""
        self._over = True
        self.exchange.closed(moment)
        if self._watch is not None:
            self._watch.stop()
        if self.exchange.status < FAILURE:
            self._tell()

    def raised(self, error: BaseException) -> None:
        """Note that the application raised or was cancelled. What comes after the response is no part of it."""
        exchange = self.exchange
        if isinstance(error, (Exception, BaseExceptionGroup, SystemExit, KeyboardInterrupt)):
            exchange.failed()
        elif self._interrupted:
            exchange.receive_failed(timeout=False)
        elif exchange.started_at is None:
            exchange.left()
        elif not self._over:
            exchange.send_failed()

    def end(self) -> None:
        """Tell of the request, now that the application has returned."""
        exchange = self.exchange
        if not self._over:
            failed = exchange.receive_error or exchange.receive_timeout or exchange.send_error or exchange.send_timeout
            if exchange.status and not (self.left or failed):
                exchange.failed()
            self._finish(perf_counter())
        self._tell()

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            exchange, reached = self.exchange, self.scope.reached
            if reached is not None and exchange.dispatched_at is None:
                exchange.dispatched_at, exchange.receive_before_dispatch = reached
            self._reporter.report(exchange, self.scope)


def _of_file(message: Message) -> int:
    """Return the bytes that will be sent of an open file: as many as asked for, else what is left of it."""
    if message.get("count") is not None:
        return int(message["count"])
    file, offset = message["file"], message.get("offset")
    number = file if isinstance(file, int) else file.fileno()
    if offset is None:
        offset = os.lseek(number, 0, os.SEEK_CUR)
    return max(os.fstat(number).st_size - int(offset), 0)
