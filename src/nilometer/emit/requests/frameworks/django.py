"""Django: the response that its handler returns knows the request with the resolved view; a middleware knows more.

    MIDDLEWARE = [..., "nilometer.emit.requests.frameworks.django.dispatch"]      the last one: measures the dispatch time

Where something between Django and `RequestMetrics` wraps the response, and under ASGI, names come from `dispatch` alone.
"""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from nilometer.emit.requests.endpoints import Found, entered

if TYPE_CHECKING:
    from collections.abc import Callable


def of_response(response: object) -> Found | None:
    """Return the view that made a response, ``namespace:name`` or its dotted path; None for others' responses."""
    for closer in getattr(response, "_resource_closers", ()):
        match = getattr(getattr(closer, "__self__", None), "resolver_match", None)
        if match is not None:
            return Found(match.view_name, match.kwargs)
    return None


def dispatch(get_response: Callable[..., Any]) -> Callable[..., Any]:
    """Make a middleware of Django's, which names the view and tells that it is entered; sync or async as the handler is."""

    def process_view(request: Any, *_: object) -> None:  # noqa: ANN401 an HttpRequest, which is not imported here
        match = request.resolver_match
        entered(match.view_name, match.kwargs)

    def middleware(request: object) -> object:
        return get_response(request)

    async def process_view_async(request: Any, *_: object) -> None:  # noqa: ANN401 an HttpRequest
        process_view(request)

    async def middleware_async(request: object) -> object:
        return await get_response(request)

    made, hook = (middleware_async, process_view_async) if iscoroutinefunction(get_response) else (middleware, process_view)
    made.process_view = hook  # type: ignore[attr-defined]  # how Django asks for it
    return made


dispatch.sync_capable = dispatch.async_capable = True  # type: ignore[attr-defined]  # how Django asks for it
