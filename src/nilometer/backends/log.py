"""The log, through Python's `logging`: a line for each flush, or for each series; one for each event and each span.

Events are logged as oslo.messaging's driver ``log`` does: to the logger ``oslo.messaging.notification.TYPE``, at the level of
their priority, as JSON of six fields. What that driver drops, ``audit`` and ``sample``, is logged at INFO. Loggers live
as long as the process, so only the first `TYPES` types have one of their own.

Source: https://docs.openstack.org/oslo.messaging/latest/reference/notifier.html, ``oslo_messaging/notify/_impl_log.py``
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nilometer.core.errors import Rejected
from nilometer.core.options import no_host, one_of, option
from nilometer.core.wire.notification import six
from nilometer.core.wire.number import to_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nilometer.core.record import Block, Event, Flush
    from nilometer.core.traces.span import Span
    from nilometer.core.url import Url

SCHEMES = ("log",)
URL_EXAMPLES = ("log://", "log://?each=series&level=debug", "log://?events=line")
EXTRA = ""
LEVELS = ("debug", "info", "warning", "error", "critical")
EACH = ("flush", "series")
EVENTS = ("oslo", "line")
OSLO = "oslo.messaging.notification"
TYPES = 1000
PRIORITIES = {"debug": logging.DEBUG, "warn": logging.WARNING, "error": logging.ERROR, "critical": logging.CRITICAL}
"""The level of each priority; all others are INFO."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is logged, and where."""

    logger: str = option("nilometer.backends.log", "name of the logger of flushes, spans, and events as `line`")
    level: str = option("info", "their level: `debug`, `info`, `warning`, `error` or `critical`")
    each: str = option("flush", "a line for each `flush` or for each `series`")
    events: str = option("oslo", "events as `oslo` (JSON, a logger for each type) or as a `line` in words, by the same logger")


class Log:
    """Logs flushes and events. What the logging set-up does not show is not laid out either."""

    def __init__(self, options: Options) -> None:
        self._logger = logging.getLogger(options.logger)
        self._level = logging.getLevelNamesMapping()[options.level.upper()]
        self._lines = summary if options.each == "flush" else series
        self._write_event = self._as_line if options.events == "line" else self._as_oslo
        self._loggers: dict[str, logging.Logger] = {}

    def write(self, flush: Flush) -> None:
        """Log the flush."""
        if self._logger.isEnabledFor(self._level):
            for line in self._lines(flush):
                self._logger.log(self._level, "%s", line)

    def write_events(self, events: Sequence[Event]) -> None:
        """Log each event. Raise `Rejected` for one whose time no calendar has."""
        for event in events:
            try:
                self._write_event(event)
            except ValueError as error:
                message = f"log: {error}"
                raise Rejected(message) from error

    def write_spans(self, spans: Sequence[Span]) -> None:
        """Log each span: its name, how long it took, whose it was, and its error."""
        if self._logger.isEnabledFor(self._level):
            for span in spans:
                told = f"{span.name} took {span.duration / 1e6:.3f} ms in {span.service}, trace {span.trace}, id {span.id}"
                failed = f", failed: {span.error} {span.message}".rstrip() if span.failed else ""
                self._logger.log(self._level, "%s", _printable(told + failed))

    def _as_line(self, event: Event) -> None:
        """Log an event's type, publisher, priority and payload, in words."""
        if self._logger.isEnabledFor(self._level):
            payload = json.dumps(dict(event.payload), default=str)
            told = "event %s from %s, %s: %s"
            self._logger.log(self._level, told, _printable(event.type), _printable(event.publisher), event.priority, payload)

    def _as_oslo(self, event: Event) -> None:
        level, logger = PRIORITIES.get(event.priority, logging.INFO), self._of(event.type)
        if logger.isEnabledFor(level):
            logger.log(level, "%s", json.dumps(six(event), default=str))

    def _of(self, type_: str) -> logging.Logger:
        """Return the logger of a type, that of all others when there are too many."""
        found = self._loggers.get(type_)
        if found is None:
            if len(self._loggers) >= TYPES:
                return logging.getLogger(OSLO)
            found = self._loggers[type_] = logging.getLogger(f"{OSLO}.{type_}")
        return found

    def check(self) -> str:
        """Say which logger is written to and whether it shows anything."""
        shown = "shows" if self._logger.isEnabledFor(self._level) else "hides"
        return f"log: logger {self._logger.name} {shown} level {logging.getLevelName(self._level).lower()}"

    def close(self) -> None:
        """Nothing is held."""


def open(url: Url) -> Log:  # noqa: A001 each backend has this name
    """Open ``log://``. Raise `UrlError` for a wrong option."""
    no_host(url)
    options = url.options(Options)
    one_of(url, "level", options.level, LEVELS)
    one_of(url, "each", options.each, EACH)
    one_of(url, "events", options.events, EVENTS)
    return Log(options)


def summary(flush: Flush) -> Iterator[str]:
    """Yield the one line about a flush: its window and how many series of each kind."""
    counts: Counter[str] = Counter()
    for block in flush.blocks:
        counts[block.kind] += block.count
    kinds = ", ".join(f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in counts.items() if count)
    end = datetime.fromtimestamp(flush.window.end, UTC)
    yield f"flush {end:%Y-%m-%dT%H:%M:%SZ} over {flush.window.interval:g} s: {kinds or 'no series'}"


def series(flush: Flush) -> Iterator[str]:
    """Yield a line for each series: its kind, its key, then ``statistic=value`` for each statistic."""
    for block in flush.blocks:
        yield from _rows(block)


def _rows(block: Block) -> Iterator[str]:
    for index, key in enumerate(block.keys()):
        there = (column for column in block.columns if column.present is None or column.present[index])
        values = " ".join(f"{column.name}={to_text(column.values[index])}" for column in there)
        yield f"{block.kind} {_printable(key)} {values}"


def _printable(key: str) -> str:
    return key if key.isprintable() else "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in key)
