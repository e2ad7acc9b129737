"""The StatsD client.

Rules:

* Nothing raises for the state of the network or for what is sent, nothing waits. Only a wrong URL or option raises, when the
  client is made.
* What is dropped is counted by reason (`losses`).
* A line costs a look-up, a text and an append; texts of names and tags are kept, up to `KEPT` of them.
"""

from __future__ import annotations

import os
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from nilometer.emit.client import line
from nilometer.emit.client.aggregate import Aggregate
from nilometer.emit.client.losses import Losses, Lost
from nilometer.emit.client.methods import Methods
from nilometer.emit.client.options import constant_tags, read
from nilometer.emit.client.outbox import DEADLINE, DatagramOutbox, Outbox, StreamOutbox
from nilometer.emit.client.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.core.statsd_target import Target
    from nilometer.emit.client.line import Head, Tags
    from nilometer.emit.client.options import Options

KEPT = 10_000
"""Texts of names and tags that are kept."""
NUMBERS = frozenset({"c", "ms", "h", "d"})
"""Types whose values are numbers, each with a meaning of its own."""
LOCALHOST = "statsd://127.0.0.1:8125"
ENVIRONMENT = "NILOMETER_STATSD"
"""The variable that holds the URL of clients that are made without one."""


class StatsD(Methods):
    """A client of a StatsD server.

    ``url``: ``statsd://host:8125``, ``statsd+tcp://…``, ``statsd+unix:///path`` or ``statsd+unixgram:///path``, with options
    behind ``?``: ``prefix``, ``tags``, ``constant``, ``mtu``, ``flush``, ``queue``, ``aggregate``, ``timeout``. Without one,
    ``$NILOMETER_STATSD``, or port 8125 of this machine. ``prefix`` and ``tags`` (of every line) add to those of the URL.
    Raises ValueError for a wrong one.
    """

    def __init__(self, url: str | None = None, *, prefix: str | None = None, tags: Tags = None) -> None:
        target, options = read(url or os.environ.get(ENVIRONMENT) or LOCALHOST)
        self._begin(target, options, prefix, tags)

    def _begin(self, target: Target, options: Options, prefix: str | None = None, tags: Tags = None) -> None:
        """Begin with a target that was read."""
        self._prefix = "".join(f"{part.rstrip('.')}." for part in (options.prefix, prefix) if part)
        self._dialect = options.tags
        self._constant = tuple((dict(constant_tags(options.constant)) | dict(line.pairs(tags))).items())
        self._losses = Losses()
        self._outbox: Outbox = (StreamOutbox if target.stream else DatagramOutbox)(target, options, self._losses)
        self._aggregate: Aggregate | None = None
        if options.aggregate:
            self._aggregate = Aggregate()
            self._outbox.gather, self._outbox.forget = self._aggregate.lines, self._aggregate.forked
        self._numbers = NUMBERS - {"c"} if options.aggregate else NUMBERS
        self._lines = self._outbox.lines
        self._heads: dict[Any, Head] = {}
        self._end = weakref.finalize(self, self._outbox.close, DEADLINE)

    def emit(self, kind: str, stat: str, value: object, rate: float = 1.0, tags: Tags = ()) -> None:
        """Send a value as it is, its kind ``c``, ``g``, ``ms``, ``s``, ``h`` or ``d``; the caller drew the sample."""
        try:
            try:
                before, behind = self._heads[line.key(stat, tags) if tags else stat]
            except (KeyError, TypeError):
                before, behind = self._head(stat, tags)
            if kind not in self._numbers:
                self._other(kind, line.Head(before, behind), value, rate)
                return
            text = value if type(value) is int else line.number(value)
            if rate == 1:
                self._lines.append(f"{before}{text}|{kind}{behind}")
            else:
                self._lines.append(f"{before}{text}|{kind}{line.sampled(rate)}{behind}")
            if len(self._lines) >= self._outbox.limit:
                self._outbox.press()
        except Lost as lost:
            self._losses.count(lost.reason)
        except Exception:  # noqa: BLE001 nothing reaches the application
            self._losses.count("error")

    def change(self, stat: str, value: float, rate: float = 1.0, tags: Tags = ()) -> None:
        """Change a gauge by a value, of either sign."""
        with self._guarded():
            self._gauge(self._head(stat, tags), value, rate, delta=True)

    def event(  # noqa: PLR0913 the fields of an event
        self,
        title: str,
        text: str,
        *,
        alert_type: str | None = None,
        priority: str | None = None,
        aggregation_key: str | None = None,
        source_type_name: str | None = None,
        date_happened: int | None = None,
        hostname: str | None = None,
        tags: Tags = None,
    ) -> None:
        """Send an event of DogStatsD.

        ``alert_type``: ``error``, ``warning``, ``info`` or ``success``; ``priority``: ``normal`` or ``low``.
        """
        with self._guarded():
            fields = (("d", date_happened), ("h", hostname), ("k", aggregation_key), ("p", priority))
            more = (("s", source_type_name), ("t", alert_type))
            self._dogstatsd(line.event(title, text, fields + more, self._all(tags)))

    def service_check(  # noqa: PLR0913 the fields of a check
        self,
        name: str,
        status: int,
        *,
        timestamp: int | None = None,
        hostname: str | None = None,
        message: str = "",
        tags: Tags = None,
    ) -> None:
        """Send a service check of DogStatsD: status 0 is OK, 1 warning, 2 critical, 3 unknown."""
        with self._guarded():
            self._dogstatsd(line.check(name, status, (("d", timestamp), ("h", hostname)), self._all(tags), message))

    def pipeline(self) -> Pipeline:
        """Return a pipeline: what is given to it goes out together, when it is sent or its ``with`` ends."""
        return Pipeline(self)

    def flush(self) -> None:
        """Send what waits, as far as that takes no waiting; a stream's thread is given up to a second."""
        with self._guarded():
            self._outbox.flush()

    def close(self, deadline_seconds: float = DEADLINE) -> None:
        """Send what waits within so many seconds, and stop; lines that come later are counted as lost. May be called twice."""
        if self._end.detach() is not None:
            with self._guarded():
                self._outbox.close(deadline_seconds)

    def losses(self) -> dict[str, int]:
        """Return the lines that were dropped, by reason: see `nilometer.emit.client.losses`."""
        return self._losses.totals()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Let nothing reach the application; what fails is counted."""
        try:
            yield
        except Lost as lost:
            self._losses.count(lost.reason)
        except Exception:  # noqa: BLE001 nothing reaches the application
            self._losses.count("error")

    def _head(self, stat: str, tags: Tags) -> Head:
        """Make what stands around a value, and keep it while there is room. Raise `Lost`."""
        key: Any = stat
        if tags:
            key = line.key(stat, tags if line.texts(tags) else line.pairs(tags))
            found = self._heads.get(key)
            if found is not None:
                return found
        made = line.head(self._prefix, str(stat), self._all(tags), self._dialect)
        if len(self._heads) < KEPT:
            self._heads[key] = made
        return made

    def _all(self, tags: Tags) -> tuple[tuple[str, str], ...]:
        """Return the client's tags and a call's own, which win."""
        own = line.pairs(tags)
        if not self._constant:
            return own
        names = {name for name, _ in own}
        return tuple(pair for pair in self._constant if pair[0] not in names) + own

    def _other(self, kind: str, head: Head, value: object, rate: float) -> None:
        """Send what is no plain number: a gauge, a set, a counter that is added up. Raise `Lost`."""
        if kind == "g":
            self._gauge(head, value, rate, delta=False)
        elif kind == "s":
            self._write(f"{head.before}{line.member(value)}|s{line.sampled(rate)}{head.behind}")
        elif kind == "c" and self._aggregate is not None:
            line.sampled(rate)  # refuses what is none
            self._write(*self._aggregate.count(head, line.finite(value), rate))
        else:
            reason = "kind"
            raise Lost(reason)

    def _gauge(self, head: Head, value: object, rate: float, *, delta: bool) -> None:
        if self._aggregate is not None:
            self._write(*self._aggregate.gauge(head, line.finite(value), delta=delta))
        else:
            self._write(line.gauge(head, line.finite(value), rate, delta=delta))

    def _dogstatsd(self, text: str) -> None:
        """Send a line that DogStatsD alone has. Raise `Lost`."""
        if self._dialect != "dogstatsd":
            reason = "kind"
            raise Lost(reason)
        self._write(text)

    def _write(self, *lines: str) -> None:
        self._lines.extend(lines)
        if len(self._lines) >= self._outbox.limit or self._outbox.idle:
            self._outbox.press()
