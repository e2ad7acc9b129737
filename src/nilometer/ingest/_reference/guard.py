"""Lets datagrams in or refuses them, in Python: the rules are in `nilometer.ingest.guard`."""

from __future__ import annotations

import hmac
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

from nilometer.ingest.guard import OVERHEAD, SIGNATURE, STAMP, Guard, digest, holds

if TYPE_CHECKING:
    from collections.abc import Callable

ADDRESS, SIGNED, TIME, REPLAYED, FULL = REASONS = ("address", "signature", "time", "replayed", "full")
MARK = 8
"""Bytes of a signature that it is remembered by."""


class Gate:
    """The guard of one listener."""

    def __init__(self, guard: Guard, clock: Callable[[], float] = time.time) -> None:
        self._guard, self._key, self._clock = guard, guard.key, clock
        self._seen: dict[int, set[bytes]] = {}
        self._held = 0
        self._lock = threading.Lock()
        self._refused: Counter[str] = Counter()
        self._senders: dict[str, str] = {}

    def rekey(self, key: bytes) -> None:
        """Check signatures with another key, where there was one."""
        self._key = key if self._key else b""

    def admit(self, data: bytes, host: str, source: str) -> bytes | None:
        """Return what a datagram carries; None when it is refused, which is counted."""
        if self._guard.networks and not holds(self._guard.networks, host):
            self._refuse(ADDRESS, source)
        elif not self._key:
            return data
        elif reason := self._fault(data):
            self._refuse(reason, source)
        else:
            return data[OVERHEAD:]
        return None

    def _refuse(self, reason: str, source: str) -> None:
        with self._lock:
            self._refused[reason] += 1
            self._senders.setdefault(reason, source)

    def refused(self) -> list[tuple[str, int, str]]:
        """Return why and how often datagrams were refused since the last call, and one sender for each reason."""
        with self._lock:
            counted, senders = self._refused, self._senders
            self._refused, self._senders = Counter(), {}
        return [(reason, counted[reason], senders[reason]) for reason in REASONS if counted[reason]]

    def _fault(self, data: bytes) -> str:
        signature, rest = data[:SIGNATURE], data[SIGNATURE:]
        if len(data) < OVERHEAD or not hmac.compare_digest(signature, digest(self._key, rest)):
            return SIGNED
        now, (stamp, _) = int(self._clock()), STAMP.unpack_from(rest)
        if abs(stamp - now) > self._guard.window:
            return TIME
        self._forget(now - self._guard.window)
        marks = self._seen.setdefault(stamp, set())
        if signature[:MARK] in marks:
            return REPLAYED
        if self._held >= self._guard.remembered:
            return FULL
        marks.add(signature[:MARK])
        self._held += 1
        return ""

    def _forget(self, first: int) -> None:
        for stamp in [stamp for stamp in self._seen if stamp < first]:
            self._held -= len(self._seen.pop(stamp))
