"""The application of tests for WSGI, which tells of its queue of connections, too."""

from __future__ import annotations

from nilometer.emit.requests.wsgi import RequestMetrics
from nilometer.testing.apps.measured import options
from nilometer.testing.apps.wsgi import plain

application = RequestMetrics(plain, **options(), backlog=1)
