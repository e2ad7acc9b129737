"""Functions that workers call in tests: what is asked for, and each way to go wrong."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from nilometer.core.errors import Rejected

if TYPE_CHECKING:
    from nilometer.core.capability import SeriesReader


def paths(reader: SeriesReader, pattern: str) -> tuple[list[str], int]:
    """Return what matches, and the process that looked."""
    return reader.find(pattern), os.getpid()


def refuse(reader: SeriesReader, why: str) -> None:
    """Raise `Rejected`."""
    del reader
    raise Rejected(why)


def divide(reader: SeriesReader, number: float) -> float:
    """Return one divided by a number."""
    del reader
    return 1 / number


def rest(reader: SeriesReader, seconds: float) -> None:
    """Take so long."""
    del reader
    time.sleep(seconds)


def die(reader: SeriesReader) -> None:
    """End this process at once."""
    del reader
    os.kill(os.getpid(), signal.SIGKILL)
