"""Read sources on a timer, and send what they say.

Rules:

* One daemon thread, started with the first source; a forked child starts its own when it forks.
* A source that raises is asked again the next time, and counted in `failures`; the others do not notice.
* What is thrown away may go: `close` ends the thread, and so does losing the last reference.
"""

from __future__ import annotations

import os
import weakref
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nilometer.emit.drivers.sample import Source
    from nilometer.emit.emitter import Emitter

STOP_SECONDS = 1.0


class Poller:
    """Sends what sources say through a client, every so many seconds.

    ``seconds``: between two readings, best the server's flush interval. ``tags``: pairs that every line gets. Raises ValueError
    for seconds that are not above 0.
    """

    def __init__(self, client: Emitter, *, seconds: float = 10.0, tags: tuple[tuple[str, str], ...] = ()) -> None:
        if not seconds > 0:
            message = f"seconds: expected a number above 0, not {seconds!r}"
            raise ValueError(message)
        self.seconds = seconds
        self.failures = 0
        self._client, self._tags = client, tags
        self._sources: list[Source] = []
        self._lock = Lock()
        self._stop = Event()
        self._thread: Thread | None = None
        _pollers.add(self)

    def add(self, source: Source) -> None:
        """Read a source from now on."""
        with self._lock:
            self._sources.append(source)
            if self._thread is None and not self._stop.is_set():
                self._start()

    def read(self) -> None:
        """Read all sources now, and send what they say."""
        with self._lock:
            sources = tuple(self._sources)
        for source in sources:
            try:
                for sample in source():
                    self._client.emit(sample.kind, sample.stat, sample.value, 1.0, self._tags)
            except Exception:  # noqa: BLE001 whatever a library raises, the others are read
                self.failures += 1

    def close(self) -> None:
        """Stop reading; the sources are read no more."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread.is_alive():
            thread.join(STOP_SECONDS)

    def _start(self) -> None:
        self._thread = Thread(
            target=_run, args=(weakref.ref(self), self._stop, self.seconds), name="nilometer-drivers", daemon=True
        )
        self._thread.start()

    def _forked(self) -> None:
        """Start anew in a child: of the parent's threads and locks none is of use there."""
        self._lock = Lock()
        stopped, self._stop = self._stop.is_set(), Event()
        self._thread = None
        if stopped:
            self._stop.set()
        elif self._sources:
            self._start()


def _run(poller: weakref.ref[Poller], stop: Event, seconds: float) -> None:
    """Read until the end, holding the poller only while it reads."""
    while not stop.wait(seconds):
        found = poller()
        if found is None:
            return
        found.read()
        del found


_pollers: weakref.WeakSet[Poller] = weakref.WeakSet()


def _after_fork() -> None:
    for poller in list(_pollers):
        poller._forked()  # noqa: SLF001 the same module


os.register_at_fork(after_in_child=_after_fork)
