"""What happens now, as server-sent events: each flush with the values of the paths that are followed.

Source: the HTML standard, "Server-sent events".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from starlette.responses import StreamingResponse

from nilometer.backends import registry
from nilometer.core.naming import Naming
from nilometer.core.naming_options import NamingOptions
from nilometer.ingest.admin.commands import to_json
from nilometer.web.connection import LASTING
from nilometer.web.following import Full
from nilometer.web.hub import MOST_PATHS, Hub
from nilometer.web.series import LONGEST_PATH

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nilometer.core.url import Url
    from nilometer.web.following import Follower
    from nilometer.web.hub import Update
    from nilometer.web.parts import Parts

SILENCE = 15.0
"""Seconds after which a comment says that the connection is alive."""
HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff", "x-accel-buffering": "no"}
EVENTS = {"text/event-stream": {"schema": {"type": "string"}}}
Followed = Annotated[
    list[Annotated[str, Query(max_length=LONGEST_PATH)]],
    Query(alias="path", max_length=MOST_PATHS, description="whole paths, as /series tells them"),
]


def router(parts: Parts) -> APIRouter:
    """Return the route of the stream."""
    hub = Hub(lambda: naming(parts.series()))
    parts.closing.callback(hub.close)
    parts.closing.callback(parts.watch(hub.put))
    found = APIRouter()

    async def live(request: Request, paths: Followed = []) -> StreamingResponse:  # noqa: B006 FastAPI copies it
        """Follow each flush: events `flush` with `time`, `interval`, `series` and the `values` of the paths."""
        try:
            follower = hub.follow(frozenset(paths))
        except Full as error:
            raise HTTPException(503, str(error)) from error
        setattr(request.state, LASTING, True)
        return StreamingResponse(_events(follower), headers=HEADERS, media_type="text/event-stream")

    found.get("/live", response_class=StreamingResponse, responses={200: {"content": EVENTS}})(live)
    return found


def naming(url: Url | None) -> Naming:
    """Return how the store at a URL names series, so that a path means the same live and kept."""
    kind = registry.module(url.scheme).Options if url is not None else None
    options = url.options(kind) if url is not None and kind is not None else None
    return options.naming(url) if isinstance(options, NamingOptions) and url is not None else Naming()


async def _events(follower: Follower[frozenset[str], Update]) -> AsyncIterator[bytes]:
    yield b": every flush comes as an event\n\n"
    async for update in follower.updates(SILENCE):
        if update is None:
            yield b": nothing yet\n\n"
        else:
            yield f"event: flush\nid: {update.time}\ndata: {to_json(update._asdict())}\n\n".encode("utf-8", "replace")
