"""What URLs of Kafka can mean, what librdkafka is told, and which offsets are committed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import kafka, registry
from nilometer.backends._parts.kafka_reader import Positions, Reader, bounded
from nilometer.core import url as urls
from nilometer.core.errors import Unavailable, UrlError
from nilometer.core.record import Message
from nilometer.testing.certificates import certificate
from nilometer.testing.event_examples import several

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("url", "culprit"),
    [
        ("kafka://", "names no host"),
        ("kafka://a,b:0", "port 0"),
        ("kafka://a/topic", "takes no path"),
        ("kafka://a?topic=", "option topic"),
        ("kafka://a?topic=a%20b", "option topic"),
        ("kafka://a?topic=..", "option topic"),
        ("kafka://a?group=", "option group"),
        ("kafka://a?timeout=0", "timeout"),
        ("kafka://a?format=xml", "nilometer, cloudevents"),
        ("kafka://a?compression=zip", "compression"),
        ("kafka://a?mechanism=plain", "mechanism"),
        ("kafka://u:s3cr3t@a?ca=x", r"kafka\+tls"),
        ("kafka+tls://u:s3cr3t@a?ca=/nowhere", "ca"),
    ],
)
def test_what_a_url_cannot_mean_is_refused(url: str, culprit: str) -> None:
    with pytest.raises(UrlError, match=culprit) as caught:
        registry.open(url, registry.EVENTS)
    assert "s3cr3t" not in str(caught.value)


def told(text: str) -> dict[str, object]:
    url = urls.parse(text)
    return kafka._common(url, url.options(kafka.Options))


def test_librdkafka_is_told_what_the_url_says(tmp_path: Path) -> None:
    assert told("kafka://a,[::1]:1?timeout=500ms") == {
        "bootstrap.servers": "a:9092,[::1]:1",
        "client.id": "nilometer",
        "socket.timeout.ms": 500,
        "log_level": 0,
        "security.protocol": "PLAINTEXT",
    }
    login = told("kafka://me:pa%2Css@a?mechanism=SCRAM-SHA-256")
    assert login["security.protocol"] == "SASL_PLAINTEXT"
    assert [login[f"sasl.{name}"] for name in ("mechanism", "username", "password")] == ["SCRAM-SHA-256", "me", "pa,ss"]
    made = certificate(tmp_path)
    secure = told(f"kafka+tls://me:x@a?ca={made.certificate}&cert={made.certificate}&key={made.key}")
    assert secure["security.protocol"] == "SASL_SSL"
    assert secure["ssl.ca.location"] == secure["ssl.certificate.location"] == str(made.certificate)
    assert secure["ssl.key.location"] == str(made.key)
    assert (secure["enable.ssl.certificate.verification"], secure["ssl.endpoint.identification.algorithm"]) == (True, "https")
    assert told("kafka+tls://a?verify=false")["ssl.endpoint.identification.algorithm"] == "none"


@pytest.mark.parametrize("url", ["kafka://me:x@a", "kafka+tls://a?verify=false", "kafka+tls://me:x@a?mechanism=SCRAM-SHA-512"])
def test_librdkafka_takes_what_it_is_told(url: str) -> None:
    sink = registry.open(url, registry.EVENTS)
    assert isinstance(sink, kafka.Kafka)
    sink._writer.producer()
    sink._reader._made()
    sink.close()


def test_no_message_is_committed_before_it_is_settled() -> None:
    positions = Positions()
    for offset in (5, 6, 7):
        positions.handed_out((0, offset))
    positions.handed_out((1, 2))
    assert positions.settled([(0, 6), (1, 2)]) == {0: 5, 1: 3}
    assert positions.settled([(0, 5)]) == {0: 7}
    assert positions.settled([(0, 7), (0, 7)]) == {0: 8}


def test_partitions_of_another_member_are_left_alone() -> None:
    positions = Positions()
    positions.handed_out((0, 5))
    positions.gone([0, 1])
    assert positions.settled([(0, 5)]) == {}


def test_a_call_that_does_not_end_is_left_to_itself() -> None:
    over = threading.Event()
    with pytest.raises(Unavailable, match=r"it: no answer within 0\.01 s"):
        bounded(over.wait, 0.01, "it")
    over.set()
    assert bounded(lambda: 5, 10, "it") == 5
    with pytest.raises(ValueError, match="invalid literal"):
        bounded(lambda: int("x"), 10, "it")


def test_a_file_that_is_gone_at_the_first_use_is_said(tmp_path: Path) -> None:
    made = certificate(tmp_path)
    bus = registry.open(f"kafka+tls://me:s3cr3t@a?ca={made.certificate}&timeout=1s", registry.MESSAGES)
    assert isinstance(bus, kafka.Kafka)
    made.certificate.unlink()
    for call in (lambda: bus.receive(1, 0.1), lambda: bus.write_events(several(1)), bus.check):
        with pytest.raises(Unavailable, match=r"ssl\.ca\.location"):
            call()
    bus.close()


def test_messages_that_come_along_with_a_report_of_trouble_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Came:
        def __init__(self, fault: str = "") -> None:
            self.fault = fault

        def error(self) -> Came | None:
            return self if self.fault else None

        def str(self) -> str:
            return self.fault

    class Consumer:
        closed = False

        def consume(self, most: int, seconds: float) -> list[Came]:
            del most
            return [Came()] if seconds else [Came("the topic is gone")]

        def close(self) -> None:
            self.closed = True

    reader, consumer = Reader("kafka://x", {}, "topic", 1.0), Consumer()
    monkeypatch.setattr(reader, "_consumer", consumer)
    monkeypatch.setattr("nilometer.backends._parts.kafka_reader._received", lambda _: Message("t", b"", 0.0, mark=(0, 7)))
    with pytest.raises(Unavailable, match="the topic is gone"):
        reader.receive(10, 0.1)

    assert consumer.closed
    with pytest.raises(Unavailable, match="left the group"):
        reader.settle([Message("t", b"", 0.0, mark=(0, 8))])
