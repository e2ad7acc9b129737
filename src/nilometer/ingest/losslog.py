"""The log of what a window could not take: limits that were reached, datagrams that the system dropped.

Rules:

* Each is told once, with its cure, and again only after a window without it: the counters say how much is lost.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nilometer.ingest.kernel import Tally

LOG = logging.getLogger(__name__)


class Told(NamedTuple):
    """What to say when a field of `Tally` is above zero: what became of how many, why, and what helps."""

    field: str
    what: str
    why: str


OVERFLOWED = "values of new series went to overflow series"
TOLD = (
    Told("name_over_limit", OVERFLOWED, "limits.name is reached; raise it, or send shorter names"),
    Told("tags_over_limit", OVERFLOWED, "limits.tags is reached; raise it, or send fewer tags"),
    Told("series_over_limit", OVERFLOWED, "limits.series is reached; raise it, or set idle.delete_*"),
    Told("keys_over_limit", OVERFLOWED, "limits.keys is reached; raise it, or set idle.delete_*"),
    Told("prefix_over_limit", OVERFLOWED, "limits.series_per_prefix is reached; raise it, or set idle.delete_*"),
    Told("source_over_limit", OVERFLOWED, "limits.series_per_source is reached; raise it, or set idle.delete_*"),
    Told(
        "samples_over_limit",
        "timer samples were left out of percentiles",
        "limits.samples is reached; raise it, or let clients sample (|@0.1)",
    ),
    Told("members_over_limit", "set members were not counted", "limits.set_members is reached; raise it"),
    Told(
        "kernel_drops",
        "datagrams were dropped",
        "the receive buffer was full; ask for a larger one (udp://…?buffer=, net.core.rmem_max)",
    ),
)


class LossLog:
    """Hears the tally of each window."""

    def __init__(self) -> None:
        self._lasting: set[str] = set()

    def counted(self, tally: Tally) -> None:
        """Tell what this window lost and the one before did not."""
        lost = {told.field: getattr(tally, told.field) for told in TOLD}
        for told in TOLD:
            if lost[told.field] and told.field not in self._lasting:
                LOG.warning("%d %s in one window: %s", lost[told.field], told.what, told.why)
        self._lasting = {field for field, number in lost.items() if number}
