"""Events that the other side refuses for good while it takes the others: told of, counted, and not sent again."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from nilometer.core.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOG = logging.getLogger(__name__)
REFUSED = ("sink", "refused")


class Refusals:
    """Counts the refused events of one sink."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._count: Counter[tuple[str, str]] = Counter()

    def add(self, reasons: Sequence[str], total: int) -> None:
        """Count what was refused, of so many events in all, one reason each. Raise `Rejected` when that are all."""
        if not reasons:
            return
        if len(reasons) == total:
            message = f"{self._url}: all {total} events were refused: {reasons[0]}"
            raise Rejected(message)
        LOG.warning("%s: refused %d events, which are lost; the first: %s", self._url, len(reasons), reasons[0])
        self._count[REFUSED] += len(reasons)

    def taken(self) -> Mapping[tuple[str, str], int]:
        """Return how many events were refused since the last call, by stage and reason."""
        count, self._count = self._count, Counter()
        return count
