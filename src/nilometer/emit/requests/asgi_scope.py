"""A scope that notices when a router of Starlette or FastAPI writes the route into it.

Rules:

* It is a dict with what the server's scope has; what is written into it is written into the server's, too, so that whoever
  stands before this middleware finds it there as usual.
* Copies of it are plain dicts.

Source: `Router.app` of Starlette, which updates the scope with ``endpoint`` and ``path_params``, then sets ``route``, as old
versions did not; for a `Mount` first, then for what is mounted.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from nilometer.emit.requests.measure import Exchange

MISSING = object()


class RoutedScope(dict[str, Any]):
    """A scope. `mounts` holds the names of the mounts on the way to the route, ``""`` for one without a name."""

    __slots__ = ("_exchange", "_outer", "mounts")

    def __init__(self, outer: MutableMapping[str, Any], exchange: Exchange) -> None:
        super().__init__(outer)
        self._outer, self._exchange = outer, exchange
        self.mounts: tuple[str, ...] = ()

    def __setitem__(self, key: str, value: Any) -> None:  # noqa: ANN401 as in any dict
        super().__setitem__(key, value)
        self._outer[key] = value
        if key == "route" or (key == "endpoint" and hasattr(value, "__name__")):
            self._routed(value)

    def _routed(self, route: object) -> None:
        """Note a mount on the way, or that the endpoint is reached."""
        if getattr(route, "routes", None):
            name = getattr(route, "name", None)
            self.mounts += (name if isinstance(name, str) else "",)
        else:
            self._exchange.dispatched(perf_counter())

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
