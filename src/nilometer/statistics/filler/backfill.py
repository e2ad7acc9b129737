"""Filling by hand: a time is asked of an archive, whatever is wanted of it otherwise.

Rules:

* What was covered so long ago that its messages may be forgotten is not asked for: they are here, and would count twice.
* The rest is asked for, covered or not; the inbox leaves out what it knows.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from nilometer.core.clock import SYSTEM
from nilometer.core.statistics.coverage import gaps
from nilometer.statistics.filler.asking import Asking
from nilometer.statistics.filler.filler import PAUSE, SETTLED
from nilometer.statistics.filler.taking import Taking

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.core.capability import Archive, StatisticsStore
    from nilometer.core.clock import Clock
    from nilometer.core.losses import Losses
    from nilometer.core.statistics import FillStatus
    from nilometer.core.statistics.coverage import Span
    from nilometer.statistics.filler.filler import Options


def backfill(  # noqa: PLR0913, PLR0917 what it works with
    name: str,
    archive: Archive,
    store: StatisticsStore,
    span: Span,
    options: Options,
    losses: Losses,
    *,
    told: Callable[[FillStatus], None],
    stop: threading.Event | None = None,
    clock: Clock = SYSTEM,
) -> FillStatus:
    """Ask an archive, called `name` as when a server fills from it, for all that was sent in `span`, until it is here.

    `told` hears of every step. While archive or store are away it is tried again, until `stop` is set. Of the options, `window`
    and `retention` hold. Raise as the store does while coverage is read.
    """
    stopped = stop or threading.Event()
    taking = Taking(store, name, options, losses, lambda: None, clock)
    taking.look()
    asking = Asking(archive, taking, options.window, losses, clock, stopped)
    asking.begin(gaps(taking.forgotten(), *span), ())
    while not stopped.is_set():
        delay = asking.step(clock.time() - SETTLED)
        told(asking.status)
        if delay is None and not asking.status.missing:
            break
        clock.wait(stopped, PAUSE if delay is None else delay)
    return asking.status
