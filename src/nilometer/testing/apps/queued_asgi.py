"""The application of tests for ASGI, which tells of its queue of connections, too."""

from __future__ import annotations

from nilometer.emit.requests.asgi import RequestMetrics
from nilometer.testing.apps.asgi import plain
from nilometer.testing.apps.measured import options

application = RequestMetrics(plain, **options(), backlog=1)
