"""Answers as JSON."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from nilometer.ingest.admin.commands import to_json

HEADERS = {"cache-control": "no-store"}


def reply(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:  # noqa: ANN401 whatever JSON can hold
    """Return a value as JSON; numbers that are not finite are null."""
    text = (to_json(value) + "\n").encode("utf-8", "replace")
    return Response(text, status, HEADERS | (headers or {}), "application/json")
