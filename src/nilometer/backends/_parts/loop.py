"""An asyncio loop in a thread of its own, for drivers that know nothing but asyncio, behind methods that block.

Rules: `run` ends within its timeout, whatever the work does; work that did not end by then is cancelled. The thread starts with
the first work and ends with `close`; work after that starts another.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

Result = TypeVar("Result")
GRACE = 2.0
"""Seconds that cancelled work has to end."""


class Loop:
    """Runs work of asyncio for threads that wait for it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, work: Coroutine[Any, Any, Result], timeout: float) -> Result:
        """Return what the work returns, or raise what it raises. Raise OSError: TimeoutError after `timeout` seconds."""
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, timeout), self._running())
        try:
            return future.result(timeout + GRACE)
        except TimeoutError:
            future.cancel()
            raise
        except CancelledError as error:
            message = "closed meanwhile"
            raise ConnectionAbortedError(message) from error

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name=self._name, daemon=True)
                self._thread.start()
            return self._loop

    def close(self) -> None:
        """Cancel what still runs and end the thread. Closing twice does nothing."""
        with self._lock:
            loop, self._loop = self._loop, None
            thread, self._thread = self._thread, None
        if loop is None or thread is None:
            return
        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result(GRACE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(GRACE)
        if not thread.is_alive():
            loop.close()


async def _cancel_all() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.wait_for(asyncio.gather(*others, return_exceptions=True), GRACE)
