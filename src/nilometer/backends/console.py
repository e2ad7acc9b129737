"""The console: each flush on standard output, as aligned text, as one line of JSON, or as statsd's console backend dumps it.

Flushes, events and spans come from several threads, and several sinks may print: what one prints is never cut by another.
A reader that stalls (a stopped pager behind a pipe) makes the sink `Unavailable`; one that is gone makes it `Rejected`, since
no later attempt could reach it. What a stalled reader got half of is printed again, whole, on a line of its own.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import select
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nilometer.backends._parts.statsd_console import PRETTY, dump
from nilometer.backends._parts.table import tables
from nilometer.core.errors import Rejected, Unavailable
from nilometer.core.options import at_least, no_host, one_of, option, refuse
from nilometer.core.quantity import Duration
from nilometer.core.wire import span as wire
from nilometer.core.wire.inspect import Style
from nilometer.core.wire.number import from_text, to_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

    from nilometer.core.record import Block, Event, Flush
    from nilometer.core.traces.span import Span
    from nilometer.core.url import Url

SCHEMES = ("console",)
URL_EXAMPLES = ("console://", "console://?format=json", "console://?format=statsd", "console://?format=statsd&pretty=true")
EXTRA = ""
FORMATS = ("text", "json", "statsd")
WIDTH = 120
"""Columns of text where the terminal does not say."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a flush is shown."""

    format: str = option("text", "`text`, `json` (one line a flush) or `statsd` (as statsd's console backend)")
    rows: int = option(50, "series of each kind that `text` shows; 0 shows all")
    pretty: bool = option(default=False, text="with `format=statsd`: in colours, and nothing left out for its depth")
    percentiles: str = option("90", "with `format=statsd`: what is shown as `pctThreshold`, with commas between")
    timeout: Duration = option(Duration(5), "longest time that a reader may stall")  # noqa: RUF009 declares a field


class Console:
    """Prints flushes to the standard output of the moment."""

    def __init__(self, options: Options, percentiles: tuple[float, ...] = ()) -> None:
        self._options, self._percentiles = options, percentiles

    def write(self, flush: Flush) -> None:
        """Print the flush. Raise `Unavailable` when the reader stalls, `Rejected` when there is none any more."""
        _PRINTER.print(self._text(flush) + "\n", self._options.timeout)

    def write_events(self, events: Sequence[Event]) -> None:
        """Print a line of JSON for each event. Raise as `write` does."""
        text = "".join(json.dumps(dataclasses.asdict(event), ensure_ascii=True, default=str) + "\n" for event in events)
        _PRINTER.print(text, self._options.timeout)

    def write_spans(self, spans: Sequence[Span]) -> None:
        """Print a line of JSON for each span. Raise as `write` does."""
        lines = (wire.text(wire.as_object(span)).decode() + "\n" for span in spans)
        _PRINTER.print("".join(lines), self._options.timeout)

    def _text(self, flush: Flush) -> str:
        if self._options.format == "json":
            return as_json(flush)
        if self._options.format == "statsd":
            return dump(flush, self._percentiles, PRETTY if self._options.pretty else Style())
        return "\n".join(_readable(flush, self._options.rows))

    def check(self) -> str:
        """Say where the text goes."""
        kind = "a terminal" if output().isatty() else "no terminal"
        return f"console: standard output is {kind}, format {self._options.format}"

    def close(self) -> None:
        """Nothing is held."""


def open(url: Url) -> Console:  # noqa: A001 each backend has this name
    """Open ``console://``. Raise `UrlError` for a wrong option."""
    no_host(url)
    options = url.options(Options)
    one_of(url, "format", options.format, FORMATS)
    at_least(url, "rows", options.rows, 0)
    at_least(url, "timeout", options.timeout, 0.001)
    return Console(options, _percentiles(url, options.percentiles))


def _percentiles(url: Url, text: str) -> tuple[float, ...]:
    """Read numbers with commas between. Raise `UrlError`."""
    numbers = [from_text(part) for part in text.split(",")] if text else []
    if None in numbers:
        raise refuse(url, f"option percentiles: {text!r} is not numbers with commas between")
    return tuple(number for number in numbers if number is not None)


def as_json(flush: Flush) -> str:
    """Return the flush as one line of JSON; numbers that JSON has not are the strings NaN, Infinity, -Infinity."""
    series = [shown for block in flush.blocks for shown in _series(block)]
    window = flush.window
    record = {"timestamp": window.timestamp, "interval": window.interval, "processing_ms": flush.processing_ms}
    return json.dumps({**record, "series": series}, ensure_ascii=False, allow_nan=False)


def _series(block: Block) -> Iterator[dict[str, object]]:
    for index, key in enumerate(block.keys()):
        there = [column for column in block.columns if column.present is None or column.present[index]]
        values = {column.name: _number(column.values[index]) for column in there}
        yield {"kind": block.kind.value, "key": key, **values}


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else to_text(value)


def _readable(flush: Flush, rows: int) -> Iterator[str]:
    """Yield the lines of the text form: a heading, then a table for each kind."""
    end = datetime.fromtimestamp(flush.window.end, UTC)
    took = f"{flush.processing_ms:.3g} ms"
    yield f"── {end:%Y-%m-%d %H:%M:%S} UTC · {flush.window.interval:g} s · {flush.series} series · {took} ".ljust(72, "─")
    yield from tables(flush, rows, _width())


def _width() -> int:
    with contextlib.suppress(OSError, ValueError):
        return os.get_terminal_size(output().fileno()).columns
    return WIDTH


def output() -> TextIO:
    """Return the standard output of the moment."""
    return sys.stdout


class _Printer:
    """The standard output, which all console sinks of the process share: one text at a time, each on lines of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._torn: TextIO | None = None

    def print(self, text: str, timeout: float) -> None:
        """Print a text whole. Raise `Unavailable` or `Rejected`; what is printed next then begins a new line."""
        end = time.monotonic() + timeout
        if not self._lock.acquire(timeout=timeout):
            raise _stalled(timeout)
        try:
            stream = output()
            stream.flush()
            text, self._torn = ("\n" if self._torn is stream else "") + text, stream
            _put(stream, text, end)
            self._torn = None
        except TimeoutError as error:
            raise _stalled(timeout) from error
        except (BrokenPipeError, ValueError) as error:
            message = "console: nobody reads standard output any more"
            raise Rejected(message) from error
        except OSError as error:
            message = f"console: standard output: {error.strerror}"
            raise Unavailable(message) from error
        finally:
            self._lock.release()


_PRINTER = _Printer()


def _stalled(timeout: float) -> Unavailable:
    return Unavailable(f"console: standard output: no reader within {timeout:g} s")


def _put(stream: TextIO, text: str, end: float) -> None:
    """Write to the stream's descriptor, until the clock shows `end` at most; to the stream itself when it has none."""
    try:
        descriptor = stream.fileno()
    except OSError:  # a stream in memory
        stream.write(text)
        return
    view = memoryview(text.encode(stream.encoding or "utf-8", "replace"))
    ready = select.poll()
    ready.register(descriptor, select.POLLOUT)
    while view:
        if not ready.poll(max(end - time.monotonic(), 0) * 1000):
            raise TimeoutError
        view = view[os.write(descriptor, view[: select.PIPE_BUF]) :]  # a ready pipe takes so much without blocking
