"""The log of messages that are no events: what was wrong with them, at a bounded rate.

Rules:

* How many were not shown is said with the next one that is.
* What a message begins with is shown escaped, and without the values of what hints at a secret.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from nilometer.core.show import Allowance, printable
from nilometer.core.url import MASK

if TYPE_CHECKING:
    from nilometer.core.clock import Clock
    from nilometer.core.record import Message

LOG = logging.getLogger(__name__)
LOOKED_AT, SHOWN, NAMED = 2000, 120, 80
"""Bytes of a message that are looked at, characters that are shown of it, and of its topic."""
SECRET = re.compile(
    r"((?:pass|pwd|secret|token|key|sig|auth|cred|bearer|basic)[\w-]*)[^\w*]{1,10}(?:(?:bearer|basic)\s+)?[^\s\"',}&\\]+",
    re.IGNORECASE,
)
"""A word that hints at a secret, and what follows it."""


class RefusedLog:
    """Shows what of one source is refused. One thread calls."""

    def __init__(self, name: str, clock: Clock) -> None:
        self._name = name
        self._allowance = Allowance(clock)
        self._hidden = 0

    def show(self, message: Message, reason: str) -> None:
        """Show one message and what is wrong with it, when that is allowed now."""
        if not self._allowance.take():
            self._hidden += 1
            return
        hidden, self._hidden = self._hidden, 0
        more = f"; {hidden} more were not shown" if hidden else ""
        topic, begins = printable(message.topic[:NAMED]), beginning(message.body)
        LOG.warning("%s: a message on %s is no event: %s: %s%s", self._name, topic, masked(reason), begins, more)


def beginning(body: bytes) -> str:
    """Return what a message begins with, for a log."""
    return masked(body[:LOOKED_AT].decode("utf-8", "replace"))[:SHOWN]


def masked(text: str) -> str:
    """Return a text without secrets, printable."""
    return printable(SECRET.sub(rf"\1 {MASK}", text))
