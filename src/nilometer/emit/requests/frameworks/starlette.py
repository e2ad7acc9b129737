"""Starlette and FastAPI: the router leaves the route in the scope.

A route's name is that of its function, unless it was given one; its template stands in for a missing one. Names of mounts stand
before it: ``users_list`` is ``list`` within the mount ``users``. Where no route fits, or none for the method, there is no name;
what is mounted and has no routes, as files, has the mount's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.emit.requests.asgi_scope import RoutedScope
from nilometer.emit.requests.endpoints import Found

if TYPE_CHECKING:
    from nilometer.emit.requests.options import Subject


def find(scope: Subject) -> Found | None:
    """Return the route that a request went to, None for one that no route fits."""
    route, endpoint = scope.get("route"), scope.get("endpoint")
    methods = getattr(route, "methods", None)
    if getattr(endpoint if route is None else route, "routes", None) or (methods and scope["method"] not in methods):
        return None
    name = getattr(route, "name", None) or getattr(route, "path", None) or getattr(endpoint, "__name__", None)
    mounts: tuple[str, ...] = ()
    if isinstance(scope, RoutedScope):
        name, mounts = name or scope.mounted(), scope.mounts
    return Found("_".join([*mounts, name]), scope.get("path_params") or {}) if isinstance(name, str) and name else None
