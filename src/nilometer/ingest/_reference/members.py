"""A set's members: those that are kept, and what estimates those beyond the bound."""

from __future__ import annotations

from nilometer.ingest._reference.hll import Estimate


class Members(dict[str, None]):
    """Members in order of arrival.

    `fresh` are those of the open window, `estimate` has its members from where they were too many; `held` has all members of
    the windows before, if any of these had an estimate.
    """

    __slots__ = ("estimate", "fresh", "held")

    def __init__(self) -> None:
        super().__init__()
        self.fresh: set[str] = set()
        self.estimate: Estimate | None = None
        self.held: Estimate | None = None

    def insert(self, member: str) -> None:
        """Keep a member."""
        self.fresh.add(member)
        self[member] = None

    def begin_estimate(self, member: str) -> None:
        """Estimate from this member on."""
        self.estimate = Estimate()
        self.estimate.add(member.encode())

    def _united(self) -> Estimate | None:
        """Return an estimate of all members, None when there was none so far."""
        parts = [part for part in (self.held, self.estimate) if part is not None]
        if not parts:
            return None
        united = Estimate()
        for part in parts:
            united.absorb(part)
        for member in self:
            united.add(member.encode())
        return united

    def count(self) -> float:
        """Return how many distinct members there are."""
        united = self._united()
        return len(self) if united is None else united.count()

    def hold(self) -> None:
        """End a window: its members stay, but are no longer those of the open one."""
        self.held = self._united()
        if self.held is not None:
            self.clear()
        self.fresh, self.estimate = set(), None
