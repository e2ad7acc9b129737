"""Webhooks over a real HTTP server: what arrives, that it is signed, and what answers mean."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import registry, webhook
from nilometer.backends._parts.http_status import retry_after
from nilometer.core.errors import Rejected, Unavailable, UrlError
from nilometer.core.record import Event
from nilometer.testing.bus_contract import BOUND, EventSinkContract, sink_of
from nilometer.testing.certificates import certificate
from nilometer.testing.event_examples import several
from nilometer.testing.webhook import Receiver, Request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nilometer.backends.webhook import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 the test's own


@pytest.fixture
def bus() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def sink(bus: Receiver) -> Iterator[Webhook]:
    found = registry.open(f"{bus.url}&batch=2", registry.EVENTS)
    assert isinstance(found, webhook.Webhook)
    yield found
    found.close()


class TestWebhook(EventSinkContract):
    """The contract."""


def test_events_go_in_bounded_requests(bus: Receiver, sink: Webhook) -> None:
    sink.write_events(several(5))
    assert [len(request.events()) for request in bus.requests] == [2, 2, 1]
    assert {(request.method, request.path) for request in bus.requests} == {("POST", "/a%20path")}
    assert {request.headers["content-type"] for request in bus.requests} == {"application/json"}


def test_requests_are_bounded_in_bytes_too(bus: Receiver) -> None:
    large = [Event(str(number), 1e9, "a", payload={"text": "x" * 600}) for number in range(3)]
    with sink_of(f"{bus.url}&size=1500") as sink:
        sink.write_events([*large, *several(1)])
    assert [len(request.events()) for request in bus.requests] == [2, 2]
    assert all(len(request.body) <= 1500 for request in bus.requests)


def test_cloudevents_go_as_a_batch(bus: Receiver) -> None:
    with sink_of(f"{bus.url}&format=cloudevents") as sink:
        sink.write_events(several(3))
    (request,) = bus.requests
    assert request.headers["content-type"] == "application/cloudevents-batch+json"
    assert request.events() == several(3)
    assert json.loads(request.body)[0]["specversion"] == "1.0"


def verified(request: Request, secret: str) -> bool:
    """Say whether a request is signed, by the published scheme, written down here anew."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.{request.body.decode()}"
    wanted = "v1," + base64.b64encode(hmac.new(key, content.encode(), hashlib.sha256).digest()).decode()
    fresh = abs(time.time() - int(request.headers["webhook-timestamp"])) < 300
    return fresh and wanted in request.headers["webhook-signature"].split(" ")


def test_requests_are_signed_and_the_same_events_have_the_same_id(bus: Receiver) -> None:
    other = "whsec_" + base64.b64encode(b"\xfb" * 32).decode()
    assert "+" in other
    with sink_of(f"{bus.url}&secret={SECRET},{other}") as sink:
        sink.write_events(several(2))
        sink.write_events(several(2))
        sink.write_events(several(3))
    assert all(verified(request, SECRET) and verified(request, other) for request in bus.requests)
    assert not verified(bus.requests[0]._replace(body=b"[]"), SECRET)
    first, again, more = (request.headers["webhook-id"] for request in bus.requests)
    assert first == again != more


def test_a_login_is_sent_and_never_shown(bus: Receiver) -> None:
    with sink_of(f"{bus.url}&token=s3cr3t") as sink:
        sink.write_events(several(1))
        bus.statuses = [503]
        with pytest.raises(Unavailable) as caught:
            sink.write_events(several(1))
    assert "s3cr3t" not in str(caught.value)
    with sink_of(bus.url.replace("://", "://me:pa%20ss@")) as sink:
        sink.write_events(several(1))
    assert bus.requests[0].headers["authorization"] == "Bearer s3cr3t"
    assert bus.requests[-1].headers["authorization"] == "Basic " + base64.b64encode(b"me:pa ss").decode()


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 599])
def test_what_another_attempt_can_end_is_unavailable(bus: Receiver, sink: Webhook, status: int) -> None:
    bus.statuses = [status]
    with pytest.raises(Unavailable, match=rf"status {status}: because of this$"):
        sink.write_events(several(1))
    sink.write_events(several(1))
    assert len(bus.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 404, 410, 413, 422])
def test_what_is_refused_for_good_is_rejected(bus: Receiver, sink: Webhook, status: int) -> None:
    bus.statuses = [status]
    with pytest.raises(Rejected, match=rf"all 1 events were refused: status {status}"):
        sink.write_events(several(1))


def test_a_redirect_is_not_followed(bus: Receiver, sink: Webhook) -> None:
    bus.statuses, bus.headers = [307], {"Location": "/elsewhere"}
    with pytest.raises(Rejected, match="redirects are not followed"):
        sink.write_events(several(1))
    assert [request.path for request in bus.requests] == ["/a%20path"]


def test_what_was_taken_is_not_sent_again(bus: Receiver, sink: Webhook) -> None:
    bus.statuses = [204, 500]
    with pytest.raises(Unavailable):
        sink.write_events(several(5))
    sink.write_events(several(5))
    assert [[event.id[-1] for event in request.events()] for request in bus.requests] == [
        ["0", "1"],
        ["2", "3"],
        ["2", "3"],
        ["4"],
    ]


