"""Which backend answers to a URL: the table of schemes and what each can do.

Rules:

* The key is scheme and capability, the value a factory as ``"module:function"`` that is imported on first use: nothing is
  loaded for a system that nobody names, and one scheme may be served from several places.
* Asking for what a backend cannot do fails here, before anything is imported, and the message says what it can do.
* A factory takes the parsed `Url` and returns an object with the methods of the capability. It opens no connection.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, cast, overload

from nilometer.core import url as urls
from nilometer.core.errors import CapabilityError, MissingDriver, UnknownScheme, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from nilometer.core.capability import Backend, Confirming, EventSink, Health, MetricSink, SeriesReader
    from nilometer.core.url import Url

METRICS: Final = "metrics"
SKETCHES: Final = "sketches"
SERIES: Final = "series"
HEALTH: Final = "health"
EVENTS: Final = "events"
CONFIRM: Final = "confirm"
DOCUMENTS = (METRICS, SKETCHES, EVENTS, CONFIRM, HEALTH)
"""What can be done where records are documents."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One scheme: a line about it, the factory of each capability, and the pip extra that brings its driver."""

    summary: str
    factories: Mapping[str, str]
    extra: str = ""


def _entry(summary: str, factory: str, *capabilities: str, extra: str = "") -> Entry:
    return Entry(summary, MappingProxyType(dict.fromkeys(capabilities, factory)), extra)


def _backend(module: str) -> str:
    return f"nilometer.backends.{module}:open"


TABLE: dict[str, Entry] = {
    "cloudwatch": _entry("Amazon CloudWatch", _backend("cloudwatch"), METRICS, SKETCHES, HEALTH, extra="cloudwatch"),
    "console": _entry("readable text on standard output", _backend("console"), METRICS, EVENTS, HEALTH),
    "elasticsearch": _entry("Elasticsearch", _backend("elasticsearch"), *DOCUMENTS, extra="elasticsearch"),
    "elasticsearch+https": _entry("Elasticsearch, over TLS", _backend("elasticsearch"), *DOCUMENTS, extra="elasticsearch"),
    "graphite": _entry("Graphite's carbon, lines of text", _backend("graphite"), METRICS, HEALTH),
    "graphite+pickle": _entry("Graphite's carbon, pickles", _backend("graphite"), METRICS, HEALTH),
    "log": _entry("Python's logging", _backend("log"), METRICS, EVENTS, HEALTH),
    "memory": _entry("the last flushes, in this process", _backend("memory"), METRICS, SKETCHES, EVENTS, SERIES, HEALTH),
    "null": _entry("nowhere", _backend("null"), METRICS, EVENTS, HEALTH),
    "opensearch": _entry("OpenSearch", _backend("elasticsearch"), *DOCUMENTS, extra="elasticsearch"),
    "opensearch+https": _entry("OpenSearch, over TLS", _backend("elasticsearch"), *DOCUMENTS, extra="elasticsearch"),
    "sqlite": _entry("the embedded series store, one file", "nilometer.history.store:open", METRICS, SERIES, HEALTH),
    "statsd": _entry("another StatsD server, over UDP", _backend("statsd"), METRICS, HEALTH),
    "statsd+tcp": _entry("another StatsD server, over TCP", _backend("statsd"), METRICS, HEALTH),
    "statsd+unix": _entry("another StatsD server, Unix stream socket", _backend("statsd"), METRICS, HEALTH),
    "statsd+unixgram": _entry("another StatsD server, Unix datagram socket", _backend("statsd"), METRICS, HEALTH),
}
"""Every scheme, in alphabetical order."""


def find(scheme: str) -> Entry:
    """Return a scheme's entry. Raise `UnknownScheme` naming the nearest one."""
    if scheme not in TABLE:
        message = f"no backend answers to {scheme}://{did_you_mean(scheme, TABLE)}; known are {', '.join(TABLE)}"
        raise UnknownScheme(message)
    return TABLE[scheme]


def capabilities(scheme: str) -> tuple[str, ...]:
    """Return the words for what a scheme can do. Raise `UnknownScheme`."""
    return tuple(find(scheme).factories)


def check(url: Url | str, capability: str) -> Url:
    """Return the parsed URL when its scheme has the capability, importing nothing. Raise `UrlError` otherwise."""
    parsed = urls.parse(url) if isinstance(url, str) else url
    entry = find(parsed.scheme)
    if capability not in entry.factories:
        message = f"{parsed}: {parsed.scheme}:// has no {capability}; what it has: {', '.join(entry.factories)}"
        raise CapabilityError(message)
    return parsed


@overload
def open(url: Url | str, capability: Literal["metrics"]) -> MetricSink: ...  # noqa: A001 see below
@overload
def open(url: Url | str, capability: Literal["series"]) -> SeriesReader: ...  # noqa: A001 see below
@overload
def open(url: Url | str, capability: Literal["health"]) -> Health: ...  # noqa: A001 see below
@overload
def open(url: Url | str, capability: Literal["events"]) -> EventSink: ...  # noqa: A001 see below
@overload
def open(url: Url | str, capability: Literal["confirm"]) -> Confirming: ...  # noqa: A001 see below
@overload
def open(url: Url | str, capability: str) -> Backend: ...  # noqa: A001 see below


def open(url: Url | str, capability: str) -> Backend:  # noqa: A001 each backend and the registry open URLs
    """Open a URL for one capability; nothing connects before the first use.

    Raise `UrlError`: `UnknownScheme`, `CapabilityError`, `MissingDriver`, or for a part of the URL that is wrong.
    """
    parsed = check(url, capability)
    entry = TABLE[parsed.scheme]
    name, _, function = entry.factories[capability].partition(":")
    try:
        return cast("Backend", getattr(importlib.import_module(name), function)(parsed))
    except ImportError as error:
        if not entry.extra:
            raise
        message = f"{parsed}: {error}; type: pip install 'nilometer[{entry.extra}]'"
        raise MissingDriver(message) from error


def module(scheme: str) -> ModuleType:
    """Import and return the module behind a scheme: its `SCHEMES`, `URL_EXAMPLES`, `EXTRA` and `Options`."""
    factory = next(iter(find(scheme).factories.values()))
    return importlib.import_module(factory.partition(":")[0])
