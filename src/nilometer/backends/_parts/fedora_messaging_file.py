"""fedora-messaging's configuration, read as its own consumers read it.

Rules:

* What the file leaves out has fedora-messaging's defaults: the broker on this machine, a queue of this connection's own, bound
  to the exchange ``amq.topic`` by ``#``. A name at the top replaces its default as a whole.
* What fedora-messaging refuses is refused: an unknown name, a queue or a binding that is not whole.
* TLS is spoken where `amqp_url` says ``amqps``, and only there `tls` is read. With a certificate and its key the certificate
  says who we are; one without the other has no meaning.
* What is for publishers, callbacks, its own log and its own monitoring has no meaning here. Nor have options of `amqp_url`.

Source: https://fedora-messaging.readthedocs.io/en/stable/user-guide/configuration.html; its ``config.py`` and
``twisted/service.py``
"""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar

from nilometer.backends._parts.amqp_link import CLIENT, PORTS, Exchange, Queue
from nilometer.core import url as urls
from nilometer.core.errors import UrlError, did_you_mean
from nilometer.core.tls import client_context
from nilometer.core.url import Host

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nilometer.core.url import Url

LARGEST = 1 << 20
"""Bytes in a file."""
LONGEST = 255
"""Bytes in the name of an exchange or a queue, or in a routing key."""
HIGHEST = 1 << 63
NAMES = (
    *("amqp_url", "callback", "passive_declares", "tls", "client_properties", "exchanges", "log_config", "publish_exchange"),
    *("topic_prefix", "publish_priority", "queues", "bindings", "consumer_config", "qos", "monitoring"),
)
TOPIC = {"type": "topic", "durable": True, "auto_delete": False, "arguments": {}}
OURS = {"durable": False, "auto_delete": True, "exclusive": True, "arguments": {}}
DEFAULTS: Mapping[str, Any] = {
    "amqp_url": "amqp://",
    "passive_declares": False,
    "tls": {},
    "client_properties": {"app": "Nilometer"},
    "exchanges": {"amq.topic": TOPIC},
    "queues": {"": OURS},
    "bindings": [{"queue": "", "exchange": "amq.topic", "routing_keys": ["#"]}],
    "qos": {},
}
KINDS = {str: "a text", bool: "true or false", int: "a whole number", dict: "a table", list: "a list"}
Kind = TypeVar("Kind")


class Tls(NamedTuple):
    """The files of TLS; the broker is always checked."""

    ca: str
    cert: str
    key: str
    verify: bool = True


class Binding(NamedTuple):
    """A queue that an exchange is bound to, by routing keys."""

    queue: str
    exchange: str
    keys: tuple[str, ...]


USUAL = Binding("", "amq.topic", ("#",))
"""The binding of `DEFAULTS`."""


@dataclasses.dataclass(frozen=True, slots=True)
class Config:
    """What a consumer does. `prefetch` is None where the file does not say; nothing is declared where it is `passive`."""

    broker: Url
    tls: Tls | None
    client: Mapping[str, str]
    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]
    passive: bool
    prefetch: int | None

    def unbound(self) -> tuple[Binding, ...]:
        """Return bindings that the file has of queues that it has not: fedora-messaging leaves them out."""
        known = {queue.name for queue in self.queues}
        return tuple(binding for binding in self.bindings if binding.queue not in known and binding != USUAL)

    def through(self, queue: str) -> Config:
        """Return the same with one durable queue instead of the file's, bound as these are."""
        bindings = dict.fromkeys(binding._replace(queue=queue) for binding in self.bindings)
        return dataclasses.replace(self, queues=(Queue(queue),), bindings=tuple(bindings))


def read(path: Path) -> Config:
    """Read a file. Raise `UrlError` saying what is wrong with it, without what may be secret."""
    found = _file(path)
    return Config(
        broker=(broker := _broker(_of(found, "amqp_url", str))),
        tls=_tls(broker, _of(found, "tls", dict)) if broker.scheme == "amqps" else None,
        client=_client(_of(found, "client_properties", dict)),
        exchanges=tuple(_exchange(*each) for each in _tables(found, "exchanges")),
        queues=tuple(_queue(*each) for each in _tables(found, "queues")) or _wrong("queues: there is none to consume from"),
        bindings=tuple(_binding(f"bindings, number {number}", each) for number, each in enumerate(_bindings(found), 1)),
        passive=_of(found, "passive_declares", bool),
        prefetch=_prefetch(_of(found, "qos", dict)),
    )


def _file(path: Path) -> dict[str, Any]:
    """Return what a file holds over the defaults, the names in small letters."""
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST + 1)
        if len(text) > LARGEST:
            _wrong(f"the file has more than {LARGEST} bytes")
        found = {name.lower(): value for name, value in tomllib.loads(text.decode()).items()}
    except OSError as error:
        _wrong(f"the file cannot be read: {error.strerror or type(error).__name__}")
    except (ValueError, RecursionError) as error:
        _wrong(f"the file is no TOML: {error}")
    for name in found:
        if name not in NAMES:
            _wrong(f"{name[:LONGEST]!r} is no name of fedora-messaging's configuration{did_you_mean(name, NAMES)}")
    return {**DEFAULTS, **found}


