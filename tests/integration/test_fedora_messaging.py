"""fedora-messaging's configuration over a real broker, and the real fedora-messaging beside ours."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from pika import BasicProperties  # type: ignore[import-untyped]  # it has no types
from pika.exceptions import ChannelClosedByBroker  # type: ignore[import-untyped]  # it has no types

from nilometer.cli.statistics.opening import open_bus
from nilometer.core import url as urls
from nilometer.core.errors import Unavailable
from nilometer.core.wire import messages
from nilometer.testing.amqp_bus import Pika
from nilometer.testing.asking import ask
from nilometer.testing.bus_contract import received, source_of
from nilometer.testing.certificates import certificate, client_certificate
from nilometer.testing.fedora_messaging import configuration, consuming
from nilometer.testing.fedora_messaging import publish as publish_really
from nilometer.testing.rabbitmq import RabbitMQ
from nilometer.testing.serving import statistics_served
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from nilometer.testing.serving import Serving

JSON = {"Accept": "application/json"}


def publish(broker: RabbitMQ, topic: str, *ids: str) -> None:
    """Publish messages as fedora-messaging does."""
    headers = {"fedora_messaging_schema": "base.message", "fedora_messaging_severity": 20, "fedora_messaging_user_alice": True}
    with Pika(broker.port) as channel:
        channel.confirm_delivery()
        for each in ids:
            about = BasicProperties("application/json", "utf-8", headers, delivery_mode=2, message_id=each)
            channel.basic_publish("amq.topic", topic, b"{}", about)


def test_fedora_messagings_file_names_queue_and_bindings(broker: RabbitMQ, tmp_path: Path) -> None:
    url = f"fedora-messaging://{configuration(tmp_path / 'config', broker.port, 'fm-named', 'org.named.#')}"
    with source_of(url) as source:
        assert source.receive(1, 0.1) == []
        publish(broker, "org.other", "0")
        publish(broker, "org.named.prod.git", "1", "2", "3")
        found = received(source, 3)
        assert [message.id for message in found] == ["1", "2", "3"]
        assert messages.decode(found[0]).context == {"schema": "base.message", "users": ["alice"]}
        source.settle(found[:1])
    with source_of(url) as source:
        found = received(source, 2)
        assert [(message.id, message.redelivered) for message in found] == [("2", True), ("3", True)]
        source.settle(found)
        assert source.receive(1, 0.1) == []


def test_without_queues_fedora_messaging_has_one_of_its_own_that_ends_with_the_connection(
    broker: RabbitMQ, tmp_path: Path
) -> None:
    url = f"fedora-messaging://{configuration(tmp_path / 'config', broker.port)}"
    with source_of(url) as source, source_of(url) as beside:
        for each in (source, beside):
            assert each.receive(1, 0.1) == []
        publish(broker, "org.any", "1")
        for each in (source, beside):
            each.settle(received(each, 1))
    publish(broker, "org.any", "2")
    with source_of(url) as source:
        assert source.receive(1, 0.1) == []


def test_a_queue_that_others_read_is_told_of_and_one_of_our_own_takes_nothing_away(
    broker: RabbitMQ, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"fedora-messaging://{configuration(tmp_path / 'config', broker.port, 'fm-shared', 'org.shared.#')}"
    with source_of(url) as theirs, source_of(f"{url}?queue=fm-own&prefetch=5") as own, caplog.at_level(logging.WARNING):
        for source in (theirs, own):
            assert source.receive(1, 0.1) == []
        assert not caplog.messages
        publish(broker, "org.shared.one", *map(str, range(9)))
        for source in (theirs, own):
            found = received(source, 5)
            source.settle(found)
            source.settle(received(source, 4))
        with source_of(url) as second:
            assert second.receive(1, 0.1) == []
        (said,) = caplog.messages
        assert "queue fm-shared is read by others, too (1)" in said


def test_what_exists_otherwise_is_used_as_it_is_and_what_is_passive_must_exist(broker: RabbitMQ, tmp_path: Path) -> None:
    there = configuration(tmp_path / "there", broker.port, "fm-there", "org.there.#")
    passive = configuration(tmp_path / "passive", broker.port, "fm-passive", "org.#", "passive_declares = true\n")
    with Pika(broker.port) as channel:
        channel.queue_declare("fm-there", arguments={"x-max-length": 10})
    with source_of(f"fedora-messaging://{there}") as source:
        assert source.receive(1, 0.1) == []
        publish(broker, "org.there.a", "1")
        assert len(received(source, 1)) == 1
    with source_of(f"fedora-messaging://{passive}") as source:
        with pytest.raises(Unavailable, match="no queue 'fm-passive'"):
            source.receive(1, 0.1)
        with Pika(broker.port) as channel:
            channel.queue_declare("fm-passive", durable=True)
        assert source.receive(1, 0.1) == []


def test_statistics_over_amqp_take_all_topics_by_a_queue_that_stays(broker: RabbitMQ) -> None:
    with contextlib.closing(open_bus(urls.parse(broker.url))) as source:
        assert source.receive(1, 0.1) == []
        publish(broker, "org.any.topic", "1")
        source.settle(received(source, 1))
    publish(broker, "another", "2")
    with contextlib.closing(open_bus(urls.parse(broker.url))) as source:
        assert [(message.id, message.topic) for message in received(source, 1)] == [("2", "another")]
    with Pika(broker.port) as channel:
        channel.queue_declare("nilometer.statistics", durable=True)  # it would be refused, were it not
        channel.queue_delete("nilometer.statistics")


# -- the real fedora-messaging -----------------------------------------------------------------------------------------


def volumes(server: Serving, ident: str) -> dict[str, int]:
    """Return what a statistic has counted of each word, over all windows."""
    found: Counter[str] = Counter()
    rows = ask(server.interface("HTTP interface"), f"/{ident}?stop=9999999999", headers=JSON, base="/api").json
    for row in rows:
        found[row.get("category") or row["user"]] += row["volume"]
    return dict(found)


def counted(server: Serving, messages: int) -> bool:
    """Return whether each bus has brought at least so many messages, and all of them are counted."""
    status = ask(server.interface("HTTP interface"), "/statistics").json["status"]
    return all(way["received"] >= messages for way in status["ways"]) and not status["behind"]


@pytest.mark.slow
def test_what_the_real_one_publishes_is_counted_once_beside_its_own_consumer(broker: RabbitMQ, tmp_path: Path) -> None:
    ours, theirs = (configuration(tmp_path / name, broker.port, f"real-{name}", "org.real.#") for name in ("ours", "theirs"))
    about: dict[str, Any] = {"fedora_messaging_user_alice": True}
    sent = [(f"org.real.prod.{word}.new", {"by": "alice"}, about) for word in ("git", "copr", "git") * 10]
    buses = (
        "--bus",
        f"fedora-messaging://{ours}",
        "--bus",
        f"amqp://127.0.0.1:{broker.port}?keys=org.real.%23&queue=real-amqp",
    )
    arguments = (*buses, "--store", f"sqlite:///{tmp_path / 'statistics.db'}", "--plugins", "volume-by-category,volume-by-user")
    with consuming(theirs, tmp_path / "heard") as consumer:
        with statistics_served(*arguments, state=tmp_path / "state") as server:
            until(lambda: bound(broker, "real-ours", "real-amqp"), "both queues are consumed from")
            ids = publish_really(theirs, sent)
            until(lambda: counted(server, len(sent)), "the first are counted", told=lambda: "\n".join(server.log))
        ids += publish_really(theirs, sent)  # while nobody but the other consumer is there
        with statistics_served(*arguments, state=tmp_path / "state") as server:
            until(lambda: counted(server, len(sent)), "all are counted", told=lambda: "\n".join(server.log))
            assert volumes(server, "volume-by-category-1d") == {"git": 40, "copr": 20}
            assert volumes(server, "volume-by-user-1d") == {"alice": 60}
        until(lambda: len(consumer.heard()) >= len(ids), "the other has heard all", told=consumer.log)
    assert consumer.heard() == ids
    assert len(set(ids)) == 2 * len(sent)


@pytest.mark.slow
def test_one_file_with_certificates_serves_the_real_one_and_ours(tmp_path: Path) -> None:
    own = certificate(tmp_path)
    fedora = client_certificate(tmp_path, "fedora", own)
    (folder := tmp_path / "rabbitmq").mkdir()
    server = RabbitMQ(folder)
    port = server.by_certificate(own, "fedora")
    config = tmp_path / "config.toml"
    files = f'[tls]\nca_cert = "{own.certificate}"\ncertfile = "{fedora.certificate}"\nkeyfile = "{fedora.key}"\n'
    config.write_text(f'amqp_url = "amqps://fedora:@localhost:{port}/%2F?connection_attempts=3"\n{files}', encoding="utf-8")
    try:
        server.start()
        with source_of(f"fedora-messaging://{config}") as source:
            assert source.receive(1, 0.1) == []
            ids = publish_really(config, [("org.fedoraproject.prod.git.new", {"n": 1}, {})])
            assert [message.id for message in received(source, 1)] == ids
    finally:
        server.close()


def bound(broker: RabbitMQ, *queues: str) -> bool:
    """Return whether queues are consumed from."""
    with Pika(broker.port) as channel:
        try:
            return all(channel.queue_declare(queue, passive=True).method.consumer_count for queue in queues)
        except ChannelClosedByBroker:
            return False
