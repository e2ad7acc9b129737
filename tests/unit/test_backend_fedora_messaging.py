"""What a configuration of fedora-messaging means to us: its defaults, Fedora's own file, and what is refused, by name."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import fedora_messaging, registry
from nilometer.backends._parts.amqp_link import Exchange, Queue
from nilometer.backends._parts.fedora_messaging_file import USUAL, Binding, Tls, read
from nilometer.core.errors import UrlError
from nilometer.core.url import Host
from nilometer.testing.certificates import certificate

if TYPE_CHECKING:
    from pathlib import Path

    from nilometer.backends._parts.fedora_messaging_file import Config

NAME = "00000000-0000-0000-0000-000000000000"
FEDORA = f"""
# as fedora-messaging's package installs it for Fedora's public broker
amqp_url = "amqps://fedora:@rabbitmq.fedoraproject.org/%2Fpublic_pubsub?connection_attempts=3&retry_delay=5"
callback = "fedora_messaging.example:printer"
passive_declares = false
publish_exchange = "amq.topic"
topic_prefix = ""

[tls]
ca_cert = "CERT"
keyfile = "KEY"
certfile = "CERT"

[client_properties]
app = "Example Application"
app_url = "https://example.com"

[exchanges."amq.topic"]
type = "topic"
durable = true
auto_delete = false
arguments = {{}}

[queues.{NAME}]
durable = false
auto_delete = true
exclusive = true
arguments = {{x-max-length = 1000}}

[[bindings]]
queue = "{NAME}"
exchange = "amq.topic"
routing_keys = ["org.fedoraproject.#", "*.pagure.#"]

[consumer_config]
example_key = "for my consumer"

[qos]
prefetch_size = 0
prefetch_count = 25

[log_config]
version = 1
disable_existing_loggers = true

