"""Flask, and others on Werkzeug: the request with its matched rule lies in the environ until the answer is begun.

    watch(app)      measures the dispatch time, by a function that Flask calls before a request

An endpoint goes by Flask's name of it: ``blueprint.view``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nilometer.emit.requests.endpoints import Found, entered

if TYPE_CHECKING:
    from nilometer.emit.requests.options import Subject


def find(environ: Subject) -> Found | None:
    """Return the endpoint that a request went to, None when no rule fits."""
    request = environ.get("werkzeug.request")
    rule = getattr(request, "url_rule", None)
    return None if rule is None else Found(rule.endpoint, getattr(request, "view_args", None) or {})


def watch(app: Any) -> None:  # noqa: ANN401 a flask.Flask, which is not imported here
    """Measure the dispatch time of a Flask application, to the first of its functions before a request or to the view.

    Call it last to measure up to the view: functions that are registered later run later.
    """
    app.before_request(_entered)


def _entered() -> None:
    from flask import request  # noqa: PLC0415 no framework is imported before the application has done so

    if request.url_rule is not None:
        entered(request.url_rule.endpoint, request.view_args)
