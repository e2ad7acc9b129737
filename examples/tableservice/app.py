"""The application: under uvicorn, ``uvicorn --factory tableservice.app:create``; see README.md."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from fastapi import FastAPI

from tableservice import errors
from tableservice.api import health, items, monitoring, tables
from tableservice.api.limit import BodyLimit
from tableservice.service import Service
from tableservice.settings import from_environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp


def create() -> ASGIApp:
    """Return the application with settings from the environment."""
    return application(Service(from_environment(os.environ)))


def application(service: Service) -> ASGIApp:
    """Return the application over a service, which it closes in the end."""

    @contextlib.asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        service.begin()
        yield
        service.close()

    app = FastAPI(title="Table service", version="1", lifespan=life)
    errors.install(app)
    app.add_middleware(BodyLimit)
    for room in (health, monitoring, tables, items):
        app.include_router(room.router(service))
    return service.metrics.around(app)
