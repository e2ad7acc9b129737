"""The configuration file of statsd's cluster proxy, ``proxy.js``, translated into our settings.

Rules:

* What the proxy does is a relay with a ring, and a sink that throws everything away; environment and flags win over the file.
* Like the proxy it listens at `address`; where the file only has `host`, which its example shows and the proxy does not read,
  there.
* A wrong value is a `ConfigError` that names file, place and key; a key that has no effect here is named in a warning.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING
from urllib.parse import quote

from nilometer.core import url as urls
from nilometer.core.errors import UrlError, did_you_mean
from nilometer.core.quantity import Duration
from nilometer.ingest.relay.targets import MOST, target
from nilometer.ingest.statsd import addresses, translate
from nilometer.ingest.statsd import document as documents
from nilometer.ingest.statsd.document import truthy
from nilometer.ingest.statsd.mode import StatsdMode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nilometer.core.url import Url
    from nilometer.ingest.statsd.document import Document

SHORTEST_MS, LONGEST_MS = 100.0, 86_400_000.0
READ = (
    *("nodes", "host", "port", "address", "address_ipv6", "server", "servers"),
    *("mgmt_port", "mgmt_address", "checkInterval", "log", "debug"),
)
NOTHING = {
    "cacheSize": "no cache is needed",
    "forkCount": "threads do the work; name their number with --listen 'udp://:8125?threads=2'",
    "udp_version": "the proxy does not read it either; address_ipv6 says it",
}
"""Keys without effect, and why."""


def load(file: Path) -> translate.StatsdConfig:
    """Read and translate a file. Raise `ConfigError` when it cannot be read or a value in it has no meaning."""
    document = documents.load(file)
    if not truthy(document.values.get("address")) and truthy(document.values.get("host")):
        document = dataclasses.replace(document, values=document.values | {"address": document.values["host"]})
    interval = document.values.get("checkInterval")
    checked = document.number(interval, "checkInterval", low=SHORTEST_MS, high=LONGEST_MS) if truthy(interval) else 10_000
    values: dict[str, object] = {
        "server.listen": tuple(addresses.listeners(document)),
        "server.sinks": (urls.parse("null://"),),
        "admin.listen": (addresses.admin(document),),
        "relay.to": tuple(_nodes(document)),
        "relay.mode": "ring",
        "relay.check_interval": Duration(checked / 1000),
        **translate.log(document),
    }
    return translate.StatsdConfig(values, StatsdMode(), tuple(_warnings(document)))


def _nodes(document: Document) -> Iterator[Url]:
    key = "nodes"
    listed = document.listed(document.values.get(key), key)
    if not 1 <= len(listed) <= MOST:
        raise document.wrong(key, len(listed), f"1 to {MOST} nodes")
    for number, value in enumerate(listed):
        key = f"nodes[{number}]"
        node = document.object(value, key)
        host = document.text(node.get("host"), f"{key}.host")
        port, admin = (
            int(document.number(node.get(name), f"{key}.{name}", low=1, high=65535)) for name in ("port", "adminport")
        )
        try:
            found = urls.parse(f"udp://{f'[{host}]' if ':' in host else quote(host, safe='')}:{port}?admin={admin}")
            target(found)
        except UrlError as error:
            raise document.wrong(key, host, "a host") from error
        yield found


def _warnings(document: Document) -> Iterator[str]:
    for key in document.values:
        if key not in READ:
            why = NOTHING.get(key) or f"the proxy has no such key{did_you_mean(key, (*READ, *NOTHING))}"
            yield f"{document.literal.place(key)}: {key} has no effect: {why}"
