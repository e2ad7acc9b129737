"""What the routes stand on: the running server as the rooms may see it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nilometer.web.cumulative import Exposition
from nilometer.web.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.core.record import Flush
    from nilometer.core.url import Url
    from nilometer.ingest.admin.control import Control

    Watch = Callable[[Callable[[Flush], None]], Callable[[], None]]


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Parts:
    """What a file of routes is given.

    `control`: what may be asked of ingest, and the settings in force.
    `series`: the URL that series are read from now, None when no sink can give any back.
    `watch`: has a function called with every flush, on the thread that flushes: it returns at once and never raises. What it
    returns ends that.
    `reading`: asks what is read from `series`, in processes of its own.
    `exposition`: the sums of all flushes since `begin`.
    `closing`: closed when the last request is answered, for what a room has to end: processes, threads.
    """

    control: Control
    series: Callable[[], Url | None] = _nothing
    watch: Watch = lambda _: _nothing
    closing: ExitStack = field(default_factory=ExitStack)
    reading: Reading = field(init=False)
    exposition: Exposition = field(init=False, default_factory=Exposition)

    def __post_init__(self) -> None:
        """Make what all rooms share."""
        object.__setattr__(self, "reading", Reading(self.series))
        self.closing.callback(self.reading.close)

    def begin(self) -> None:
        """Add flushes up from now on. To be called once something listens."""
        self.exposition.start()
        self.closing.callback(self.exposition.close)
        self.closing.callback(self.watch(self.exposition.put))
