"""Which endpoint and tenant a request belongs to: the hooks that tell, and the names that come of it.

Rules:

* An endpoint is a name that the programmer gave: a view's, a route's, or the route's template. Never a path, never an id. What
  has none is ``unmatched``.
* The number of names is bounded: those that come when it is reached are ``other``. Methods that are none are ``other``, too.
* A name is one part of a StatsD name: letters, digits, ``_`` and ``-``, at most 80 of them.
* The request that a thread or a task works on is `current`; hooks find it there, so that applications pass nothing on.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from nilometer.core.bounded import LONGEST_READ, OTHER

if TYPE_CHECKING:
    from nilometer.emit.requests.measure import Exchange
    from nilometer.emit.requests.options import Naming, Subject

UNMATCHED = "unmatched"
LONGEST = 80
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
FOREIGN = re.compile(r"[^A-Za-z0-9_-]+")
RESERVED = frozenset({"error"})
"""What stands behind ``timing`` in names of another meaning."""


class Found(NamedTuple):
    """What a framework knows of a request: the name of its endpoint, and the parameters of its path."""

    name: str
    parameters: Mapping[str, object]


Finder = Callable[["Subject"], Found | None]
"""Finds the endpoint in a WSGI environ or an ASGI scope once the request is over; None when there is none."""
Function = TypeVar("Function", bound=Callable[..., Any])

current: ContextVar[Exchange | None] = ContextVar("nilometer_request", default=None)
"""The request that is worked on, None outside of one."""


def clean(name: str) -> str:
    """Return a name as one part of a StatsD name, ``unnamed`` when nothing is left of it."""
    part = FOREIGN.sub("_", name[:LONGEST_READ]).strip("_")[:LONGEST] or "unnamed"
    return f"{part}_" if part in RESERVED else part


def known_method(method: str) -> str:
    """Return the method when it is a known one, else ``other``: clients may send any word."""
    return method if method in METHODS else OTHER


def of_template(method: str, template: str) -> str:
    """Return the name of a method of a route: ``GET /items/{id}`` is ``get_items_id``."""
    return f"{known_method(method).lower()}_{template.strip('/')}"


def entered(name: str | None = None, parameters: Mapping[str, object] | None = None) -> None:
    """Tell that the endpoint is entered now, its name and the parameters of its path. Nothing happens outside of a request."""
    exchange = current.get()
    if exchange is not None:
        exchange.dispatched(perf_counter(), name)
        if parameters:
            exchange.parameters = parameters


def endpoint(name: str) -> Callable[[Function], Function]:
    """Make a decorator that names an endpoint and measures when it is entered.

    For functions, methods and coroutine functions, below the decorators of a framework, so that it is the function they call.
    """

    def decorate(function: Function) -> Function:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def within(*args: object, **options: object) -> object:
                entered(name)
                return await function(*args, **options)

            return cast("Function", within)

        @functools.wraps(function)
        def call(*args: object, **options: object) -> object:
            entered(name)
            return function(*args, **options)

        return cast("Function", call)

    return decorate


def header(subject: Subject, name: str) -> str | None:
    """Return a request's header from a WSGI environ or an ASGI scope, None without it."""
    if "headers" in subject:
        wanted = name.lower().encode("latin-1")
        return next((value.decode("latin-1") for key, value in subject["headers"] if key.lower() == wanted), None)
    found = subject.get(f"HTTP_{name.upper().replace('-', '_')}")
    return found if isinstance(found, str) else None


def tenant_header(*names: str) -> Naming:
    """Make a function that finds the tenant in a header; without `names` in those that Keystone's middleware sets.

    Use it where the header was set or checked by something you trust: whoever may send it decides what series there are.
    """
    wanted = names or ("X-Project-Id", "X-Tenant-Id")

    def tenant(subject: Subject) -> str | None:
        return next(filter(None, (header(subject, name) for name in wanted)), None)

    return tenant


def tenant_parameter(name: str) -> Naming:
    """Make a function that finds the tenant in a parameter of the path, as in ``/v1/{project_id}/tables``."""

    def tenant(_: Subject) -> str | None:
        exchange = current.get()
        found = exchange.parameters.get(name) if exchange is not None else None
        return None if found is None else str(found)

    return tenant
