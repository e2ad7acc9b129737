"""Kernels to test with, by name, and what they flush as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nilometer.core.naming import Naming
from nilometer.core.record import Flush, Window
from nilometer.core.wire.render import lines
from nilometer.ingest._reference import ReferenceKernel
from nilometer.testing.missing import Missing

if TYPE_CHECKING:
    from nilometer.ingest.kernel import Aggregates, Kernel

NAMES = ("reference", "native")
IN_SERVERS = ("native", pytest.param("reference", marks=pytest.mark.slow))
"""What tests that start servers run over. That kernels agree is tested without servers, so the reference may take its time."""
NAMING = Naming(prefix="")
"""Paths start with the kind: ``counters.``, ``timers.``, ``gauges.``, ``sets.``."""


def make(name: str) -> Kernel:
    """Return a new kernel. Raise `Missing` when the native one is not built, `StaleBuild` when from other sources."""
    if name == "reference":
        return ReferenceKernel()
    from nilometer.ingest import _kernel  # noqa: PLC0415 the reference must be testable where no native kernel is

    try:
        return _kernel.native()
    except ModuleNotFoundError as error:
        message = f"the native kernel is not built ({error}); type: make native"
        raise Missing(message, "native") from error


def as_flush(aggregates: Aggregates, seconds: float = 1.0) -> Flush:
    """Return the aggregates as the flush of a window that ends at ``seconds``."""
    return Flush(Window(0.0, seconds, seconds), aggregates.blocks)


def text_of(aggregates: Aggregates) -> dict[str, str]:
    """Return path and value as text, in order of the lines; a path that comes twice is an error."""
    rows = [line.rsplit(" ", 2)[:2] for line in lines(as_flush(aggregates), NAMING).decode().splitlines()]
    found = dict(rows)
    if len(found) != len(rows):
        message = f"a path comes twice in {rows}"
        raise ValueError(message)
    return found


def flushed(kernel: Kernel, *datagrams: bytes, dialect: str = "statsd", seconds: float = 1.0) -> dict[str, str]:
    """Feed the datagrams, flush, and return path and value as text."""
    for data in datagrams:
        kernel.feed(data, "peer:1", dialect)
    return text_of(kernel.flush(seconds))
