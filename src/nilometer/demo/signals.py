"""What ends the demonstration: Ctrl-C, SIGTERM, a terminal that is closed. Once asks it to end, twice makes it hurry."""

from __future__ import annotations

import contextlib
import signal
from threading import Event
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ending(NamedTuple):
    """Set when a signal came, and when a second one did."""

    enough: Event
    hurry: Event


@contextlib.contextmanager
def ending() -> Iterator[Ending]:
    """Have signals set events instead of ending the process; those that are ignored, as SIGHUP by ``nohup``, stay so."""
    found = Ending(Event(), Event())

    def note(*_: object) -> None:
        (found.hurry if found.enough.is_set() else found.enough).set()

    before = {number: signal.getsignal(number) for number in ENDING}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, note)
    try:
        yield found
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
