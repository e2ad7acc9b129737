"""What the summary says, asked from the server's HTTP interface as Graphite's clients ask."""

from __future__ import annotations

import json
from http.client import HTTPException
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

from nilometer.demo.page import COUNTERS, TIMERS

if TYPE_CHECKING:
    from collections.abc import Sequence

TIMEOUT = 2.0
SECONDS = 15
"""How far back a value may lie that still counts as now."""
TARGETS = {
    "requests": f"{TIMERS}.req.timing.count_ps",
    "median": f"{TIMERS}.req.timing.median",
    "slow": f"{TIMERS}.req.timing.upper_95",
    "slowest": f"{TIMERS}.req.timing.upper_99",
    "errors": f"{COUNTERS}.req.errors.rate",
    "failures": f"{COUNTERS}.req.failures.rate",
}


class Figures(NamedTuple):
    """The latest second: requests, errors and failures a second, latencies in milliseconds."""

    requests: float
    median: float
    slow: float
    slowest: float
    errors: float
    failures: float

    def __str__(self) -> str:
        latencies = f"median {self.median:.0f} ms · 95 % within {self.slow:.0f} ms · 99 % within {self.slowest:.0f} ms"
        return f"{self.requests:.0f} requests/s · {latencies} · {self.errors:.0f} errors/s · {self.failures:.0f} failures/s"


def latest(base: str) -> Figures | None:
    """Return the figures of the server at ``http://host:port``, None while it has none."""
    query = urlencode([*(("target", path) for path in TARGETS.values()), ("from", f"-{SECONDS}s"), ("format", "json")])
    try:
        with build_opener(ProxyHandler({})).open(f"{base}/render?{query}", timeout=TIMEOUT) as answer:
            found = json.load(answer)
    except (OSError, HTTPException, ValueError):
        return None
    values = {each["target"]: _last(each["datapoints"]) for each in found}
    if TARGETS["requests"] not in values:
        return None
    return Figures(**{name: values.get(path, 0.0) for name, path in TARGETS.items()})


def _last(points: Sequence[tuple[float | None, int]]) -> float:
    return next((value for value, _ in reversed(points) if value is not None), 0.0)
