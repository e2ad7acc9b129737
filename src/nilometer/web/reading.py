"""The way from a route to what is kept: the URL that it is read from now, and the processes that read it."""

from __future__ import annotations

import contextlib
import importlib
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

from nilometer.backends import registry
from nilometer.core.errors import InputError, NilometerError, TooSlow, Unavailable
from nilometer.web.workers import Broken, Busy, Workers

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.core.url import Url

SECONDS = 10.0
"""How long a query may take."""
HERE = ("memory",)
"""What is kept in this process, and can be read in no other."""
NO_SERIES = "no sink keeps series that can be read again; add one, such as sqlite:///nilometer.db, to server.sinks"
PREPARE = "nilometer.web.worker:prepare"
STATUSES: tuple[tuple[type[NilometerError], int], ...] = (
    (InputError, 400),
    (Busy, 503),
    (TooSlow, 504),
    (Unavailable, 503),
    (Broken, 500),
)


class NoReader(NilometerError):
    """Nothing gives back what is asked for."""


class Reading:
    """Asks what `place` names now, opened for a capability; `missing` says what to do where it names nothing.

    May be used from any thread.
    """

    def __init__(self, place: Callable[[], Url | None], capability: str = registry.SERIES, missing: str = NO_SERIES) -> None:
        self._place, self._capability, self._missing = place, capability, missing
        self._lock = threading.Lock()
        self._workers: tuple[str, Workers] | None = None

    def call(self, function: str, *arguments: Any) -> Any:  # noqa: ANN401 whatever can be pickled
        """Return ``function(reader, *arguments)``, as `Workers.call` does. Raise `NilometerError`; `status` says how bad."""
        url = self._url()
        if url.scheme in HERE:
            module, _, name = function.partition(":")
            with closing(registry.open(url, self._capability)) as reader:
                return getattr(importlib.import_module(module), name)(reader, *arguments)
        return self._current(url).call(function, *arguments, seconds=SECONDS)

    def warm(self) -> None:
        """Have processes ready for the first calls, in the background. Return at once."""
        with contextlib.suppress(NoReader):
            self._current(self._url()).warm(PREPARE)

    def _url(self) -> Url:
        url = self._place()
        if url is None:
            raise NoReader(self._missing)
        return url

    def _current(self, url: Url) -> Workers:
        gone = None
        with self._lock:
            if self._workers is None or self._workers[0] != url.reveal():
                gone, self._workers = self._workers, (url.reveal(), Workers(url, capability=self._capability))
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
