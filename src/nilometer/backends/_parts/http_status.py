"""What the status of an answer to a POST means: taken, refused for good, or to be tried again, and when.

2xx is taken. 408, 425, 429 and 5xx are `Unavailable`, and nothing is sent before the time that ``Retry-After`` says, an hour at
most. Everything else is refused for good; redirects are not followed.
"""

from __future__ import annotations

import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from nilometer.core.errors import Unavailable

if TYPE_CHECKING:
    from nilometer.backends._parts.http import Answer
    from nilometer.core.url import Url

OK, REDIRECTED, ERROR, BROKEN = 200, 300, 400, 500
PASSING = frozenset({408, 425, 429})
"""Statuses below 500 that another attempt can end."""
LONGEST_WAIT = 3600.0
"""Seconds that an answer can ask us to wait, at most."""


class Judge:
    """Says what answers of one address mean, and remembers for how long it asked to be left alone."""

    def __init__(self, url: Url) -> None:
        self._url = url
        self._not_before = 0.0

    def ready(self) -> None:
        """Raise `Unavailable` while the other side asks not to be sent anything."""
        waiting = self._not_before - time.monotonic()
        if waiting > 0:
            message = f"{self._url}: asked not to be sent anything for {waiting:.0f} s more"
            raise Unavailable(message)

    def refused(self, answer: Answer) -> str:
        """Return why a request was refused, nothing when it was not. Raise `Unavailable`."""
        if OK <= answer.status < REDIRECTED:
            return ""
        if REDIRECTED <= answer.status < ERROR:
            return f"status {answer.status}: redirects are not followed; name the address that {self._url} leads to"
        said = f"status {answer.status}: {answer.shown()}"
        if answer.status not in PASSING and answer.status < BROKEN:
            return said
        wait = retry_after(answer.headers.get("retry-after", ""), time.time())
        self._not_before = time.monotonic() + wait
        message = f"{self._url}: {said}" + (f"; asks to wait for {wait:.0f} s" if wait else "")
        raise Unavailable(message)


def retry_after(text: str, now: float) -> float:
    """Return for how many seconds a header asks to wait, 0 when it does not; `now` is seconds since the epoch."""
    try:
        moment = parsedate_to_datetime(text) if not text.isdecimal() else None
        found = (
            float(text[:9]) if moment is None else (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
        )
    except (ValueError, OverflowError):
        return 0.0
    return min(max(found, 0.0), LONGEST_WAIT)
