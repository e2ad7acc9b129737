"""A connection to an AMQP 0-9-1 broker, one channel on it, and what is declared there.

Rules:

* No call waits longer than the timeout, whatever the other side does.
* A body stays the bytes that it is: a codec that a message names is never run.
* An exchange or queue that exists with other properties, or that we may not declare, is used as it is (a passive declaration).

Source: https://www.rabbitmq.com/docs/specification, https://www.rabbitmq.com/amqp-0-9-1-reference
"""

from __future__ import annotations

import contextlib
import ssl
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from nilometer.backends._parts.amqp_frames import Frames

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nilometer.core.url import Host, Url

PORTS = {"amqp": 5672, "amqps": 5671}
GUEST = "guest"
CLIENT = {"product": "Nilometer"}
EXTERNAL = "EXTERNAL"
Result = TypeVar("Result")


class Files(Protocol):
    """The options of TLS."""

    @property
    def ca(self) -> str:
        """The authorities to trust; empty for the system's."""

    @property
    def cert(self) -> str:
        """Our certificate."""

    @property
    def key(self) -> str:
        """Our private key."""

    @property
    def verify(self) -> bool:
        """Check the broker's certificate and name."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where brokers are, and how they are spoken to. Each call may take `timeout` seconds.

    `client` is what we tell of ourselves; with `external` our certificate says who we are, and no password is sent.
    """

    url: Url
    timeout: float
    tls: Files | None
    client: Mapping[str, str] = field(default_factory=CLIENT.copy)
    external: bool = False

    @property
    def vhost(self) -> str:
        """The virtual host: the path without its first slash; ``/`` where there is none."""
        return self.url.path.removeprefix("/") or "/"


class Exchange(NamedTuple):
    """An exchange as it is declared; `arguments` are the broker's."""

    name: str
    kind: str = "topic"
    durable: bool = True
    auto_delete: bool = False
    arguments: Mapping[str, Any] | None = None


class Queue(NamedTuple):
    """A queue as it is declared; one without a name is given one by the broker. `arguments` are the broker's."""

    name: str
    durable: bool = True
    exclusive: bool = False
    auto_delete: bool = False
    arguments: Mapping[str, Any] | None = None


class Declared(NamedTuple):
    """A queue that is there: its name, and how many messages it held and who consumed from it when it was declared."""

    name: str
    messages: int
    consumers: int


@dataclass(frozen=True, slots=True)
class Topology:
    """How exchanges and queues are declared where there are none."""

    name: str
    durable: bool
    quorum: bool = False

    @property
    def exchange(self) -> Exchange:
        """The exchange."""
        return Exchange(self.name, durable=self.durable or self.quorum)

    def queue(self, name: str) -> Queue:
        """Return the queue of that name."""
        if self.quorum:
            return Queue(name, arguments={"x-queue-type": "quorum"})
        return Queue(name, durable=self.durable)


