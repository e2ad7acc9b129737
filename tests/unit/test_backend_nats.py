"""What URLs of NATS can mean, and the subjects of events."""

from __future__ import annotations

import pytest

from nilometer.backends import registry
from nilometer.backends._parts.nats_subject import subject
from nilometer.core.errors import UrlError
from nilometer.core.record import Event


@pytest.mark.parametrize(
    ("url", "culprit"),
    [
        ("nats://", "names no host"),
        ("nats://a:0", "port 0"),
        ("nats://a/EVENTS", "takes no path"),
        ("nats://a?ca=x", r"nats\+tls"),
        ("nats://a?verify=false", r"nats\+tls"),
        ("nats://u:s3cr3t@a?token=s3cr3t", "both"),
        ("nats://a?timeout=0", "timeout"),
        ("nats://a?ack_wait=0", "ack_wait"),
        ("nats://a?replicas=0", "replicas"),
        ("nats://a?format=xml", "nilometer, cloudevents"),
        ("nats://a?create=true", "create needs stream"),
        ("nats://a?stream=a.b", "option stream"),
        ("nats://a?consumer=a%20b", "option consumer"),
        ("nats://a?consumer=", "option consumer"),
        ("nats://a?prefix=", "option prefix"),
        ("nats://a?prefix=a..b", "option prefix"),
        ("nats://a?prefix=a.*", "option prefix"),
        ("nats://a?subject={type}", "begins with"),
        ("nats://a?subject={prefix}", "begins with"),
        ("nats://a?subject={prefix}.*.{type}", "neither blanks"),
        ("nats://a?subject={prefix}..{type}", "neither blanks"),
        ("nats://a?subject={prefix}.{typ}", "{typ} is none of"),
        ("nats://a?subject={prefix}.{type.x}", "is none of"),
        ("nats://a?subject={prefix}.{type:9}", "is none of"),
        ("nats://a?subject={prefix}.{", "option subject"),
    ],
)
def test_what_a_url_cannot_mean_is_refused(url: str, culprit: str) -> None:
    with pytest.raises(UrlError, match=culprit) as caught:
        registry.open(url, registry.EVENTS)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("table.create", "p.table.create"),
        ("a b\tc", "p.a_b_c"),
        ("*.>", "p._._"),
        (".a..b.", "p._.a._.b._"),
        ("größe", "p.größe"),
        ("{tenant}", "p.{tenant}"),
    ],
)
def test_a_subject_holds_whatever_a_type_is(kind: str, expected: str) -> None:
    assert subject("{prefix}.{type}", "p", Event("1", 0.0, kind)) == expected


def test_every_field_can_stand_in_a_subject() -> None:
    event = Event("1", 0.0, "a", "host.1", "audit", "")
    assert subject("{prefix}.{tenant}.{publisher}.{priority}.x", "p", event) == "p._.host.1.audit.x"
