"""Finds what is asked of the statistics that run, and says in plain text what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse

from nilometer.core.errors import NilometerError
from nilometer.web.reading import status as status_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from nilometer.statistics.asked import Asked, Listed

LONGEST = 100
"""Characters of what was asked, in a message."""
NONE_RUN = "No statistics run here; name a bus, such as amqp://localhost, in statistics.buses"


class Refused(Exception):
    """What is asked cannot be answered: the status of HTTP, and why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def running(asked: Callable[[], Asked | None]) -> Asked:
    """Return the statistics that run. Raise `Refused`."""
    found = asked()
    if found is None:
        raise Refused(503, NONE_RUN)
    return found


def named(asked: Asked, ident: str, refusal: str) -> Listed:
    """Return the statistic with an ident. Raise `Refused` with the words of `refusal` where there is none."""
    found = asked.find(ident)
    if found is None:
        raise Refused(404, refusal)
    return found


def in_plain_text(answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """Return a route whose errors are plain text, with the status that says their kind."""

    def answered(request: Request) -> Response:
        try:
            return answer(request)
        except Refused as error:
            return PlainTextResponse(str(error) + "\n", error.status)
        except NilometerError as error:
            return PlainTextResponse(str(error) + "\n", status_of(error))

    return answered
