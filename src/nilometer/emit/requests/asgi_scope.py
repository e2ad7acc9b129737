"""A scope that notices when a router of Starlette or FastAPI writes the route into it.

Rules:

* It is a dict with what the server's scope has; what is written into it is written into the server's, too, so that whoever
  stands before this middleware finds it there as usual.
* Copies of it are plain dicts.

Source: `Router.app` of Starlette, which updates the scope with ``endpoint`` and ``path_params``, then sets ``route``; for a
`Mount` first, then for what is mounted. FastAPI sets ``route`` for functions only, old versions of Starlette never.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from nilometer.emit.requests.measure import Exchange

MISSING = object()


class RoutedScope(dict[str, Any]):
    """A scope. `mounts` holds the names of the mounts on the way to the route, those that have one.

    `reached`: when the router had found the endpoint, and the seconds of receiving before that; None while it has not.
    """

    __slots__ = ("_exchange", "_mounted", "_outer", "_routes", "mounts", "reached")

    def __init__(self, outer: MutableMapping[str, Any], exchange: Exchange) -> None:
        super().__init__(outer)
        self._outer, self._exchange = outer, exchange
        self._mounted: object = None
        self._routes: object = None
        self.mounts: tuple[str, ...] = ()
        self.reached: tuple[float, float] | None = None

    def __setitem__(self, key: str, value: Any) -> None:  # noqa: ANN401 as in any dict
        super().__setitem__(key, value)
        self._outer[key] = value
        if key == "endpoint":
            self._reached(value)
        elif key == "route":
            self._routed(value)

    def _reached(self, endpoint: object) -> None:
        """Note that a router has chosen a function, or something that is mounted."""
        if self._mounted is not None:
            self._add(self.mounted())
        if hasattr(endpoint, "__name__"):
            self.reached = (perf_counter(), self._exchange.receive_seconds)
        else:
            self._mounted = endpoint

    def _routed(self, route: object) -> None:
        """Note the name of a mount on the way, or that the endpoint is reached."""
        if getattr(route, "routes", None):
            self._add(getattr(route, "name", None))
        else:
            self._mounted = None
            self.reached = (perf_counter(), self._exchange.receive_seconds)

    def _add(self, name: object) -> None:
        self._routes, self._mounted = getattr(self._mounted, "routes", ()), None
        if name and isinstance(name, str):
            self.mounts += (name,)

    def mounted(self) -> str | None:
        """Return the name of the mount that was reached last, None for one without."""
        if self._mounted is None:
            return None
        routes = getattr(self.get("router"), "routes", ()) if self._routes is None else self._routes
        named = (route.name for route in routes if getattr(route, "app", None) is self._mounted)  # type: ignore[attr-defined]
        return next(named, None)

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self._outer.pop(key, None)

    def update(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 as any dict takes
        """Write all that is given."""
        for key, value in dict(*given, **named).items():
            self[key] = value

    def __ior__(self, given: Any) -> Self:  # type: ignore[override,misc]  # noqa: ANN401
        self.update(given)
        return self

    def setdefault(self, key: str, default: Any = None) -> Any:  # noqa: ANN401
        """Return what is there, or write the default."""
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: str, *default: Any) -> Any:  # noqa: ANN401
        """Take out and return."""
        self._outer.pop(key, None)
        return super().pop(key, *default)

    def popitem(self) -> tuple[str, Any]:
        """Take out what came last."""
        key, value = super().popitem()
        self._outer.pop(key, None)
        return key, value

    def clear(self) -> None:
        """Take out all."""
        super().clear()
        self._outer.clear()

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)
