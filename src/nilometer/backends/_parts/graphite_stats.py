"""The figures that statsd's Graphite backend sends about itself, under statsd's own names.

With NAME being statsd's ``prefixStats``: ``NAME.numStats``, ``NAME.graphiteStats.calculationtime``, ``NAME.processing_time``,
then ``last_exception``, ``last_flush``, ``flush_time`` and ``flush_length`` below ``NAME.graphiteStats``. All stand below the
global prefix, but in the legacy namespace: there below ``stats``, and ``numStats`` below nothing. Times of the day are
seconds since the epoch, spans milliseconds; the last four tell of the flush before this one.

Source: the reference server's ``backends/graphite.js``.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nilometer.core.naming import Naming
from nilometer.core.record import Flush, Kind, block

if TYPE_CHECKING:
    from collections.abc import Callable


class Stats:
    """Keeps what the last write took, and makes it a flush of plain paths to be laid out with `naming`."""

    def __init__(self, name: str, naming: Naming, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._numbers = name if naming.legacy else _below(naming.prefix, name)
        self._rest = _below("stats" if naming.legacy else naming.prefix, name)
        self.naming = Naming(prefix="", gauge="", suffix=naming.suffix)
        self._last_exception = 0.0
        self._last_flush = round(now())
        self._flush_time = 0.0
        self._flush_length = 0

    def flush(self, flush: Flush, calculation_ms: float) -> Flush:
        """Return the figures that follow `flush`, whose layout took `calculation_ms`."""
        values = {
            f"{self._numbers}.numStats": flush.series,
            f"{self._rest}.graphiteStats.calculationtime": round(calculation_ms, 3),
            f"{self._rest}.processing_time": round(flush.processing_ms, 3),
            f"{self._rest}.graphiteStats.last_exception": self._last_exception,
            f"{self._rest}.graphiteStats.last_flush": self._last_flush,
            f"{self._rest}.graphiteStats.flush_time": round(self._flush_time, 3),
            f"{self._rest}.graphiteStats.flush_length": self._flush_length,
        }
        return Flush(flush.window, (block(Kind.GAUGE, {"value": values.values()}, values),))

    def written(self, milliseconds: float, length: int) -> None:
        """Note that a flush of `length` bytes took so long to write."""
        self._last_flush, self._flush_time, self._flush_length = round(self._now()), milliseconds, length

    def failed(self) -> None:
        """Note that a flush could not be written."""
        self._last_exception = round(self._now())

    def figures(self) -> dict[str, float]:
        """Return what statsd's command ``stats`` tells of the backend."""
        return {
            "last_flush": self._last_flush,
            "last_exception": self._last_exception,
            "flush_time": self._flush_time,
            "flush_length": self._flush_length,
        }


def _below(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name