def _broker(text: str) -> Url:
    try:
        url = urls.parse(text)
    except UrlError as error:
        _wrong(f"amqp_url: {error}")
    if url.scheme not in PORTS:
        _wrong(f"amqp_url: {url.scheme}:// is not one of {', '.join(PORTS)}")
    if any(host.port == 0 for host in url.hosts):
        _wrong("amqp_url: nobody listens on port 0")
    return dataclasses.replace(url, query=(), hosts=url.hosts or (Host("localhost", None),))


def _tls(broker: Url, table: Mapping[str, Any]) -> Tls:
    """Return the files, once they were looked into."""
    files = {name: _of(table, name, str, "tls.", "") for name in ("ca_cert", "certfile", "keyfile")}
    ca, cert, key = files.values()
    found = Tls(ca, cert, key) if cert and key else Tls(ca, "", "")
    for name, file in files.items():
        if file and file in found:
            _see_readable(f"tls.{name}", file)
    try:
        client_context(broker, found)
    except UrlError as error:
        _wrong(f"tls: {error}")
    return found


def _see_readable(name: str, file: str) -> None:
    try:
        Path(file).open("rb").close()
    except OSError as error:
        _wrong(f"{name}: cannot read {file}: {error.strerror or type(error).__name__}")


def _client(table: Mapping[str, Any]) -> dict[str, str]:
    """Return what is told of us; the product is not fedora-messaging."""
    return {**{name: str(value)[:LONGEST] for name, value in table.items()}, **CLIENT}


def _exchange(where: str, name: str, table: Mapping[str, Any]) -> Exchange:
    kind = _of(table, "type", str, where, "topic")
    durable, auto_delete = (
        _of(table, each, bool, where, default) for each, default in (("durable", True), ("auto_delete", False))
    )
    return Exchange(_name(where, name), _name(where, kind), durable, auto_delete, _arguments(where, table))


def _queue(where: str, name: str, table: Mapping[str, Any]) -> Queue:
    durable, exclusive, auto_delete = (_of(table, each, bool, where) for each in ("durable", "exclusive", "auto_delete"))
    if "arguments" not in table:
        _wrong(f"{where}arguments is missing")
    return Queue(_name(where, name), durable, exclusive, auto_delete, _arguments(where, table))


def _bindings(found: Mapping[str, Any]) -> list[Any]:
    """Return the bindings; one alone may stand for a list."""
    return [found["bindings"]] if isinstance(found["bindings"], dict) else _of(found, "bindings", list)


def _binding(where: str, table: Any) -> Binding:  # noqa: ANN401 what TOML can hold
    if not isinstance(table, dict):
        _wrong(f"{where}: it is not a table")
    queue, exchange = (_of(table, name, str, f"{where}: ", default) for name, default in (("queue", ""), ("exchange", None)))
    keys = _of(table, "routing_keys", list, f"{where}: ")
    if not all(isinstance(key, str) for key in keys):
        _wrong(f"{where}: routing_keys holds more than texts")
    return Binding(_name(where, queue), _name(where, exchange), tuple(_name(where, key) for key in keys))


def _prefetch(table: Mapping[str, Any]) -> int | None:
    return _of(table, "prefetch_count", int, "qos.") if "prefetch_count" in table else None


def _tables(found: Mapping[str, Any], name: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Return the tables in a table, each with where it stands and its name."""
    tables = _of(found, name, dict)
    return [(f'{name}."{each[:LONGEST]}".', each, _of(tables, each, dict, f"{name}.")) for each in tables]


def _of(table: Mapping[str, Any], name: str, kind: type[Kind], where: str = "", default: Kind | None = None) -> Kind:
    """Return what a table has below a name. Raise `UrlError` when it is missing without a default, or of another kind."""
    value = table.get(name, default)
    if value is None:
        _wrong(f"{where}{name} is missing")
    if not isinstance(value, kind) or (kind is int and (isinstance(value, bool) or value < 0)):  # type: ignore[operator] # it is a number
        _wrong(f"{where}{name} is not {KINDS[kind]}")
    return value


def _arguments(where: str, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a broker's own arguments, which may be of any kind that AMQP and TOML have in common."""
    arguments = _of(table, "arguments", dict, where, {})
    for name, value in arguments.items():
        if not isinstance(value, str | bool | int | float) or (isinstance(value, int) and abs(value) >= HIGHEST):
            _wrong(f"{where}arguments.{name[:LONGEST]} is neither a text nor a number of 64 bits, nor true or false")
    return arguments


def _name(where: str, name: str) -> str:
    if len(name.encode()) > LONGEST:
        _wrong(f"{where.rstrip('.')[:LONGEST]}: a name has more than {LONGEST} bytes")
    return name


def _wrong(reason: str) -> NoReturn:
    raise UrlError(reason) from None
