"""Traces in RabbitMQ, as OSProfiler's driver ``messaging`` leaves them: one of oslo.messaging's notifications an end.

Rules:

* Exchange ``openstack``, topic ``profiler``, so the queue and routing key ``profiler.info``; event type ``profiler.SERVICE``.
  New ones are declared as oslo.messaging declares them. Spans are written once the broker has confirmed them.
* Reading takes nothing away: messages are fetched and not acknowledged, and the broker puts them back in their order. Meanwhile
  nobody else sees them, and a list or a trace costs as much as the whole queue is long, of which `most` messages are looked at.
  So this is a place to pass through: `nilometer trace copy` moves traces into a store.
* Deleting a trace acknowledges its messages.

Source: osprofiler 4.4.0, ``osprofiler/drivers/messaging.py``; oslo.messaging, ``oslo_messaging/notify/messaging.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

from nilometer.backends._parts.amqp_link import PORTS, Place, Topology
from nilometer.backends._parts.amqp_publish import Form, Publisher
from nilometer.backends._parts.amqp_receive import Receiver
from nilometer.backends._parts.refusals import Refusals
from nilometer.backends._parts.tls import CA, CERT, KEY, VERIFY, tls_context
from nilometer.backends._parts.trace_list import page_of_all
from nilometer.core.errors import InputError
from nilometer.core.options import at_least, option, refuse
from nilometer.core.quantity import Duration
from nilometer.core.record import Event, Message
from nilometer.core.traces.ids import trace_id
from nilometer.core.traces.span import NANO, merge
from nilometer.core.traces.summary import summarise
from nilometer.core.url import parse
from nilometer.core.wire import messages, osprofiler
from nilometer.core.wire.span import sound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nilometer.backends._parts.amqp_consume import Consumer
    from nilometer.backends._parts.amqp_link import Link
    from nilometer.core.traces.query import FoundTraces, TraceQuery
    from nilometer.core.traces.span import Span
    from nilometer.core.url import Url

SCHEMES = (*PORTS, "messaging")
URL_EXAMPLES = (
    "amqp://nilometer:secret@localhost:5672/",
    "amqps://broker.example/vhost?ca=/etc/nilometer/ca.pem",
    "messaging://?transport_url=rabbit://nilometer:secret@localhost:5672/",
)
EXTRA = "amqp"
TOPIC, PREFIX = "profiler", "profiler."
USUAL = "rabbit://localhost:5672/"
TRANSPORTS = {"rabbit": "amqp", "kombu": "amqp", "amqp": "amqp", "amqps": "amqps"}
"""What oslo.messaging calls its transports."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to reach the broker, and how far its queue is read."""

    timeout: Duration = option(Duration(5), "longest time to connect, and for the confirmation of a batch")  # noqa: RUF009 declares a field
    exchange: str = option("openstack", "the exchange, oslo.messaging's `control_exchange`")
    durable: bool = option(default=False, text="declare new exchanges and queues so that they outlive the broker's restart")
    most: int = option(100_000, "messages of the queue that reading looks at")
    transport_url: str = option("", f"with `messaging://`: where the broker is, as oslo.messaging writes it; else `{USUAL}`")
    ca: str = option("", CA)
    cert: str = option("", CERT)
    key: str = option("", KEY)
    verify: bool = option(default=True, text=VERIFY)


class Held(NamedTuple):
    """A message of the queue: by what it is acknowledged, and the part of a span that it tells of."""

    tag: int
    half: Span


