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
    from collections.abc import Mapping, Sequence
    from types import ModuleType

    from nilometer.core.capability import (
        Archive,
        Backend,
        Confirming,
        EventSink,
        EventStore,
        Health,
        MessageSource,
        MetricSink,
        SeriesReader,
        SpanSink,
        StatisticsStore,
        TableSource,
        TraceStore,
    )
    from nilometer.core.url import Url

METRICS: Final = "metrics"
SKETCHES: Final = "sketches"
SERIES: Final = "series"
HEALTH: Final = "health"
EVENTS: Final = "events"
EVENT_STORE: Final = "event store"
MESSAGES: Final = "messages"
TABLES: Final = "tables"
STATISTICS: Final = "statistics"
ARCHIVE: Final = "archive"
SPANS: Final = "spans"
TRACES: Final = "traces"
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


def _several(summary: str, factories: Mapping[str, Sequence[str]], extra: str = "") -> Entry:
    """Return the entry of a scheme that several factories serve: each with what it can do."""
    found = {capability: factory for factory, able in factories.items() for capability in able}
    return Entry(summary, MappingProxyType(found), extra)


def _backend(module: str) -> str:
    return f"nilometer.backends.{module}" if ":" in module else f"nilometer.backends.{module}:open"


TABLE: dict[str, Entry] = {
    "amqp": _several(
        "RabbitMQ, as oslo.messaging's notifications",
        {_backend("amqp"): (EVENTS, MESSAGES, HEALTH), _backend("amqp_traces"): (SPANS, TRACES)},
        extra="amqp",
    ),
    "amqps": _several(
        "RabbitMQ, over TLS",
        {_backend("amqp"): (EVENTS, MESSAGES, HEALTH), _backend("amqp_traces"): (SPANS, TRACES)},
        extra="amqp",
    ),
    "cassandra": _entry("Cassandra", _backend("cassandra"), TABLES, HEALTH, extra="cassandra"),
    "cloudwatch": _entry("Amazon CloudWatch", _backend("cloudwatch"), METRICS, SKETCHES, HEALTH, extra="cloudwatch"),
    "console": _entry("readable text on standard output", _backend("console"), METRICS, EVENTS, SPANS, HEALTH),
    "datagrepper+http": _entry("datagrepper, a bus's archive", _backend("datagrepper"), ARCHIVE, HEALTH, extra="datagrepper"),
    "datagrepper+https": _entry("datagrepper, over TLS", _backend("datagrepper"), ARCHIVE, HEALTH, extra="datagrepper"),
    "dynamodb": _entry("Amazon DynamoDB", _backend("dynamodb"), TABLES, HEALTH, extra="dynamodb"),
    "elasticsearch": _several(
        "Elasticsearch",
        {_backend("elasticsearch"): DOCUMENTS, _backend("elasticsearch_traces"): (SPANS, TRACES)},
        extra="elasticsearch",
    ),
    "elasticsearch+https": _several(
        "Elasticsearch, over TLS",
        {_backend("elasticsearch"): DOCUMENTS, _backend("elasticsearch_traces"): (SPANS, TRACES)},
        extra="elasticsearch",
    ),
    "fedora-messaging": _entry(
        "fedora-messaging, by its configuration file", _backend("fedora_messaging"), MESSAGES, HEALTH, extra="amqp"
    ),
    "graphite": _entry("Graphite's carbon, lines of text", _backend("graphite"), METRICS, HEALTH),
    "graphite+pickle": _entry("Graphite's carbon, pickles", _backend("graphite"), METRICS, HEALTH),
    "kafka": _entry("Kafka", _backend("kafka"), EVENTS, MESSAGES, HEALTH, extra="kafka"),
    "kafka+tls": _entry("Kafka, over TLS", _backend("kafka"), EVENTS, MESSAGES, HEALTH, extra="kafka"),
    "log": _entry("Python's logging", _backend("log"), METRICS, EVENTS, SPANS, HEALTH),
    "magnetodb+http": _entry("MagnetoDB's monitoring API", _backend("magnetodb"), TABLES, HEALTH, extra="magnetodb"),
    "magnetodb+https": _entry("MagnetoDB's monitoring API, over TLS", _backend("magnetodb"), TABLES, HEALTH, extra="magnetodb"),
    "memory": _entry(
        "the last of everything, in this process",
        _backend("memory"),
        METRICS,
        SKETCHES,
        EVENTS,
        EVENT_STORE,
        SPANS,
        TRACES,
        SERIES,
        HEALTH,
    ),
    "messaging": _entry(
        "RabbitMQ, by oslo.messaging's transport URL", _backend("amqp_traces"), SPANS, TRACES, HEALTH, extra="amqp"
    ),
    "mongodb": _several(
        "MongoDB", {_backend("mongodb"): (TABLES, HEALTH), _backend("mongodb_traces"): (SPANS, TRACES)}, extra="mongodb"
    ),
    "mongodb+srv": _several(
        "MongoDB, its servers named by DNS",
        {_backend("mongodb"): (TABLES, HEALTH), _backend("mongodb_traces"): (SPANS, TRACES)},
        extra="mongodb",
    ),
    "mysql": _several(
        "MySQL or MariaDB",
        {
            _backend("sql"): (EVENTS, EVENT_STORE, HEALTH),
            _backend("sql:open_traces"): (SPANS, TRACES),
            _backend("sql_tables"): (TABLES,),
        },
        extra="mysql",
    ),
    "nats": _entry("NATS JetStream", _backend("nats"), EVENTS, MESSAGES, HEALTH, extra="nats"),
    "nats+tls": _entry("NATS JetStream, over TLS", _backend("nats"), EVENTS, MESSAGES, HEALTH, extra="nats"),
    "null": _entry("nowhere", _backend("null"), METRICS, EVENTS, SPANS, HEALTH),
    "opensearch": _several(
        "OpenSearch",
        {_backend("elasticsearch"): DOCUMENTS, _backend("elasticsearch_traces"): (SPANS, TRACES)},
        extra="elasticsearch",
    ),
    "opensearch+https": _several(
        "OpenSearch, over TLS",
        {_backend("elasticsearch"): DOCUMENTS, _backend("elasticsearch_traces"): (SPANS, TRACES)},
        extra="elasticsearch",
    ),
    "otlp": _entry("OpenTelemetry's protocol, over HTTP", _backend("otlp"), SPANS, HEALTH, extra="otlp"),
    "otlp+https": _entry("OpenTelemetry's protocol, over HTTPS", _backend("otlp"), SPANS, HEALTH, extra="otlp"),
    "postgresql": _several(
        "PostgreSQL",
        {
            _backend("sql"): (EVENTS, EVENT_STORE, HEALTH),
            _backend("sql:open_traces"): (SPANS, TRACES),
            _backend("sql:open_statistics"): (STATISTICS,),
            _backend("sql_tables"): (TABLES,),
        },
        extra="postgresql",
    ),
    "redis": _entry("Redis or Valkey", _backend("redis"), SPANS, TRACES, HEALTH, extra="redis"),
    "redis+sentinel": _entry("Redis, found by Sentinel", _backend("redis"), SPANS, TRACES, HEALTH, extra="redis"),
    "redis+unix": _entry("Redis, Unix socket", _backend("redis"), SPANS, TRACES, HEALTH, extra="redis"),
    "rediss": _entry("Redis, over TLS", _backend("redis"), SPANS, TRACES, HEALTH, extra="redis"),
    "rediss+sentinel": _entry("Redis over TLS, found by Sentinel", _backend("redis"), SPANS, TRACES, HEALTH, extra="redis"),
    "redissentinel": _entry("Redis, found by Sentinel", _backend("redis"), SPANS, TRACES, HEALTH, extra="redis"),
    "scylla": _entry("ScyllaDB", _backend("cassandra"), TABLES, HEALTH, extra="cassandra"),
    "sqlite": _several(
        "the embedded store, one file",
        {
            "nilometer.history.store:open": (METRICS, SERIES, HEALTH),
            _backend("sqlite"): (EVENTS, EVENT_STORE),
            _backend("sqlite:open_traces"): (SPANS, TRACES),
            _backend("sqlite:open_statistics"): (STATISTICS,),
            _backend("sqlite_tables"): (TABLES,),
        },
    ),
    "statsd": _entry("another StatsD server, over UDP", _backend("statsd"), METRICS, EVENTS, HEALTH),
    "statsd+tcp": _entry("another StatsD server, over TCP", _backend("statsd"), METRICS, EVENTS, HEALTH),
    "statsd+unix": _entry("another StatsD server, Unix stream socket", _backend("statsd"), METRICS, EVENTS, HEALTH),
    "statsd+unixgram": _entry("another StatsD server, Unix datagram socket", _backend("statsd"), METRICS, EVENTS, HEALTH),
    "webhook+http": _entry("webhooks, POST over HTTP", _backend("webhook"), EVENTS, HEALTH, extra="webhook"),
    "webhook+https": _entry("webhooks, POST over HTTPS", _backend("webhook"), EVENTS, HEALTH, extra="webhook"),
}
"""Every scheme, in alphabetical order."""