[monitoring]
port = 9000
"""
QUEUE = "durable = true\nauto_delete = false\nexclusive = false\narguments = {}"


def config(folder: Path, text: str) -> Config:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return read(path)


def test_the_file_for_fedoras_public_broker_is_read_whole(tmp_path: Path) -> None:
    made = certificate(tmp_path)
    found = config(tmp_path, FEDORA.replace("CERT", str(made.certificate)).replace("KEY", str(made.key)))
    assert (found.broker.scheme, found.broker.hosts) == ("amqps", (Host("rabbitmq.fedoraproject.org", None),))
    assert (found.broker.user, found.broker.password, found.broker.path) == ("fedora", "", "//public_pubsub")
    assert found.tls == Tls(str(made.certificate), str(made.certificate), str(made.key))
    assert found.client == {"app": "Example Application", "app_url": "https://example.com", "product": "Nilometer"}
    assert found.exchanges == (Exchange("amq.topic", arguments={}),)
    assert found.queues == (Queue(NAME, durable=False, exclusive=True, auto_delete=True, arguments={"x-max-length": 1000}),)
    assert found.bindings == (Binding(NAME, "amq.topic", ("org.fedoraproject.#", "*.pagure.#")),)
    assert (found.prefetch, found.passive, found.unbound()) == (25, False, ())


def test_an_empty_file_has_the_defaults_of_fedora_messaging(tmp_path: Path) -> None:
    found = config(tmp_path, "")
    assert (found.broker.scheme, found.broker.hosts, found.broker.user) == ("amqp", (Host("localhost", None),), None)
    assert found.exchanges == (Exchange("amq.topic", arguments={}),)
    assert found.queues == (Queue("", durable=False, exclusive=True, auto_delete=True, arguments={}),)
    assert found.bindings == (USUAL,)
    assert (found.tls, found.prefetch, found.passive) == (None, None, False)


def test_names_at_the_top_are_of_any_case_and_one_binding_needs_no_list(tmp_path: Path) -> None:
    found = config(tmp_path, '[BINDINGS]\nexchange = "amq.topic"\nrouting_keys = ["a.#"]')
    assert found.bindings == (Binding("", "amq.topic", ("a.#",)),)


def test_tls_means_nothing_where_the_url_does_not_ask_for_it(tmp_path: Path) -> None:
    text = 'amqp_url = "amqp://"\n[tls]\nca_cert = "/nowhere/ca"\nkeyfile = "/nowhere/key"\ncertfile = "/nowhere/cert"'
    assert config(tmp_path, text).tls is None


def test_a_certificate_without_its_key_means_nothing(tmp_path: Path) -> None:
    assert config(tmp_path, 'amqp_url = "amqps://h"\n[tls]\ncertfile = "/nowhere/cert"').tls == Tls("", "", "")


def test_a_queue_of_our_own_is_bound_once_as_the_files_are(tmp_path: Path) -> None:
    binding = '[[bindings]]\nqueue = "{}"\nexchange = "amq.topic"\nrouting_keys = ["a.#"]\n'
    found = config(tmp_path, f"[queues.a]\n{QUEUE}\n[queues.b]\n{QUEUE}\n{binding.format('a')}{binding.format('b')}")
    assert len(found.bindings) == len(found.queues) == 2
    own = found.through("mine")
    assert own.queues == (Queue("mine"),)
    assert own.bindings == (Binding("mine", "amq.topic", ("a.#",)),)


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("amqp_url", "no TOML"),
        ("a = " + "[" * 3000, "no TOML"),
        ('ampq_url = "amqp://"', "'ampq_url' is no name .*; did you mean 'amqp_url'"),
        ("amqp_url = 1", "amqp_url is not a text"),
        ('amqp_url = "http://guest:s3cr3t@h"', "http:// is not one of amqp, amqps"),
        ('amqp_url = "guest:s3cr3t@h"', "amqp_url: .*not a URL"),
        ('amqp_url = "amqp://guest:s3cr3t@h:0"', "port 0"),
        ('amqp_url = "amqps://guest:s3cr3t@h"\n[tls]\nca_cert = "/nowhere/ca"', "tls.ca_cert: cannot read /nowhere/ca"),
        ('amqp_url = "amqps://guest:s3cr3t@h"\n[tls]\nca_cert = "SELF"', "tls: .*cannot use ca"),
        ('passive_declares = "yes"', "passive_declares is not true or false"),
        ("queues = {}", "queues: there is none"),
        ("queues = []", "queues is not a table"),
        ("[queues]\na = 1", "queues.a is not a table"),
        ("[queues.a]\ndurable = true", 'queues."a".exclusive is missing'),
        ("[queues.a]\ndurable = true\nexclusive = true\nauto_delete = true", 'queues."a".arguments is missing'),
        (f"[queues.a]\n{QUEUE}\n[queues.a.arguments.x]", "arguments"),
        (f"[queues.a]\n{QUEUE.replace('{}', '{x = 9223372036854775808}')}", 'queues."a".arguments.x is neither'),
        (f"[queues.a]\n{QUEUE.replace('{}', '{x = [1]}')}", 'queues."a".arguments.x is neither'),
        (f"[queues.{'q' * 256}]\n{QUEUE}", "more than 255 bytes"),
        ("bindings = [1]", "bindings, number 1: it is not a table"),
        ('[[bindings]]\nexchange = "a"', "bindings, number 1: routing_keys is missing"),
        ('[[bindings]]\nrouting_keys = ["#"]', "bindings, number 1: exchange is missing"),
        ('[[bindings]]\nexchange = "a"\nrouting_keys = [1]', "routing_keys holds more than texts"),
        ('[[bindings]]\nexchange = "a"\nrouting_keys = "#"', "routing_keys is not a list"),
        ("[qos]\nprefetch_count = -1", "qos.prefetch_count is not a whole number"),
        ("[qos]\nprefetch_count = true", "qos.prefetch_count is not a whole number"),
        ("passive_declares = true", "passive_declares with a queue without a name"),
        (f"#{' ' * (1 << 20)}", "more than 1048576 bytes"),
    ],
)
def test_what_a_file_cannot_mean_is_refused_by_name(tmp_path: Path, text: str, culprit: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text.replace("SELF", str(path)), encoding="utf-8")
    with pytest.raises(UrlError, match=culprit) as caught:
        registry.open(f"fedora-messaging://{path}", registry.MESSAGES)
    assert str(path) in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "culprit"),
    [
        ("fedora-messaging:///nowhere/config.toml", "cannot be read: No such file"),
        ("fedora-messaging:///", "cannot be read: Is a directory"),
        ("fedora-messaging://etc/fedora-messaging/config.toml", "names a host; write fedora-messaging:///etc"),
        ("fedora-messaging://u@/config.toml", "neither user nor password"),
        ("fedora-messaging:///a?prefetch=70000", "prefetch"),
        ("fedora-messaging:///a?prefetch=-1", "prefetch"),
        ("fedora-messaging:///a?timeout=0", "timeout"),
        (f"fedora-messaging:///a?queue={'q' * 256}", "queue"),
    ],
)
def test_what_a_url_cannot_mean_is_refused(url: str, culprit: str) -> None:
    with pytest.raises(UrlError, match=culprit):
        registry.open(url, registry.MESSAGES)


def test_without_a_path_it_is_where_fedora_messaging_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEDORA_MESSAGING_CONF", str(tmp_path / "mine.toml"))
    with pytest.raises(UrlError, match=r"mine\.toml: the file cannot be read"):
        registry.open("fedora-messaging:", registry.MESSAGES)
    (tmp_path / "mine.toml").write_text("", encoding="utf-8")
    registry.open("fedora-messaging:", registry.MESSAGES).close()
    monkeypatch.delenv("FEDORA_MESSAGING_CONF")
    monkeypatch.setattr(fedora_messaging, "USUAL", str(tmp_path / "usual.toml"))
    with pytest.raises(UrlError, match=r"usual\.toml: the file"):
        registry.open("fedora-messaging:", registry.MESSAGES)


def test_a_binding_that_is_left_out_is_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    binding = '[[bindings]]\nqueue = "typo"\nexchange = "amq.topic"\nrouting_keys = ["#"]'
    path = tmp_path / "config.toml"
    with caplog.at_level(logging.WARNING):
        path.write_text(f"[queues.right]\n{QUEUE}", encoding="utf-8")
        registry.open(f"fedora-messaging://{path}", registry.MESSAGES).close()
        assert not caplog.messages  # the binding is one of the defaults
        path.write_text(f"[queues.right]\n{QUEUE}\n{binding}", encoding="utf-8")
        registry.open(f"fedora-messaging://{path}", registry.MESSAGES).close()
    (said,) = caplog.messages
    assert "its queue typo is not among queues" in said
