"""Falcon: a middleware of its own tells the route, which Falcon leaves nowhere.

    app = falcon.App(middleware=[Dispatch()])        after the others: measures the dispatch time; falcon.asgi.App, too

An endpoint goes by the template of its route and the method: ``GET /items/{id}`` is ``get_items_id``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nilometer.emit.requests.endpoints import entered, of_template

if TYPE_CHECKING:
    from collections.abc import Mapping


class Dispatch:
    """A middleware of Falcon's, which names the resource's method and tells that it is entered."""

    def process_resource(self, request: Any, _response: object, _resource: object, parameters: Mapping[str, object]) -> None:  # noqa: ANN401 a falcon.Request, which is not imported here
        """Note the route; Falcon calls this when it has found one."""
        if request.uri_template is not None:
            entered(of_template(request.method, request.uri_template), parameters)

    async def process_resource_async(
        self,
        request: Any,  # noqa: ANN401 a falcon.asgi.Request
        response: object,
        resource: object,
        parameters: Mapping[str, object],
    ) -> None:
        """Note the route, under ASGI."""
        self.process_resource(request, response, resource, parameters)
