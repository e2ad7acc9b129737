"""The formats that events go out in over buses and HTTP: our own JSON, or CloudEvents."""

from __future__ import annotations

from collections.abc import Callable, Iterable  # noqa: TC003 a named tuple's fields
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.errors import InputError
from nilometer.core.options import one_of
from nilometer.core.record import Event  # noqa: TC001 a named tuple's field
from nilometer.core.wire import cloudevents
from nilometer.core.wire import event as events

if TYPE_CHECKING:
    from nilometer.core.url import Url

NILOMETER, CLOUDEVENTS = "nilometer", "cloudevents"
HELP = "`nilometer`: events as plain JSON; `cloudevents`: CloudEvents 1.0 as JSON"


class Written(NamedTuple):
    """An event, and what it is in a format."""

    event: Event
    body: bytes


class Format(NamedTuple):
    """How an event is written; and the media types of one, and of a list of them."""

    content_type: str
    batch_type: str
    encode: Callable[[Event], bytes]

    def written(self, found: Iterable[Event]) -> tuple[list[Written], list[str]]:
        """Return the events as they are written, and for each that cannot be, or that nobody could read, the reason."""
        good, bad = list[Written](), list[str]()
        for event in found:
            try:
                events.check(event)
                good.append(Written(event, self.encode(event)))
            except (InputError, ValueError) as error:
                bad.append(f"event {event.id[:60]!r}: {error}")
        return good, bad


def joined(found: Iterable[Written]) -> bytes:
    """Return written events as one list of JSON."""
    return b"[" + b",".join(each.body for each in found) + b"]"


FORMATS = {
    NILOMETER: Format(events.CONTENT_TYPE, events.CONTENT_TYPE, events.encode),
    CLOUDEVENTS: Format(cloudevents.STRUCTURED, cloudevents.BATCH, cloudevents.encode),
}


def format_of(url: Url, name: str) -> Format:
    """Return the format that the option `format` names. Raise `UrlError` for another word."""
    return FORMATS[one_of(url, "format", name, FORMATS)]