class Link:
    """A connection and its channel. Raise what py-amqp and the system raise: `errors` names them."""

    def __init__(self, place: Place, hosts: Sequence[Host]) -> None:
        self._timeout = place.timeout
        self._connection = _connected(place, hosts)
        self._known: dict[tuple[str, ...], Any] = {}
        self.channel: Any = self._opened()

    def _opened(self) -> Any:  # noqa: ANN401 py-amqp has no types
        channel = self._connection.channel()
        channel.auto_decode = False
        return channel

    @property
    def server(self) -> str:
        """The broker's product and version."""
        said = self._connection.server_properties
        return f"{said.get('product', 'AMQP broker')} {said.get('version', '')}".strip()

    def exchange(self, wanted: Exchange, *, passive: bool = False) -> None:
        """See that there is an exchange; `passive` declares none."""
        options = wanted._asdict()
        name, kind = options.pop("name"), options.pop("kind")
        self._once(
            ("exchange", name),
            lambda passive: self.channel.exchange_declare(name, kind, passive=passive, **options),
            passive=passive,
        )

    def queue(self, wanted: Queue, *, passive: bool = False) -> Declared:
        """See that there is a queue; `passive` declares none."""
        options = wanted._asdict()
        name = options.pop("name")
        return self._once(
            ("queue", name),
            lambda passive: Declared(*self.channel.queue_declare(name, passive=passive, **options)),
            passive=passive,
        )

    def bind(self, queue: str, exchange: str, keys: Sequence[str]) -> None:
        """See that a queue is bound to an exchange by each routing key; what we may not bind is used as it is."""
        for key in keys:
            self._once(("binding", queue, exchange, key), partial(self._bind, queue, exchange, key))

    def _bind(self, name: str, exchange: str, key: str, passive: bool) -> None:  # noqa: FBT001 as those that declare
        if not passive:
            self.channel.queue_bind(name, exchange, key)

    def look(self, queue: str) -> int:
        """Return how many messages a queue holds."""
        return int(self.channel.queue_declare(queue, passive=True, auto_delete=False).message_count)

    def forget(self) -> None:
        """Declare everything again before it is used next."""
        self._known.clear()

    def _once(self, what: tuple[str, ...], declare: Callable[[bool], Result], *, passive: bool = False) -> Result:
        """Declare what was not declared yet on this connection; as it is, where the broker will not have it as wanted."""
        from amqp.exceptions import AccessRefused, PreconditionFailed  # type: ignore[import-untyped] # noqa: PLC0415 a driver is imported where it is used, and has no types

        if what not in self._known:
            try:
                self._known[what] = declare(passive)
            except (PreconditionFailed, AccessRefused):
                self.channel = self._opened()  # the broker has closed the other one
                self._known[what] = declare(True)  # noqa: FBT003 passive is the only argument
                self.on_channel()
        return self._known[what]  # type: ignore[no-any-return] # it is what `declare` returned

    def on_channel(self) -> None:
        """Prepare a new channel; whoever needs that puts something else here."""

    def wait(self, seconds: float) -> bool:
        """Take in what the broker sends next. Return False when nothing came within so many seconds."""
        try:
            self._connection.drain_events(timeout=max(seconds, 0.001))
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """Hang up, in good order where the broker still answers. Raise nothing."""
        with contextlib.suppress(Exception):
            self._connection.sock.settimeout(min(self._timeout, 1.0))
            self._connection.close()
        with contextlib.suppress(Exception):
            self._connection.collect()


def errors() -> tuple[type[Exception], ...]:
    """Return what a link raises."""
    from amqp.exceptions import AMQPError  # noqa: PLC0415 a driver is imported where it is used, and has no types

    return AMQPError, OSError, ValueError


def _connected(place: Place, hosts: Sequence[Host]) -> Any:  # noqa: ANN401 py-amqp has no types
    """Return a connection to the first of the hosts that answers. Raise what the last one said."""
    for number, host in enumerate(hosts):
        try:
            return _connect(place, host)
        except errors():
            if number == len(hosts) - 1:
                raise
    message = "no host"
    raise OSError(message)


def _connect(place: Place, host: Host) -> Any:  # noqa: ANN401 py-amqp has no types
    import amqp  # type: ignore[import-untyped] # noqa: PLC0415 a driver is imported where it is used, and has no types

    port = PORTS[place.url.scheme] if host.port is None else host.port
    name = f"[{host.name}]" if ":" in host.name else host.name
    connection = amqp.Connection(
        f"{name}:{port}",
        userid=GUEST if place.url.user is None else place.url.user,
        password=GUEST if place.url.user is None else place.url.password or "",
        virtual_host=place.vhost,
        connect_timeout=place.timeout,
        read_timeout=place.timeout,
        write_timeout=place.timeout,
        ssl=_tls(place.tls, host.name) if place.tls else False,
        login_method=EXTERNAL if place.external else None,
        client_properties=dict(place.client),
        frame_handler=Frames,
    )
    try:
        connection.connect()
        connection.sock.settimeout(place.timeout)
    except BaseException:
        connection.collect()
        raise
    return connection


def _tls(files: Files, name: str) -> dict[str, Any]:
    """Return the options of TLS as py-amqp takes them."""
    return {
        "ca_certs": files.ca or None,
        "certfile": files.cert or None,
        "keyfile": files.key or None,
        "cert_reqs": ssl.CERT_REQUIRED if files.verify else ssl.CERT_NONE,
        "server_hostname": name if files.verify else None,
        "tls_minimum_version": ssl.TLSVersion.TLSv1_2,
        "do_handshake_on_connect": True,
    }