def test_what_is_refused_beside_others_is_counted_once(bus: Receiver, sink: Webhook) -> None:
    bus.statuses = [400, 500]
    with pytest.raises(Unavailable):
        sink.write_events(several(4))
    sink.write_events(several(4))
    assert sink.left_out() == {("sink", "refused"): 2}
    assert not sink.left_out()


def test_an_event_that_cannot_be_written_is_refused_alone(bus: Receiver, sink: Webhook) -> None:
    sink.write_events([*several(1), Event("odd", math.nan, "a")])
    assert bus.arrived(1) == several(1)
    assert sink.left_out() == {("sink", "refused"): 1}


def test_requests_that_are_too_large_go_in_halves(bus: Receiver) -> None:
    bus.statuses = [413, 204, 413, 204, 413]
    with sink_of(bus.url) as sink:
        sink.write_events(several(4))
        assert sink.left_out() == {("sink", "refused"): 1}  # type: ignore[attr-defined] # it is Selective, too
    assert [len(request.events()) for request in bus.requests] == [4, 2, 2, 1, 1]


@pytest.mark.parametrize("wait", ["3600", formatdate(time.time() + 50_000, usegmt=True)], ids=["seconds", "date"])
def test_nothing_is_sent_before_the_time_that_is_asked_for(bus: Receiver, sink: Webhook, wait: str) -> None:
    bus.statuses, bus.headers = [429], {"Retry-After": wait}
    with pytest.raises(Unavailable, match="asks to wait for 3600 s"):
        sink.write_events(several(1))
    with pytest.raises(Unavailable, match="asked not to be sent anything"):
        sink.write_events(several(1))
    assert len(bus.requests) == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0),
        ("5", 5),
        ("-5", 0),
        ("99999999999999999999", 3600),
        ("soon", 0),
        ("٣", 3),
        ("²", 0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 90),
        ("Thu, 01 Jan 1970 00:00:01 -0000", 0),
        ("Thu, 01 Jan 9999 00:01:40 GMT", 3600),
    ],
)
def test_the_header_that_asks_to_wait_is_read(text: str, seconds: float) -> None:
    assert retry_after(text, 10.0) == seconds


def test_one_that_does_not_answer_is_unavailable_in_bounded_time(bus: Receiver, sink: Webhook) -> None:
    bus.silent.set()
    began = time.monotonic()
    with pytest.raises(Unavailable):
        sink.write_events(several(1))
    assert time.monotonic() - began < BOUND


def test_over_tls_the_certificate_counts(tmp_path: Path) -> None:
    secure = certificate(tmp_path)
    receiver = Receiver(secure)
    try:
        with sink_of(f"webhook+https://localhost:{receiver.port}/?ca={secure.certificate}") as sink:
            sink.write_events(several(1))
        assert receiver.arrived(1) == several(1)
        with (
            sink_of(f"webhook+https://localhost:{receiver.port}/") as sink,
            pytest.raises(Unavailable, match="ca=FILE"),
        ):
            sink.write_events(several(1))
    finally:
        receiver.close()


def test_nobody_at_the_address_is_unavailable() -> None:
    with sink_of("webhook+http://127.0.0.1:1/") as sink, pytest.raises(Unavailable):
        sink.write_events(several(1))
    with pytest.raises(Unavailable):
        registry.open("webhook+http://127.0.0.1:1/", registry.HEALTH).check()


def test_the_check_sends_no_event(bus: Receiver) -> None:
    assert registry.open(bus.url, registry.HEALTH).check() == "answers (status 204 to OPTIONS; no event was sent)"
    bus.statuses = [503]
    with pytest.raises(Unavailable, match="status 503"):
        registry.open(bus.url, registry.HEALTH).check()
    assert [(request.method, request.body) for request in bus.requests] == [("OPTIONS", b""), ("OPTIONS", b"")]


@pytest.mark.parametrize(
    ("url", "culprit"),
    [
        ("webhook+http://", "one host"),
        ("webhook+http://a,b/", "one host"),
        ("webhook+http://a:0/", "port 0"),
        ("webhook+http://a/?secret=s3cr3t", "option secret"),
        ("webhook+http://a/?format=xml", "nilometer, cloudevents"),
        ("webhook+http://a/?batch=0", "batch"),
        ("webhook+http://a/?size=0", "size"),
        ("webhook+http://a/?timeout=0", "timeout"),
        ("webhook+http://a/?ca=x", "webhook\\+https"),
        ("webhook+http://u:s3cr3t@a/?token=s3cr3t", "both"),
        ("webhook+http://a/?token=%C3%A9", "token"),
    ],
)
def test_what_a_url_cannot_mean_is_refused(url: str, culprit: str) -> None:
    with pytest.raises(UrlError, match=culprit) as caught:
        registry.open(url, registry.EVENTS)
    assert "s3cr3t" not in str(caught.value)
