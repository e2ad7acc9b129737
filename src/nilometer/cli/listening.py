"""What a server listens to: opened at the start, exchanged by a reload, stopped all at a time.

Rules:

* A reload that cannot bind what is new leaves the server listening where it did before.
* Stopping reads the sockets empty, whatever one of them does.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from nilometer.core.errors import NilometerError
from nilometer.ingest.listeners import Listeners

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nilometer.core.losses import Losses
    from nilometer.core.sections import LimitsSection
    from nilometer.core.url import Url
    from nilometer.ingest.kernel import Kernel
    from nilometer.ingest.listeners import Listener

LOG = logging.getLogger(__name__)


class Listening:
    """The listeners of one server, by the full text of their URLs."""

    def __init__(self, kernel: Kernel, losses: Losses, limits: LimitsSection) -> None:
        self._listeners = Listeners(kernel, losses, max_line=limits.line, connections=limits.connections)
        self._open: dict[str, Listener] = {}

    def begin(self, urls: Sequence[Url]) -> None:
        """Listen on each; one that is named twice is one. Raise `ConfigError`: then `stop` closes what was opened."""
        for url in dict.fromkeys(urls):
            self._listen(url)

    def _listen(self, url: Url) -> Listener:
        listener = self._listeners.open(url)
        self._open[url.reveal()] = listener
        return listener

    def listeners(self) -> list[Listener]:
        """Return what is listened to."""
        return list(self._open.values())

    @property
    def connections(self) -> int:
        """How many stream connections are open."""
        return self._listeners.connections

    @property
    def skipped(self) -> int:
        """How many bytes were received that the kernel was not fed."""
        return self._listeners.skipped

    def buffers(self) -> dict[str, int]:
        """Return the smallest receive buffer that each listener was granted, in bytes."""
        return {str(one.url): min(one.buffers) for one in self.listeners() if one.buffers}

    def limit(self, limits: LimitsSection) -> None:
        """Use other bounds from now on."""
        self._listeners.limit(max_line=limits.line, connections=limits.connections)

    def count_refused(self) -> None:
        """Count what listeners have refused. Call it a few times a second."""
        for listener in self.listeners():
            listener.count_refused(self._listeners.refusals)

    def renew(self) -> list[Callable[[], None]]:
        """Read the listeners' files again; return what puts them in use. Raise `NilometerError`: nothing has changed then."""
        return [listener.renew() for listener in self._open.values()]

    def change(self, wanted: Sequence[Url], before: Sequence[Url]) -> None:
        """Close what is gone, then open what is new; open the old ones again when that fails."""
        texts = {url.reveal(): url for url in wanted}
        for text in [text for text in self._open if text not in texts]:
            listener = self._open.pop(text)
            listener.stop()
            listener.count_refused(self._listeners.refusals)
            LOG.info("no longer listening on %s", listener.url)
        try:
            for text in [text for text in texts if text not in self._open]:
                LOG.info("listening on %s", ", ".join(self._listen(texts[text]).addresses))
        except NilometerError:
            self._restore({url.reveal(): url for url in before})
            raise

    def _restore(self, before: dict[str, Url]) -> None:
        for text in [text for text in self._open if text not in before]:
            self._open.pop(text).stop()
        for text, url in before.items():
            if text not in self._open:
                try:
                    self._listen(url)
                except NilometerError:
                    LOG.exception("%s cannot be listened on again", url)

    def stop(self) -> None:
        """Stop all listeners at a time, for each waits for its threads, and count what they refused."""
        stopped = self.listeners()
        threads = [threading.Thread(target=_stop, args=(listener,)) for listener in stopped]
        self._open.clear()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for listener in stopped:
            listener.count_refused(self._listeners.refusals)

    def close(self) -> None:
        """End what all listeners share. `stop` comes before."""
        self._listeners.close()


def _stop(listener: Listener) -> None:
    try:
        listener.stop()
    except Exception:  # what was received must be flushed, whatever one socket does
        LOG.exception("%s could not be stopped", listener.url)
