"""Starlette and FastAPI: the router leaves the route in the scope.

A route's name is that of its function, unless it was given one; its template stands in for a missing one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.emit.requests.endpoints import Found

if TYPE_CHECKING:
    from nilometer.emit.requests.options import Subject


def find(scope: Subject) -> Found | None:
    """Return the route that a request went to, None for one that no route fits."""
    route = scope.get("route")
    name = getattr(route, "name", None) or getattr(route, "path", None) or getattr(scope.get("endpoint"), "__name__", None)
    return Found(name, scope.get("path_params") or {}) if isinstance(name, str) and name else None
