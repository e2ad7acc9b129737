"""One directory of spools for several processes: each takes the first that is free.

Rules:

* A process keeps its spool, a numbered directory, until it ends, however it ends. The next one takes it, with what it holds.
* What lies in a spool of a process that is gone, and whose number nobody takes, is moved to the spool of whoever comes next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from nilometer.core.errors import InUse, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nilometer.core.spool import SpoolOf

Record = TypeVar("Record")
MOST = 1000
"""Processes that may share a directory."""


def open_slot(directory: Path, opened: Callable[[Path], SpoolOf[Record]]) -> SpoolOf[Record]:
    """Return the first spool that is free, with what others left. Raise `StoreError` when none can be had."""
    for number in range(MOST):
        try:
            spool = opened(directory / str(number))
        except InUse:
            continue
        _adopt(directory, number, opened, spool)
        return spool
    message = f"{directory}: {MOST} processes use it already"
    raise StoreError(message)


def _adopt(directory: Path, own: int, opened: Callable[[Path], SpoolOf[Record]], spool: SpoolOf[Record]) -> None:
    numbers = sorted(int(path.name) for path in directory.iterdir() if path.name.isdecimal() and path.name.isascii())
    for number in numbers:
        if number == own:
            continue
        try:
            left = opened(directory / str(number))
        except StoreError:  # another process has it, or it cannot be read
            continue
        try:
            while (found := left.first()) is not None:
                spool.append(found[1])
                left.remove(found[0])
        finally:
            left.close()
