"""Samples as lines: to a StatsD server by URL, or as bytes for a kernel.

Rules:

* Lines go out in portions, with a breath between them, so that a server's receive buffer does not overflow.
* The last line goes out by itself, a moment later: only with it the system says that nobody listens for the others.
* Nothing is kept: what could not be sent is counted, told, and gone.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nilometer.collect.sample import GAUGE
from nilometer.emit.client import StatsD, line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nilometer.collect.sample import Sample

PORTION, BREATH = 500, 0.005
"""Lines that go out together, and seconds between two portions: at most 100,000 lines a second."""
MOMENT = 0.05
PIECE = 1 << 16
"""Bytes that a kernel is given at a time."""


class ToStatsd:
    """A StatsD server. Raise `UrlError` for a wrong URL."""

    def __init__(self, url: str) -> None:
        self._client = StatsD(url)
        self._lost = 0

    def send(self, samples: Iterable[Sample]) -> int:
        """Send samples and return how many that were."""
        count, last = 0, None
        for count, sample in enumerate(samples, 1):
            if last is not None:
                self._emit(last)
            last = sample
            if count % PORTION == 0:
                self._send(BREATH)
        if last is not None:
            self._send(MOMENT)
            self._emit(last)
            self._send(0)
        return count

    def _emit(self, sample: Sample) -> None:
        self._client.emit(sample.kind, sample.stat, sample.value, 1.0, sample.tags)

    def _send(self, seconds: float) -> None:
        """Send what waits, and wait so long."""
        self._client.flush()
        time.sleep(seconds)

    def lost(self) -> dict[str, int]:
        """Return the lines that were lost since the start, by reason."""
        return {reason: number for reason, number in self._client.losses().items() if number}

    def close(self, seconds: float) -> None:
        """Send what waits, for at most so many seconds."""
        self._client.close(seconds)


def pieces(samples: Iterable[Sample]) -> Iterator[bytes]:
    """Yield samples as lines for a kernel, in whole lines of at most about `PIECE` bytes."""
    lines, size = list[bytes](), 0
    for sample in samples:
        text = _text(sample).encode()
        if lines and size + len(text) >= PIECE:
            yield b"\n".join(lines)
            lines, size = [], 0
        lines.append(text)
        size += len(text) + 1
    if lines:
        yield b"\n".join(lines)


def _text(sample: Sample) -> str:
    head = line.head("", sample.stat, sample.tags, "dogstatsd")
    if sample.kind == GAUGE:
        return line.gauge(head, sample.value, 1.0, delta=False)
    return f"{head.before}{line.number(sample.value)}|{sample.kind}{head.behind}"
