"""One request's measurements: what the middleware saw, and the times that follow from it.

Rules:

* No clock, no socket, no framework: moments and durations come in as seconds of one monotonic clock.
* A latency is divided without a rest: receive + request processing + response processing + send = latency. The time before the
  request was entered (`queued`) is no part of it.
* Nothing in here raises, whatever the order of the calls.

    entered ── receive, request processing ──► started ── response processing, send ──► closed
                  └─ dispatched: the endpoint was entered
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nilometer.emit.tracer import Active

CLIENT_LEFT = 499
"""The status of a request whose client left before an answer was begun, as nginx logs it."""
LONGEST_LENGTH = 18
"""Digits of the longest length that is believed."""
FAILED = 500
"""The status of a request that ended in an exception, or without a response."""


class Exchange:
    """A request and its response, as far as they were seen. Moments and durations in seconds, `entered` first of all.

    `expected`: bytes of the request's body as announced, None when unknown. `queued`: seconds the request waited before it was
    entered, None when unknown. `endpoint`, `parameters`: what the framework or a hook found, None while nobody did. `span`: the
    request's, where it is traced.
    """

    __slots__ = (
        "abandoned",
        "closed_at",
        "dispatched_at",
        "endpoint",
        "entered",
        "exception",
        "expected",
        "located",
        "method",
        "parameters",
        "queued",
        "receive_before_dispatch",
        "receive_before_start",
        "receive_bytes",
        "receive_complete",
        "receive_error",
        "receive_longest",
        "receive_seconds",
        "receive_timeout",
        "send_bytes",
        "send_error",
        "send_longest",
        "send_seconds",
        "send_timeout",
        "span",
        "started_at",
        "status",
    )

    def __init__(self, entered: float, method: str = "", expected: int | None = None, queued: float | None = None) -> None:
        self.entered = entered
        self.method = method
        self.expected = expected
        self.queued = queued
        self.endpoint: str | None = None
        self.parameters: Mapping[str, object] = {}
        self.dispatched_at: float | None = None
        self.started_at: float | None = None
        self.closed_at: float | None = None
        self.status = 0
        self.exception = self.located = False
        self.receive_seconds = self.receive_longest = self.receive_before_start = self.receive_before_dispatch = 0.0
        self.receive_bytes = 0
        self.receive_complete = self.receive_error = self.receive_timeout = False
        self.send_seconds = self.send_longest = 0.0
        self.send_bytes = 0
        self.abandoned = self.send_error = self.send_timeout = False
        self.span: Active | None = None

    def received(self, seconds: float, count: int) -> None:
        """Note a part of the request's body: how long it was waited for, how many bytes it has."""
        self.receive_seconds += seconds
        self.receive_bytes += count
        if seconds > self.receive_longest:  # noqa: PLR1730 a call for each part of a body costs more
            self.receive_longest = seconds

    def receive_ended(self) -> None:
        """Note that the request's body is at its end, too early when less than `expected` came."""
        self.receive_complete = True
        if self.expected is not None and self.receive_bytes < self.expected:
            self.receive_error = True

    def receive_failed(self, *, timeout: bool) -> None:
        """Note that the request's body could not be read: the server gave up waiting, or anything else went wrong."""
        if timeout:
            self.receive_timeout = True
        else:
            self.receive_error = True

    def dispatched(self, moment: float, endpoint: str | None = None) -> None:
        """Note that the endpoint was entered, and its name; the first moment and the last name count."""
        if self.dispatched_at is None:
            self.dispatched_at = moment
            self.receive_before_dispatch = self.receive_seconds
        if endpoint is not None:
            self.endpoint = endpoint

    def started(self, moment: float, status: int) -> None:
        """Note that the response was begun; when it is begun anew, the last one counts."""
        self.started_at = moment
        self.receive_before_start = self.receive_seconds
        self.status = status

    def sent(self, seconds: float, count: int = 0) -> None:
        """Note a part of the response's body: how long the server took to send it, how many bytes it has."""
        self.send_seconds += seconds
        self.send_bytes += count
        if seconds > self.send_longest:  # noqa: PLR1730 a call for each part of a body costs more
            self.send_longest = seconds

    def send_failed(self, *, timeout: bool = False) -> None:
        """Note that the response could not be sent to its end."""
        if timeout:
            self.send_timeout = True
        else:
            self.send_error = True

    def left(self) -> None:
        """Note that the client left before the response was begun."""
        self.abandoned = self.send_error = True

    def failed(self) -> None:
        """Note that the application raised an exception which it did not handle."""
        self.exception = True

    def closed(self, moment: float) -> None:
        """Note the end of all."""
        self.closed_at = moment

    @property
    def latency(self) -> float:
        """Seconds from `entered` to the end, 0 before that."""
        return max((self.closed_at or self.entered) - self.entered, 0.0)

    @property
    def request_processing(self) -> float:
        """Seconds the application took until it began the response, without receiving; all of it when it began none."""
        if self.started_at is None:
            return max(self.latency - self.receive_seconds, 0.0)
        return max(self.started_at - self.entered - self.receive_before_start, 0.0)

    @property
    def response_processing(self) -> float | None:
        """Seconds the application took from then on, without sending and receiving; None when it began no response."""
        if self.started_at is None or self.closed_at is None:
            return None
        receive = self.receive_seconds - self.receive_before_start
        return max(self.closed_at - self.started_at - self.send_seconds - receive, 0.0)

    @property
    def dispatch(self) -> float | None:
        """Seconds from `entered` until the endpoint was entered, without receiving; None when no hook told of that."""
        if self.dispatched_at is None:
            return None
        return max(self.dispatched_at - self.entered - self.receive_before_dispatch, 0.0)

    @property
    def outcome(self) -> int:
        """The status; 500 after an exception, unless it was the client who left: then 499, or the status that was begun."""
        if not self.exception and self.status:
            return self.status
        if self.receive_error or self.receive_timeout:
            return CLIENT_LEFT
        if self.abandoned:
            return self.status or CLIENT_LEFT
        return self.status if self.status and (self.send_error or self.send_timeout) else FAILED

    def judge(self, receive_timeout: float, send_timeout: float) -> None:
        """Note the timeouts of one's own: a single wait that took longer than so many seconds; 0 means no bound."""
        if 0 < receive_timeout < self.receive_longest:
            self.receive_timeout = True
        if 0 < send_timeout < self.send_longest:
            self.send_timeout = True


def announced(length: str | None) -> int | None:
    """Return the bytes that a ``Content-Length`` announces, None without one or for what is none."""
    return int(length) if length and len(length) <= LONGEST_LENGTH and length.isascii() and length.isdigit() else None
