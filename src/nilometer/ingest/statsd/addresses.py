"""statsd's servers and backends as URLs of ours: where a configuration file listens, and where it sends."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from nilometer.core import url as urls
from nilometer.core.errors import ConfigError, UrlError, did_you_mean
from nilometer.core.wire.number import to_text
from nilometer.ingest.statsd.document import truthy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nilometer.core.url import Url
    from nilometer.ingest.statsd.document import Document
    from nilometer.ingest.statsd.mode import Json

PORT, ADMIN_PORT, CARBON, CARBON_PICKLE = 8125, 8126, 2003, 2004
UDP_SERVER, TCP_SERVER = "./servers/udp", "./servers/tcp"
GRAPHITE, CONSOLE, REPEATER = "./backends/graphite", "./backends/console", "./backends/repeater"
MODULE = re.compile(r"(?:.*/)?((?:servers|backends)/\w+?)(?:\.js)?")
"""A module of statsd's own, wherever it is installed."""

GRAPHITE_PREFIXES = {
    "globalPrefix": "prefix",
    "prefixCounter": "prefix_counter",
    "prefixTimer": "prefix_timer",
    "prefixGauge": "prefix_gauge",
    "prefixSet": "prefix_set",
    "globalSuffix": "suffix",
}


def listeners(document: Document) -> Iterable[Url]:
    """Yield where the file listens."""
    servers = document.values.get("servers")
    if not truthy(servers):
        yield _listener(document, document.values, "")
        return
    for number, value in enumerate(document.listed(servers, "servers")):
        key = f"servers[{number}]"
        yield _listener(document, document.object(value, key), f"{key}.")


def _listener(document: Document, server: Mapping[str, Json], key: str) -> Url:
    kind = _module(server.get("server") or UDP_SERVER)
    if kind not in (UDP_SERVER, TCP_SERVER):
        raise document.wrong(key + "server", server["server"], f"{UDP_SERVER} or {TCP_SERVER}")
    if kind == TCP_SERVER and truthy(server.get("socket")):
        return _unix(document, server, key)
    port = document.port(server.get("port"), f"{key}port", PORT)
    address = server.get("address")
    host = document.text(address, f"{key}address") if truthy(address) else ""
    if not host and kind == UDP_SERVER:
        host = "::" if truthy(server.get("address_ipv6")) else "0.0.0.0"  # noqa: S104 statsd's default
    scheme = "udp" if kind == UDP_SERVER else "tcp"
    return _url(document, f"{scheme}://{_host(host)}:{port}?dialect=statsd", f"{key}address")


def _unix(document: Document, server: Mapping[str, Json], key: str) -> Url:
    query = {"dialect": "statsd"}
    mode = server.get("socket_mod")
    if truthy(mode):
        query["mode"] = (
            mode if isinstance(mode, str) else f"{int(document.number(mode, f'{key}socket_mod', low=0, high=0o777)):o}"
        )
    path = str(Path(document.text(server["socket"], f"{key}socket")).absolute())
    return _url(document, f"unix://{quote(path)}?{urlencode(query)}", f"{key}socket")


def admin(document: Document) -> Url:
    """Return where the admin interface listens."""
    address, key = document.values.get("mgmt_address"), "mgmt_address"
    host = document.text(address, key) if truthy(address) else ""
    port = document.port(document.values.get("mgmt_port"), "mgmt_port", ADMIN_PORT)
    return _url(document, f"tcp://{_host(host)}:{port}", key)


def sinks(document: Document, prefix: str, percentiles: Iterable[float]) -> Iterable[Url]:
    """Yield where the file sends. `prefix` is that of the server's own figures."""
    makers: dict[str, Callable[[], Url | None]] = {
        GRAPHITE: lambda: _carbon(document, prefix),
        CONSOLE: lambda: _console(document, percentiles),
        REPEATER: lambda: None,
    }
    for name in backends(document):
        sink = makers[name]()
        yield from [sink] if sink is not None else []


