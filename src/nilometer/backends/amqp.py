"""AMQP 0-9-1 (RabbitMQ): events out as oslo.messaging's notifications, messages in from any exchange.

Rules:

* Events go out as oslo.messaging's drivers ``messaging`` (``envelope=1``) and ``messagingv2`` (``envelope=2``) send them: a
  topic exchange, and a queue for each topic and priority (``notifications.info``), which the publisher declares and binds.
* An exchange or queue that exists already is used as it is, durable or not: no other publisher or listener is broken by us, and
  no event is lost by a difference. New ones are declared as oslo.messaging declares them: not durable unless `durable` says so.
* An event is written once the broker has confirmed it. A batch that was not confirmed as a whole is written again by the pipe:
  what had arrived then comes twice, under the same `_unique_id` and `message_id`, by which readers know it.
* An event that cannot be written (its time lies outside the years 1 to 9999, it has no type), or that the broker refuses for
  its size, is refused for good: counted, and in nobody's way.
* Messages come from a queue of our own, bound to the exchange by routing keys, so that nobody loses any to us; with `queues`,
  from those that a listener of oslo.messaging reads, whose messages are then ours. They are acknowledged when settled; what is
  not settled comes again.
* A connection that fails is dropped, and the next call makes a new one: the addresses are tried in turn.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nilometer.backends._parts.amqp_consume import Consumer
from nilometer.backends._parts.amqp_link import PORTS, Place, Topology
from nilometer.backends._parts.amqp_publish import Form, Publisher
from nilometer.backends._parts.amqp_receive import MOST_AHEAD, Receiver
from nilometer.backends._parts.refusals import Refusals
from nilometer.backends._parts.tls import CA, CERT, KEY, VERIFY, tls_context
from nilometer.core.options import at_least, option, refuse
from nilometer.core.quantity import Duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nilometer.backends._parts.amqp_link import Link
    from nilometer.core.record import Event
    from nilometer.core.url import Url

SCHEMES = tuple(PORTS)
URL_EXAMPLES = (
    "amqp://nilometer:secret@localhost:5672/?envelope=2",
    "amqp://one.example,two.example/vhost?exchange=magnetodb&topics=notifications,billing",
    "amqps://broker.example?exchange=amq.topic&keys=org.fedoraproject.%23&ca=/etc/nilometer/ca.pem",
    "amqp://localhost?queues=notifications.info,notifications.error",
)
EXTRA = "amqp"
LONGEST_NAME = 255
"""Bytes in the name of an exchange, a queue or a routing key."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to reach the broker, what goes out, and what is received."""

    timeout: Duration = option(Duration(5), "longest time to connect, and for the confirmation of a batch")  # noqa: RUF009 declares a field
    exchange: str = option("openstack", "the exchange, oslo.messaging's `control_exchange`")
    topics: str = option("notifications", "topics, divided by commas; each gets every event")
    envelope: int = option(1, "1: as the driver `messaging`; 2: in an envelope, as `messagingv2`")
    durable: bool = option(default=False, text="declare new exchanges and queues so that they outlive the broker's restart")
    quorum: bool = option(default=False, text="declare new queues as quorum queues, which are durable")
    queue: str = option("nilometer", "queue of our own that messages are received from; it is durable")
    keys: str = option("", "routing keys that bind it, divided by commas; empty: all priorities of the topics")
    queues: str = option("", "receive from these queues instead, divided by commas, and take their messages away from others")
    prefetch: int = option(1000, "messages received before the first of them is settled, at most")
    ca: str = option("", CA)
    cert: str = option("", CERT)
    key: str = option("", KEY)
    verify: bool = option(default=True, text=VERIFY)


class Amqp(Receiver):
    """Publishes to, and receives from, one virtual host."""

    def __init__(self, url: Url, options: Options) -> None:
        super().__init__(url, Place(url, options.timeout, options if url.scheme == "amqps" else None), self._consume)
        self._options = options
        self._topology = Topology(options.exchange, options.durable, options.quorum)
        self._refusals = Refusals(str(url))
        self._publisher: Publisher | None = None

    def write_events(self, events: Sequence[Event]) -> None:
        """Publish the events until the broker has confirmed them. Raise `Unavailable`, or `Rejected` when none can go out."""
        if events:
            self._refusals.add(self._run(lambda: self._publishing().publish(events)), len(events))

    def left_out(self) -> Mapping[tuple[str, str], int]:
        """Return how many events were refused since the last call, by stage and reason."""
        return self._refusals.taken()

    def _publishing(self) -> Publisher:
        if self._publisher is None:
            options = self._options
            form = Form(_words(options.topics), options.envelope == 2)  # noqa: PLR2004 the number of the form
            self._publisher = Publisher(self._linked(), self._topology, form, options.timeout)
        return self._publisher

    def _consume(self, link: Link) -> Consumer:
        """Consume from queues that are called as their routing keys are, or else from our own, bound by routing keys."""
        options, topology = self._options, self._topology
        link.exchange(topology.exchange)
        others = _words(options.queues)
        for name in others:
            link.queue(topology.queue(name))
            link.bind(name, topology.name, (name,))
        if not others:
            link.queue(replace(topology, durable=True).queue(options.queue))
            link.bind(options.queue, topology.name, self._keys())
        return Consumer(link, others or (options.queue,), options.prefetch)

    def _keys(self) -> tuple[str, ...]:
        return _words(self._options.keys) or tuple(f"{topic}.*" for topic in _words(self._options.topics))

    def _drop(self) -> None:
        self._publisher = None
        super()._drop()


def _words(text: str) -> tuple[str, ...]:
    """Return words that commas divide."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def open(url: Url) -> Amqp:  # noqa: A001 each backend has this name
    """Open a URL of one of `SCHEMES`. Raise `UrlError` for a wrong part. Connect on first use, not here."""
    import amqp  # type: ignore[import-untyped] # noqa: F401, PLC0415 a driver is imported where it is used; missing, it is missed here

    options = url.options(Options)
    at_least(url, "timeout", options.timeout, 0.001)
    if not 0 < options.prefetch <= MOST_AHEAD:
        raise refuse(url, f"option prefetch: {options.prefetch} is not between 1 and {MOST_AHEAD}")
    tls_context(url, options, wanted=url.scheme == "amqps", cure="write amqps://")
    if options.envelope not in (1, 2):
        raise refuse(url, f"option envelope: {options.envelope} is neither 1 nor 2")
    if not url.host:
        raise refuse(url, f"names no host; write {url.scheme}://localhost:{PORTS[url.scheme]}")
    if any(host.port == 0 for host in url.hosts):
        raise refuse(url, f"nobody listens on port 0; name the port, or none for {PORTS[url.scheme]}")
    _check_names(url, options)
    return Amqp(url, options)


def _check_names(url: Url, options: Options) -> None:
    for name in ("exchange", "topics", "queue"):
        if not _words(getattr(options, name)):
            raise refuse(url, f"option {name} is empty")
    for name in ("exchange", "topics", "queue", "keys", "queues"):
        if any(len(word.encode()) > LONGEST_NAME - 10 for word in _words(getattr(options, name))):
            raise refuse(url, f"option {name} holds a name of more than {LONGEST_NAME - 10} bytes")
