"""How the applications of tests are measured: the options of both middlewares; the client's URL comes by the environment."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from nilometer.emit.requests import endpoints
from nilometer.testing.apps.paths import HOST, OPTIONS, STATSD, TIMEOUT, asked

if TYPE_CHECKING:
    from nilometer.emit.requests.options import Subject


def endpoint(subject: Subject) -> str | None:
    """Name the endpoint as the path does, when it says something that the application knows."""
    from nilometer.testing.apps.wsgi import HANDLERS  # noqa: PLC0415 what an application knows, it says itself

    request = asked(subject["path"] if "path" in subject else subject["PATH_INFO"], "")
    return request.endpoint if request.what in HANDLERS else None


def options() -> dict[str, Any]:
    """Return the options of both middlewares: those of all tests, and over them those of one."""
    groups = {"node", "endpoint", "tenant", "endpoint_tenant"}
    limits = {"receive_timeout": TIMEOUT, "send_timeout": TIMEOUT}
    return {
        "host": HOST,
        "groups": groups,
        "endpoint": endpoint,
        "tenant": endpoints.tenant_header(),
        "client": os.environ[STATSD],
        **limits,
        **json.loads(os.environ.get(OPTIONS, "{}")),
    }