def backends(document: Document) -> list[str]:
    """Return the backends that the file loads. Raise `ConfigError` for one that is not statsd's own."""
    key, known = "backends", (GRAPHITE, CONSOLE, REPEATER)
    listed = document.values.get(key)
    if not truthy(listed):
        return [GRAPHITE]
    found = []
    for number, value in enumerate(document.listed(listed, key)):
        name = _module(document.text(value, key))
        if name not in known:
            place = f"{key}[{number}]"
            raise document.wrong(place, value, f"one of {', '.join(known)}{did_you_mean(str(value), known)}")
        found.append(name)
    return found


def _module(name: Json) -> str:
    """Return the short name of a module of statsd, whether or not the file gives its whole path."""
    match = MODULE.fullmatch(name) if isinstance(name, str) else None
    return f"./{match[1]}" if match else str(name)


def _console(document: Document, percentiles: Iterable[float]) -> Url:
    query = {"format": "statsd", "percentiles": ",".join(map(to_text, percentiles))}
    if truthy(document.section("console").get("prettyprint")):
        query["pretty"] = "true"
    return urls.parse(f"console://?{urlencode(query, safe=',')}")


def _carbon(document: Document, prefix: str) -> Url | None:
    """Return Graphite's URL, None when the file names no host: then nothing is sent."""
    values, graphite = document.values, document.section("graphite")
    if not truthy(values.get("graphiteHost")):
        return None
    host = document.text(values["graphiteHost"], "graphiteHost")
    pickled = _protocol(document) == "pickle"
    key, default = ("graphitePicklePort", CARBON_PICKLE) if pickled else ("graphitePort", CARBON)
    port = document.port(values.get(key), key, default, low=1)
    query = {
        "namespace": "legacy" if _legacy(document, graphite) else "statsd",
        "counts": str(document.flag("flush_counts", default=True)).lower(),
        "statsd_stats": prefix,
        "sanitize": str(not document.flag("keyNameSanitize", default=True)).lower(),
    }
    query |= {
        ours: document.text(graphite[name], f"graphite.{name}") for name, ours in GRAPHITE_PREFIXES.items() if name in graphite
    }
    scheme = "graphite+pickle" if pickled else "graphite"
    return _url(document, f"{scheme}://{_host(host)}:{port}?{urlencode(query)}", "graphiteHost")


def _legacy(document: Document, graphite: Mapping[str, Json]) -> bool:
    key, value = "graphite.legacyNamespace", graphite.get("legacyNamespace", True)
    if not isinstance(value, bool):
        raise document.wrong(key, value, "true or false")
    return value


def _protocol(document: Document) -> str:
    key = "graphiteProtocol"
    value = document.values.get(key) or "text"
    if value not in ("text", "pickle"):
        raise document.wrong(key, value, "text or pickle")
    return str(value)


def repeated(document: Document) -> Iterable[Url]:
    """Yield where packets are repeated; statsd does so only when its backend is loaded."""
    protocol, loaded = document.values.get("repeaterProtocol"), REPEATER in backends(document)
    listed = document.values.get("repeater")
    for number, value in enumerate(document.listed(listed if truthy(listed) else [], "repeater")):
        key = f"repeater[{number}]"
        target = document.object(value, key)
        port = int(document.number(target.get("port"), f"{key}.port", low=1, high=65535))
        host = _host(document.text(target.get("host") or "localhost", f"{key}.host"))
        query = "" if protocol == "tcp" else f"?family={'ipv6' if protocol == 'udp6' else 'ipv4'}"
        url = _url(document, f"{'tcp' if protocol == 'tcp' else 'udp'}://{host}:{port}{query}", f"{key}.host")
        if loaded:
            yield url


def _url(document: Document, text: str, key: str) -> Url:
    try:
        return urls.parse(text)
    except UrlError as error:
        message = f"{document.literal.place(key)}: {key}: {error}"
        raise ConfigError(message) from error


def _host(name: str) -> str:
    return f"[{name}]" if ":" in name else name
