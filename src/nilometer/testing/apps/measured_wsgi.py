"""The WSGI application of tests with request metrics around it, as a server imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from wsgiref.validate import validator

from nilometer.emit.requests.wsgi import RequestMetrics
from nilometer.testing.apps.measured import options
from nilometer.testing.apps.wsgi import plain

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

VALIDATED = "/validated"
"""What paths begin with whose requests go through wsgiref's validator, on both sides of the middleware."""
measured = RequestMetrics(plain, **options())
validated = validator(RequestMetrics(validator(plain), **options()))


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer by one of the two."""
    chosen = validated if environ["PATH_INFO"].startswith(VALIDATED) else measured
    return chosen(environ, start_response)
