"""The way from a route to the series: the URL that they are read from now, and the processes that read it."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

from nilometer.core.errors import InputError, NilometerError, Unavailable
from nilometer.web.workers import Broken, Busy, TooSlow, Workers

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.core.url import Url

SECONDS = 10.0
"""How long a query may take."""
PREPARE = "nilometer.web.worker:prepare"
STATUSES: tuple[tuple[type[NilometerError], int], ...] = (
    (InputError, 400),
    (Busy, 503),
    (Unavailable, 503),
    (TooSlow, 504),
    (Broken, 500),
)


class NoReader(NilometerError):
    """No sink gives series back."""


class Reading:
    """Asks the sink from which series are read now. May be used from any thread."""

    def __init__(self, series: Callable[[], Url | None]) -> None:
        self._series = series
        self._lock = threading.Lock()
        self._workers: tuple[str, Workers] | None = None

    def call(self, function: str, *arguments: Any) -> Any:  # noqa: ANN401 whatever can be pickled
        """Return ``function(reader, *arguments)``, as `Workers.call` does. Raise `NilometerError`; `status` says how bad."""
        return self._current().call(function, *arguments, seconds=SECONDS)

    def warm(self) -> None:
        """Have processes ready for the first calls, in the background. Return at once."""
        with contextlib.suppress(NoReader):
            self._current().warm(PREPARE)

    def _current(self) -> Workers:
        url = self._series()
        if url is None:
            message = "no sink keeps series that can be read again; add one, such as sqlite:///nilometer.db, to server.sinks"
            raise NoReader(message)
        gone = None
        with self._lock:
            if self._workers is None or self._workers[0] != url.reveal():
                gone, self._workers = self._workers, (url.reveal(), Workers(url))
            current = self._workers[1]
        if gone is not None:
            gone[1].close()
        return current

    def close(self) -> None:
        """End the processes."""
        with self._lock:
            gone, self._workers = self._workers, None
        if gone is not None:
            gone[1].close()


def status(error: NilometerError) -> int:
    """Return the status of HTTP that says what kind of error it is."""
    if isinstance(error, NoReader):
        return 503
    return next((number for kind, number in STATUSES if isinstance(error, kind)), 500)
