"""Events and service checks of DogStatsD's clients become `Event` records.

Rules:

* ``type`` is ``dogstatsd.event`` or ``dogstatsd.service_check``, ``publisher`` the host that is named, else the peer;
  made such as every store of events takes.
* ``priority`` comes from the alert type (``info``, ``success``, ``warning``, ``error``) or the status of the check.
* ``payload`` holds the fields as `Kernel.explain` names them, but for ``type``.
* What the kernel had no room for is counted.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from nilometer.core.record import Event
from nilometer.core.wire.event import LONGEST, UNFIT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nilometer.core.clock import Clock
    from nilometer.core.losses import Losses
    from nilometer.ingest.kernel import Kernel, Notice

PRIORITIES = {"info": "info", "success": "info", "warning": "warn", "error": "error"}
STATUSES = ("info", "warn", "critical", "warn")
"""By the status of a check: OK, warning, critical, unknown."""


def event(notice: Notice, now: float) -> Event:
    """Return a notice as a record; `now` is its time when it names none."""
    fields = notice.fields
    check = fields["type"] == "service_check"
    return Event(
        id=str(uuid.uuid4()),
        time=float(fields.get("timestamp", now)),
        type=f"dogstatsd.{fields['type']}",
        publisher=UNFIT.sub("\ufffd", (fields.get("hostname") or notice.source)[:LONGEST]),
        priority=STATUSES[fields["status"]] if check else PRIORITIES[fields["alert_type"]],
        payload={name: value for name, value in fields.items() if name != "type"},
    )


class Notices:
    """Takes a kernel's notices to where events go."""

    def __init__(self, kernel: Kernel, losses: Losses, clock: Clock, deliver: Callable[[Sequence[Event]], None]) -> None:
        self._kernel, self._losses, self._clock, self._deliver = kernel, losses, clock, deliver

    def drain(self) -> None:
        """Deliver what has come since the last call. Call it a few times a second."""
        notices, lost = self._kernel.notices()
        self._losses.count("event", "limit", lost)
        if notices:
            now = self._clock.time()
            self._deliver([event(notice, now) for notice in notices])
