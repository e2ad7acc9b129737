"""OSProfiler's connection strings, and Nilometer's URLs for the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = {
    "mysql+pymysql": "mysql",
    "mysql+mysqldb": "mysql",
    "postgresql+psycopg2": "postgresql",
    "postgresql+psycopg": "postgresql",
}
"""Schemes of the original that have another name here."""
OWN_LAYOUT = frozenset(
    ("redis", "redissentinel", "rediss", "mongodb", "mongodb+srv", "elasticsearch", "mysql", "postgresql", "sqlite")
)
"""Where the original has a layout of its own."""
GONE = {
    "jaeger": "Jaeger driver is no longer supported: Jaeger takes OTLP, so use otlp://HOST:4318",
    "loginsight": "VMware Log Insight is not supported: send traces to otlp://HOST:4318, or to elasticsearch://HOST:9200",
    "ceilometer": "Ceilometer keeps no traces any more (since 2018): use redis://, mongodb://, elasticsearch:// or postgresql://",
}
"""What the original had once, and what to take in its place."""


def known_as(connection: str, given: Mapping[str, Any]) -> str:
    """Return the URL for a connection string, with what a driver's arguments and its service's configuration say."""
    scheme, _, rest = connection.partition("://")
    name = NAMES.get(scheme.lower(), scheme.lower())
    options: dict[str, str] = {}
    if name in OWN_LAYOUT and "layout=" not in rest:
        options["layout"] = "osprofiler"
    settings = getattr(given.get("conf"), "profiler", None)
    if name in ("redis", "redissentinel") and settings is not None and "timeout=" not in rest:
        options["timeout"] = f"{float(settings.socket_timeout):g}s"
    if name == "redissentinel" and settings is not None and "service=" not in rest:
        options["service"] = str(settings.sentinel_service_name)
    if name == "messaging" and given.get("transport_url"):
        options["transport_url"] = str(given["transport_url"])
    added = urlencode(options, quote_via=quote)
    return f"{name}://{rest}" + (f"{'&' if '?' in rest else '?'}{added}" if added else "")
