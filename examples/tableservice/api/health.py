"""The health check, as MagnetoDB answers it: ``{"API": "OK"}``, with ``?fullcheck=true`` of every subsystem."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse
from sqlalchemy.exc import SQLAlchemyError

from tableservice.errors import Fault

if TYPE_CHECKING:
    from tableservice.service import Service

LOG = logging.getLogger(__name__)
OK, ERROR, NOT_IMPLEMENTED = "OK", "ERROR", "Not Implemented"
YES = {"true", "1", "yes", "on", "t", "y"}
"""What turns the full check on; anything else does not."""


def router(service: Service) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/healthcheck")

    @routes.get("")
    @routes.get("/", include_in_schema=False)
    def healthcheck(fullcheck: str = "false") -> JSONResponse:
        """Say whether the service works; with ``fullcheck``, its subsystems too."""
        states = {"API": OK}
        if fullcheck in YES:
            states |= {"Identity": NOT_IMPLEMENTED, "Storage": _storage(service), "Messaging": NOT_IMPLEMENTED}
        return JSONResponse(states, 503 if ERROR in states.values() else 200)

    @routes.get("/{rest:path}", include_in_schema=False)
    def healthcheck_elsewhere(rest: str) -> PlainTextResponse:
        """Refuse what is not the health check's own address."""
        del rest
        return PlainTextResponse("Incorrect url. Please check it and try again\n", 404)

    return routes


def _storage(service: Service) -> str:
    try:
        service.database.check()
    except (SQLAlchemyError, Fault) as error:
        LOG.warning("the storage fails its health check: %s", error)
        return ERROR
    return OK
