"""The relay: a kernel's router, the addresses and the health of its targets, and a writer for each stream.

Rules:

* A target with a management port is asked whether it is well every `check_interval` seconds. On a ring it leaves when it is
  not, at the first such answer, and comes back when it is; the names of the others stay where they are (as long as all weigh
  the same). Without a ring the answer is only shown.
* Names are looked up again as often; one that is not known is no error at the start, but what was for it is counted.
* What is lost is counted by reason, in `Losses`, and logged at most every `QUIET` seconds.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from nilometer.ingest.relay.health import fault
from nilometer.ingest.relay.ring import points
from nilometer.ingest.relay.router import Counts
from nilometer.ingest.relay.writer import Writer

if TYPE_CHECKING:
    from nilometer.core.losses import Losses
    from nilometer.ingest.kernel import Kernel
    from nilometer.ingest.relay.targets import Target

SOON = 2.0
"""Seconds for which a start waits until names are looked up."""
QUIET = 10.0
"""Seconds between two lines of the log about losses."""
TELLING = {
    ("relay", "queue"): "the relay's queue was full; raise relay.queue",
    ("relay", "refused"): "the system refused the datagram: nobody listens there, or it is too long",
    ("relay", "away"): "the target was away or slow",
    ("relay", "no_target"): "no target is well",
}
LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Forwarding:
    """What is asked for: targets, whether a ring chooses among them, seconds between checks, bytes that may wait."""

    targets: tuple[Target, ...]
    ring: bool = False
    check_interval: float = 10.0
    queue: int = 16 << 20


class TargetStatus(NamedTuple):
    """How a target fares: whether packets go to it, how many packets and bytes did, how many were lost, and what is wrong.

    `node`: its name on a ring. `queue` are the bytes that wait for a stream.
    """

    name: str
    up: bool
    sent: int
    bytes: int
    lost: int
    error: str
    node: str
    queue: int = 0


class Relay:
    """Forwards what a kernel receives, from now until `close`. Call `tend` a few times a second."""

    def __init__(self, forwarding: Forwarding, kernel: Kernel, losses: Losses) -> None:
        self._forwarding, self._losses = forwarding, losses
        targets = forwarding.targets
        self._router = kernel.relay([each.stream for each in targets], ring=forwarding.ring, queue_bytes=forwarding.queue)
        self._errors = [""] * len(targets)
        self._lock, self._end = threading.Lock(), threading.Event()
        self._reroute()
        self._writers = {number: Writer(self._router, number, each) for number, each in enumerate(targets) if each.stream}
        looked_up = [self._watched(number) for number in range(len(targets))]
        soon = time.monotonic() + SOON
        for known in looked_up:
            known.wait(max(soon - time.monotonic(), 0))
        self._counted = dict.fromkeys(TELLING, 0)
        self._told, self._untold = -QUIET, dict.fromkeys(TELLING, 0)

    def _reroute(self) -> None:
        """Make the ring of the targets that are well."""
        if self._forwarding.ring:
            numbers = [number for number, error in enumerate(self._errors) if not error]
            ring = points([self._forwarding.targets[number].node for number in numbers])
            self._router.route([(point, numbers[at]) for point, at in ring])

    def _watched(self, number: int) -> threading.Event:
        """Watch a target; return what is set once its name was looked up."""
        known = threading.Event()
        threading.Thread(target=self._watch, args=(number, known), name=f"nilometer-watch-{number}", daemon=True).start()
        return known

    def _watch(self, number: int, known: threading.Event) -> None:
        target, interval = self._forwarding.targets[number], self._forwarding.check_interval
        before: str | None = None
        while not self._end.is_set():
            began = time.monotonic()
            address, error = (None, "") if target.stream else _lookup(target)
            if not target.stream and address != before:
                error = error or self._point(number, address)
                before = address
            known.set()
            if target.admin:
                error = fault(target.host, target.admin, interval) or error
            self._note(number, error)
            self._end.wait(max(interval - (time.monotonic() - began), 0.01))

    def _point(self, number: int, address: str | None) -> str:
        try:
            self._router.point(number, address)
        except (OSError, ValueError) as error:
            return str(error)
        return ""

    def _note(self, number: int, error: str) -> None:
        target = self._forwarding.targets[number]
        with self._lock:
            before, self._errors[number] = self._errors[number], error
            if bool(before) != bool(error) and not self._end.is_set():
                self._reroute()
                where = "the ring" if self._forwarding.ring else "the relay"
                LOG.warning("%s is %s %s%s", target, "away from" if error else "back on", where, f": {error}" if error else "")

    def statuses(self) -> list[TargetStatus]:
        """Return how each target fares, in the order of the settings."""
        found = []
        for number, each in enumerate(self._router.counts()):
            counts, target, writer = Counts(*each), self._forwarding.targets[number], self._writers.get(number)
            if writer is None:
                error, broken = self._errors[number], 0
                sent, size, queue = counts.sent, counts.bytes, 0
            else:
                error, broken = self._errors[number] or writer.error, writer.lost
                sent, size, queue = writer.sent, writer.bytes, max(counts.bytes - writer.taken, 0)
            lost = counts.refused + counts.dropped + broken
            found.append(TargetStatus(str(target), not error, sent, size, lost, error, target.name, queue))
        return found

    def tend(self) -> None:
        """Count what was lost since the last call, and tell of it now and then."""
        counts = [Counts(*each) for each in self._router.counts()]
        queue, unrouted = self._router.lost()
        totals = {
            ("relay", "queue"): queue,
            ("relay", "refused"): sum(each.refused for each in counts),
            ("relay", "away"): sum(each.dropped for each in counts) + sum(writer.lost for writer in self._writers.values()),
            ("relay", "no_target"): unrouted,
        }
        for loss, total in totals.items():
            grown = total - self._counted[loss]
            self._losses.count(*loss, grown)
            self._untold[loss] += grown
        self._counted = totals
        self._tell()

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._told < QUIET or not any(self._untold.values()):
            return
        self._told = now
        for loss, number in self._untold.items():
            if number:
                LOG.warning("%d packets were not forwarded: %s", number, TELLING[loss])
        self._untold = dict.fromkeys(TELLING, 0)

    def close(self, seconds: float) -> None:
        """Forward what waits, for at most about `seconds`; what is left then is counted. Nothing more is taken in."""
        end = time.monotonic() + seconds
        self._end.set()
        self._router.stop()
        for writer in self._writers.values():
            writer.close(end)
        self.tend()


def _lookup(target: Target) -> tuple[str | None, str]:
    try:
        return target.address(), ""
    except OSError as error:
        return None, f"{target.host}: {error.strerror or error}"
