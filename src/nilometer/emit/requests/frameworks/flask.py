"""Flask, and others on Werkzeug: the request with its matched rule lies in the environ.

watch(app)      measures the dispatch time, as the first of the functions before a request
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nilometer.emit.requests.endpoints import Found, entered

if TYPE_CHECKING:
    from nilometer.emit.requests.options import Subject


def find(environ: Subject) -> Found | None:
    """Return the endpoint that a request went to, ``blueprint.view``; None when no rule fits."""
    request = environ.get("werkzeug.request")
    rule = getattr(request, "url_rule", None)
    return None if rule is None else Found(rule.endpoint, getattr(request, "view_args", None) or {})


def watch(app: Any) -> None:  # noqa: ANN401 a flask.Flask, which is not imported here
    """Measure the dispatch time of a Flask application. Call it before others register functions to run before a request."""
    app.before_request(_entered)


def _entered() -> None:
    entered()
