"""What a worker works on now: when each run began, by its id; bounded, for runs whose end is never told."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

MOST = 10_000


class Runs:
    """Moments by id. Any thread may ask; beyond `MOST` the oldest is forgotten."""

    def __init__(self) -> None:
        self._began: OrderedDict[str, float] = OrderedDict()
        self._lock = Lock()

    def begin(self, run: str, moment: float) -> None:
        """Note when a run began."""
        with self._lock:
            self._began[run] = moment
            if len(self._began) > MOST:
                self._began.popitem(last=False)

    def end(self, run: str) -> float | None:
        """Return when a run began and forget it, None for one that is not known."""
        with self._lock:
            return self._began.pop(run, None)
