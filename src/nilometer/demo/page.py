"""The address to look at: the explorer with the requests of the whole service, and the other series one click away."""

from __future__ import annotations

from urllib.parse import urlencode

NODE = "demo"
"""What the example service calls itself in its metrics."""
REQUESTS = f"stats.timers.{NODE}.mdb.req"
COUNTERS = f"stats.counters.{NODE}.mdb.req"
SHOWN = (
    f"{REQUESTS}.timing.count_ps",
    f"{REQUESTS}.timing.median",
    f"{REQUESTS}.timing.upper_95",
    f"{REQUESTS}.timing.upper_99",
    f"{COUNTERS}.errors.rate",
    f"{COUNTERS}.failures.rate",
)


def address(base: str) -> str:
    """Return the address of the page below ``http://host:port``."""
    return f"{base}/#/series?{urlencode([*(('s', path) for path in SHOWN), ('range', '5m'), ('q', NODE)])}"