def find(scheme: str, capability: str = "") -> Entry:
    """Return a scheme's entry. Raise `UnknownScheme` naming the nearest one, and all, of those that have the capability."""
    if scheme not in TABLE:
        known = _able(capability) or tuple(TABLE)
        near = next((f"; did you mean {each!r}?" for each in known if each.endswith(f"+{scheme}")), did_you_mean(scheme, known))
        message = f"no backend answers to {scheme}://{near}; known are {', '.join(known)}"
        raise UnknownScheme(message)
    return TABLE[scheme]


def _able(capability: str) -> tuple[str, ...]:
    """Return the schemes that have a capability."""
    return tuple(scheme for scheme, entry in TABLE.items() if capability in entry.factories)


def capabilities(scheme: str) -> tuple[str, ...]:
    """Return the words for what a scheme can do. Raise `UnknownScheme`."""
    return tuple(find(scheme).factories)


def check(url: Url | str, capability: str) -> Url:
    """Return the parsed URL when its scheme has the capability, importing nothing. Raise `UrlError` otherwise."""
    parsed = urls.parse(url) if isinstance(url, str) else url
    entry = find(parsed.scheme, capability)
    if capability not in entry.factories:
        has = f"{parsed.scheme}:// has no {capability}; what it has: {', '.join(entry.factories)}"
        able = _able(capability)
        message = f"{parsed}: {has}" + (f"; {capability}: {', '.join(f'{scheme}://' for scheme in able)}" if able else "")
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
def open(url: Url | str, capability: Literal["event store"]) -> EventStore: ...  # noqa: A001 see below
@overload
def open(url: Url | str, capability: Literal["messages"]) -> MessageSource: ...  # noqa: A001 see below
@overload
def open(url: Url | str, capability: Literal["tables"]) -> TableSource: ...  # noqa: A001 see below
@overload
def open(url: Url | str, capability: Literal["statistics"]) -> StatisticsStore: ...  # noqa: A001 see below
@overload
def open(url: Url | str, capability: Literal["archive"]) -> Archive: ...  # noqa: A001 see below
@overload
def open(url: Url | str, capability: Literal["spans"]) -> SpanSink: ...  # noqa: A001 see below
@overload
def open(url: Url | str, capability: Literal["traces"]) -> TraceStore: ...  # noqa: A001 see below
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


def modules(scheme: str) -> list[ModuleType]:
    """Import and return the modules behind a scheme, each with its `SCHEMES`, `URL_EXAMPLES`, `EXTRA` and `Options`."""
    names = dict.fromkeys(factory.partition(":")[0] for factory in find(scheme).factories.values())
    return [importlib.import_module(name) for name in names]


def module(scheme: str) -> ModuleType:
    """Import and return the first module behind a scheme."""
    return modules(scheme)[0]