class AmqpTraces(Receiver):
    """Traces that wait in one queue."""

    def __init__(self, url: Url, options: Options) -> None:
        super().__init__(url, Place(url, options.timeout, options if url.scheme == "amqps" else None), self._none)
        self._options = options
        self._topology = Topology(options.exchange, options.durable)
        self._refusals = Refusals(str(url))
        self._publisher: Publisher | None = None

    @staticmethod
    def _none(link: Link) -> Consumer:
        del link
        raise NotImplementedError

    def write_spans(self, spans: Sequence[Span]) -> None:
        """Publish both ends of each span until the broker has confirmed them. Raise `Unavailable`, `Rejected`."""
        events = [_event(note) for span in spans for note in osprofiler.notes(span)]
        if events:
            self._refusals.add(self._run(lambda: self._publishing().publish(events)), len(events))

    def left_out(self) -> Mapping[tuple[str, str], int]:
        """Return how many notifications were refused since the last call, by stage and reason."""
        return self._refusals.taken()

    def read_trace(self, trace: str, most: int = 100_000) -> list[Span]:
        """Return up to `most` spans of one trace, in order of start. Raise `Unavailable`."""
        return merge(held.half for held in self._read() if held.half.trace == trace_id(trace))[:most]

    def find_traces(self, query: TraceQuery, limit: int = 100, cursor: str = "") -> FoundTraces:
        """Return up to `limit` traces, newest first, from `cursor` on. Raise `InputError` for a cursor that is none."""
        return page_of_all((summarise(spans) for spans in _traces(self._read()).values()), query, limit, cursor)

    def delete_trace(self, trace: str) -> bool:
        """Take a trace's messages out of the queue. Return whether there were any."""
        return self._take(lambda found: {trace_id(trace)} & found.keys()) > 0

    def drop_traces(self, before: float) -> int:
        """Take traces out of the queue all of whose spans started before a time. Return how many."""
        return self._take(lambda found: {trace for trace, spans in found.items() if spans[-1].start < before * NANO})

    # -- the queue -----------------------------------------------------------------------------------------------------

    def _read(self) -> list[Held]:
        """Return what the queue holds, in order; all of it goes back."""
        return self._run(lambda: self._fetched(lambda _: ()))

    def _take(self, wanted: Callable[[Mapping[str, Sequence[Span]]], Iterable[str]]) -> int:
        """Take the messages of some traces out of the queue. Return how many traces that were."""
        gone: set[str] = set()

        def choose(held: Sequence[Held]) -> list[int]:
            gone.update(wanted(_traces(held)))
            return [each.tag for each in held if each.half.trace in gone]

        self._run(lambda: self._fetched(choose))
        return len(gone)

    def _fetched(self, choose: Callable[[Sequence[Held]], Iterable[int]]) -> list[Held]:
        """Fetch the queue, acknowledge what is chosen, and let the rest go back: that is what ends the channel."""
        link = self._linked()
        name = f"{TOPIC}.info"
        link.queue(self._topology.queue(name))
        link.exchange(self._topology.exchange)
        link.bind(name, self._topology.name, (name,))
        held: list[Held] = []
        for _ in range(self._options.most):
            found = link.channel.basic_get(name)
            if found is None:
                break
            half = _half(bytes(found.body) if not isinstance(found.body, str) else found.body.encode())
            if half is not None:
                held.append(Held(found.delivery_tag, half))
        for tag in choose(held):
            link.channel.basic_ack(tag)
        self._drop()
        return held

    def _publishing(self) -> Publisher:
        if self._publisher is None:
            self._publisher = Publisher(self._linked(), self._topology, Form((TOPIC,), envelope=False), self._options.timeout)
        return self._publisher

    def _drop(self) -> None:
        self._publisher = None
        super()._drop()


def _traces(held: Iterable[Held]) -> dict[str, list[Span]]:
    """Return the spans of each trace, in order of start."""
    found: dict[str, list[Span]] = {}
    for each in held:
        found.setdefault(each.half.trace, []).append(each.half)
    return {trace: merge(halves) for trace, halves in found.items()}


def _event(note: dict[str, object]) -> Event:
    time = osprofiler.time_of(note.get("timestamp")) / NANO
    type_ = f"{PREFIX}{note.get('service') or ''}"
    info = note.get("info")
    host = str(info.get("host") or "") if isinstance(info, dict) else ""
    return Event(uuid4().hex, time, type_, host, "info", payload=sound(note))


def _half(body: bytes) -> Span | None:
    """Return the part of a span that a message tells of, None for another message: it stays where it is."""
    try:
        event = messages.decode(Message("", body, 0.0))
        return osprofiler.half(event.payload) if event.type.startswith(PREFIX) else None
    except InputError:
        return None


def open(url: Url) -> AmqpTraces:  # noqa: A001 each backend has this name
    """Open a URL of one of `SCHEMES`. Raise `UrlError` for a wrong part. Connect on first use, not here."""
    import amqp  # type: ignore[import-untyped] # noqa: F401, PLC0415 a driver is imported where it is used; missing, it is missed here

    options = url.options(Options)
    at_least(url, "timeout", options.timeout, 0.001)
    at_least(url, "most", options.most, 1)
    if url.scheme == "messaging":
        url = _transport(url, options)
    elif options.transport_url:
        raise refuse(url, "option transport_url is for messaging://; this URL names the broker itself")
    tls_context(url, options, wanted=url.scheme == "amqps", cure="write amqps://")
    if not url.host:
        raise refuse(url, f"names no host; write {url.scheme}://localhost:{PORTS[url.scheme]}")
    return AmqpTraces(url, options)


def _transport(url: Url, options: Options) -> Url:
    """Return the URL of the broker that oslo.messaging's URL names. Raise `UrlError`."""
    if url.hosts:
        raise refuse(url, "names no broker itself: write messaging://?transport_url=rabbit://user:password@host:5672/")
    text = options.transport_url or USUAL
    scheme = TRANSPORTS.get(urlsplit(text).scheme)
    if scheme is None:
        raise refuse(url, f"option transport_url: expected rabbit://…, found {urlsplit(text).scheme}://")
    return replace(parse(f"{scheme}://{text.partition('://')[2].partition('?')[0]}"), query=())
