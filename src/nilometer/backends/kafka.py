"""Kafka: events to a topic, and messages from one.

Rules:

* An event is written once Kafka has reported its delivery, which all replicas in sync have acknowledged. The producer is
  idempotent. What was reported is not sent again when others of the batch are.
* The key is the tenant, or the publisher where there is none: events of one key stay in order.
* Messages come to a member of a group. Their offsets are committed when they are settled; `kafka_reader` says how.

Source: https://github.com/confluentinc/librdkafka/blob/master/INTRODUCTION.md and its CONFIGURATION.md
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nilometer.backends._parts.event_format import HELP, NILOMETER, format_of
from nilometer.backends._parts.kafka_reader import Reader
from nilometer.backends._parts.kafka_writer import Writer
from nilometer.backends._parts.refusals import Refusals
from nilometer.backends._parts.tls import CA, CERT, KEY, VERIFY, tls_context
from nilometer.core.options import at_least, one_of, option, refuse
from nilometer.core.quantity import Duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nilometer.core.record import Event, Message
    from nilometer.core.url import Url

SCHEMES = ("kafka", "kafka+tls")
URL_EXAMPLES = (
    "kafka://localhost:9092?topic=events",
    "kafka+tls://nilometer:secret@one.example,two.example?topic=events&mechanism=SCRAM-SHA-512",
    "kafka://localhost?topic=events&format=cloudevents&compression=zstd",
)
EXTRA = "kafka"
PORT = 9092
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
COMPRESSIONS = ("none", "gzip", "lz4", "snappy", "zstd")
SIGNS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
LONGEST = 249
"""Characters of a topic's name."""
QUIET, FETCHED = 0, 8192
"""librdkafka's level of logging to standard error: none; and how many KiB it fetches ahead, at most."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to reach Kafka, and where events lie."""

    timeout: Duration = option(Duration(10), "longest time until a batch of events is delivered, and for an answer")  # noqa: RUF009 declares a field
    topic: str = option("nilometer", "name of the topic")
    format: str = option(NILOMETER, HELP)
    compression: str = option("lz4", "how batches are compressed: `none`, `gzip`, `lz4`, `snappy` or `zstd`")
    group: str = option("nilometer", "name of the group that messages are received as a member of")
    mechanism: str = option("PLAIN", "how user and password log in: `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`")
    ca: str = option("", CA)
    cert: str = option("", CERT)
    key: str = option("", KEY)
    verify: bool = option(default=True, text=VERIFY)


class Kafka:
    """Writes to, and receives from, one topic."""

    def __init__(self, name: str, topic: str, writer: Writer, reader: Reader) -> None:
        self._topic, self._writer, self._reader, self._refusals = topic, writer, reader, Refusals(name)

    def write_events(self, events: Sequence[Event]) -> None:
        """Store the events in the topic. Raise `Unavailable`, or `Rejected` when all are refused for good."""
        if events:
            self._refusals.add(self._writer.write(events), len(events))

    def left_out(self) -> Mapping[tuple[str, str], int]:
        """Return how many events were refused since the last call, by stage and reason."""
        return self._refusals.taken()

    def receive(self, most: int, seconds: float) -> list[Message]:
        """Return up to `most` messages, waiting up to `seconds` for the first. Raise `Unavailable`."""
        return self._reader.receive(most, seconds)

    def settle(self, messages: Sequence[Message]) -> None:
        """Commit the offsets of the messages. Raise `Unavailable`: then they come again."""
        self._reader.settle(messages)

    def check(self) -> str:
        """Return how many brokers there are, and how many partitions the topic has. Raise `Unavailable`."""
        found = self._writer.cluster()
        topic = found.topics.get(self._topic)
        state = f"{len(topic.partitions)} partitions" if topic else "not there yet"
        return f"Kafka, brokers: {len(found.brokers)}, topic {self._topic}: {state}"

    def close(self) -> None:
        """Leave the group and hang up. Closing twice does nothing."""
        self._reader.close()
        self._writer.close()


def open(url: Url) -> Kafka:  # noqa: A001 each backend has this name
    """Open a URL of one of `SCHEMES`. Raise `UrlError` for a wrong part. Connect on first use, not here."""
    import confluent_kafka  # noqa: F401, PLC0415 a driver is imported where it is used; missing, it is missed here

    options = url.options(Options)
    at_least(url, "timeout", options.timeout, 0.01)
    one_of(url, "mechanism", options.mechanism, MECHANISMS)
    one_of(url, "compression", options.compression, COMPRESSIONS)
    form = format_of(url, options.format)
    if not url.host:
        raise refuse(url, f"names no host; write {url.scheme}://localhost:{PORT}")
    if any(host.port == 0 for host in url.hosts):
        raise refuse(url, f"nobody listens on port 0; name the port, or none for {PORT}")
    if url.path.strip("/"):
        raise refuse(url, f"takes no path, found {url.path!r}; a topic is named by topic=")
    if not options.topic or not set(options.topic) <= SIGNS or len(options.topic) > LONGEST or options.topic in (".", ".."):
        raise refuse(url, f"option topic: {options.topic!r} cannot be a topic's name: letters, digits and ._-")
    if not options.group:
        raise refuse(url, "option group is empty")
    common = _common(url, options)
    writer = Writer(str(url), common | _producing(options), options.topic, form)
    reader = Reader(str(url), common | _consuming(options), options.topic, options.timeout)
    return Kafka(str(url), options.topic, writer, reader)


def _common(url: Url, options: Options) -> dict[str, Any]:
    secure = tls_context(url, options, wanted=url.scheme == "kafka+tls", cure="write kafka+tls://") is not None
    found: dict[str, Any] = {
        "bootstrap.servers": ",".join(str(host._replace(port=PORT if host.port is None else host.port)) for host in url.hosts),
        "client.id": "nilometer",
        "socket.timeout.ms": max(int(options.timeout * 1000), 10),
        "log_level": QUIET,
        "security.protocol": ("SASL_" if url.user is not None else "") + ("SSL" if secure else "PLAINTEXT"),
    }
    if secure:
        files = {"ssl.ca.location": options.ca, "ssl.certificate.location": options.cert}
        files["ssl.key.location"] = options.key or options.cert
        found |= {name: file for name, file in files.items() if file}
        found["enable.ssl.certificate.verification"] = options.verify
        found["ssl.endpoint.identification.algorithm"] = "https" if options.verify else "none"
    if url.user is not None:
        found |= {"sasl.mechanism": options.mechanism, "sasl.username": url.user, "sasl.password": url.password or ""}
    return found


def _producing(options: Options) -> dict[str, Any]:
    return {
        "enable.idempotence": True,
        "message.timeout.ms": max(int(options.timeout * 1000), 10),
        "linger.ms": 5,
        "compression.type": options.compression,
    }


def _consuming(options: Options) -> dict[str, Any]:
    return {
        "group.id": options.group,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "queued.max.messages.kbytes": FETCHED,
    }
