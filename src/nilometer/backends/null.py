"""The null sink: takes everything, keeps nothing. For measuring, and for a pipe that is switched off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nilometer.core.options import no_host

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.record import Event, Flush
    from nilometer.core.traces.span import Span
    from nilometer.core.url import Url

SCHEMES = ("null",)
URL_EXAMPLES = ("null://",)
EXTRA = ""


@dataclass(frozen=True, slots=True)
class Options:
    """No options."""


class Null:
    """Keeps nothing."""

    instant = True

    def write(self, flush: Flush) -> None:
        """Take the flush and drop it."""

    def write_events(self, events: Sequence[Event]) -> None:
        """Take the events and drop them."""

    def write_spans(self, spans: Sequence[Span]) -> None:
        """Take the spans and drop them."""

    def check(self) -> str:
        """Say that nothing is kept."""
        return "null: takes everything, keeps nothing"

    def close(self) -> None:
        """Nothing is held."""


def open(url: Url) -> Null:  # noqa: A001 each backend has this name
    """Open ``null://``. Raise `UrlError` when it names a host or an option."""
    no_host(url)
    url.options(Options)
    return Null()
