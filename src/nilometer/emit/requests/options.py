"""What is measured of requests, how it is named, how often it is sent.

Rules:

* Options are frozen, and checked when they are made: a wrong one raises `ValueError` when the application starts, never later.
* A function of the user's takes the WSGI environ or the ASGI scope, and returns a text or None. What it raises is counted.
"""

from __future__ import annotations

import math
import socket
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from nilometer.emit.emitter import Emitter  # noqa: TC001 a field's type, which dataclasses read
from nilometer.emit.tracer import Tracer  # noqa: TC001 as above

Subject = MutableMapping[str, Any]
"""A WSGI environ or an ASGI scope."""
Naming = Callable[[Subject], "str | None"]
GROUPS = frozenset({"node", "endpoint", "tenant", "endpoint_tenant"})
MEASURES = frozenset({"receive", "send", "bytes", "processing", "wait"})
STYLES = {"magnetodb": "mdb.req", "tagged": "request"}
"""The styles of names, and the prefix of each."""
EXEMPT = frozenset({"errors", "failures"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of the request metrics.

    ``client``: a client, or a URL to open one with. ``style``: ``magnetodb`` puts endpoint and tenant into names,
    ``tagged`` into tags. ``prefix``: the first parts of every name; None for the style's own. ``host``: the node's name;
    None for this machine's, empty to leave it out; ``host_as``: ``name`` (first part), ``tag``, or empty for the style's own.

    ``groups``: for what the series are (``GROUPS``); ``endpoint_tenant`` is each endpoint of each tenant. ``measures``:
    what is measured besides latency, errors and failures (``MEASURES``). ``method``: tell the methods of an endpoint apart.

    ``rate``: the fraction of requests that is sent, 0 to 1; ``rates``: those of some endpoints; ``exempt``: ``errors`` (4xx)
    and ``failures`` (5xx, exceptions), which are then always sent. ``exclude``: endpoints, or paths that begin with ``/``,
    which are not measured.

    ``receive_timeout``, ``send_timeout``: seconds of one wait for the client that count as a timeout; 0: none. Nothing is
    interrupted. ``longest_wait``: seconds beyond which a header that tells when the request came is not believed.
    ``max_endpoints``, ``max_tenants``: how many get series; the rest is ``other``. ``backlog``: seconds between two lines about
    the queue of connections that wait to be accepted (module `backlog`); 0: none.

    ``endpoint``, ``tenant``: functions that name them. Without the first, the framework does; without the second, nobody.

    ``tracer``: a `nilometer.tracer.Tracer`; each request that is measured is then a span, too (module `spans`).
    """

    client: Emitter | str = "statsd://127.0.0.1:8125"
    style: str = "magnetodb"
    prefix: str | None = None
    host: str | None = None
    host_as: str = ""
    groups: AbstractSet[str] = frozenset({"node", "endpoint"})
    measures: AbstractSet[str] = MEASURES
    method: bool = False
    rate: float = 1.0
    rates: Mapping[str, float] = field(default_factory=dict)
    exempt: AbstractSet[str] = frozenset()
    exclude: AbstractSet[str] = frozenset()
    receive_timeout: float = 30.0
    send_timeout: float = 30.0
    longest_wait: float = 600.0
    max_endpoints: int = 250
    max_tenants: int = 100
    backlog: float = 0.0
    endpoint: Naming | None = None
    tenant: Naming | None = None
    tracer: Tracer | None = None

    def __post_init__(self) -> None:
        for name in ("groups", "measures", "exempt", "exclude"):
            given: str | Iterable[str] = getattr(self, name)
            object.__setattr__(self, name, frozenset([given] if isinstance(given, str) else given))
        _sends(self.client)
        _among("style", {self.style}, frozenset(STYLES))
        _among("host_as", {self.host_as}, frozenset({"", "name", "tag"}))
        _among("groups", self.groups, GROUPS)
        _among("measures", self.measures, MEASURES)
        _among("exempt", self.exempt, EXEMPT)
        for name, value in {"rate": self.rate, **self.rates}.items():
            _between(f"rates[{name!r}]" if name in self.rates else name, value, 1)
        for name in ("receive_timeout", "send_timeout", "longest_wait", "max_endpoints", "max_tenants", "backlog"):
            _between(name, getattr(self, name), math.inf)

    def node(self) -> tuple[str, str]:
        """Return the node's name and how it is told: ``name``, ``tag`` or, without a name, empty."""
        host = socket.gethostname() if self.host is None else self.host
        return host, (self.host_as or ("name" if self.style == "magnetodb" else "tag")) if host else ""

    def first_parts(self) -> str:
        """Return what all names begin with, behind the host."""
        return STYLES[self.style] if self.prefix is None else self.prefix.strip(".")


def _among(name: str, given: AbstractSet[str], known: AbstractSet[str]) -> None:
    if unknown := sorted(given - known):
        message = f"{name}: {', '.join(map(repr, unknown))} is none of {', '.join(map(repr, sorted(known)))}"
        raise ValueError(message)


def _sends(client: object) -> None:
    if not (isinstance(client, str) or hasattr(client, "emit")):
        message = f"client: expected a URL, or an object with `emit` such as nilometer.StatsD, not {client!r}"
        raise ValueError(message)


def _between(name: str, value: float, most: float) -> None:
    if not 0 <= value <= most:
        message = f"{name}: expected a number from 0 to {most:g}, not {value!r}"
        raise ValueError(message)
