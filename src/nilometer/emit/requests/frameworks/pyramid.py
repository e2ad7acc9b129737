"""Pyramid: an event of its own tells the route, which Pyramid leaves nowhere.

    config.include("nilometer.emit.requests.frameworks.pyramid")        measures the dispatch time, too

What is found by traversal goes by the class of its context.
"""

from __future__ import annotations

from typing import Any

from nilometer.emit.requests.endpoints import entered


def includeme(config: Any) -> None:  # noqa: ANN401 a Configurator, which is not imported here
    """Have Pyramid tell of the route and context that it has found, just before it calls the view."""
    config.add_subscriber(found, "pyramid.events.ContextFound")


def found(event: Any) -> None:  # noqa: ANN401 a ContextFound
    """Note the route of a request, or the context that traversal found."""
    request = event.request
    route = request.matched_route
    if route is not None:
        entered(route.name, request.matchdict)
    elif not request.view_name and not request.subpath:
        entered(type(request.context).__name__)
