"""Routes, as OpenStack's services have it, with webob: its middleware leaves the matched route in the environ.

A route without a name goes by its template and method: ``GET /v1/{project}/tables`` is ``get_v1_project_tables``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.emit.requests.endpoints import Found, of_template

if TYPE_CHECKING:
    from nilometer.emit.requests.options import Subject


def find(environ: Subject) -> Found | None:
    """Return the route that a request went to, None when no route fits."""
    route = environ.get("routes.route")
    if route is None:
        return None
    _, parameters = environ["wsgiorg.routing_args"]
    return Found(route.name or of_template(environ.get("REQUEST_METHOD", ""), route.routepath), parameters)
