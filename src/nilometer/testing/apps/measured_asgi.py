"""The ASGI application of tests with request metrics around it, as a server imports it."""

from __future__ import annotations

from nilometer.emit.requests.asgi import RequestMetrics
from nilometer.testing.apps.asgi import plain
from nilometer.testing.apps.measured import options

application = RequestMetrics(plain, **options())
