"""Signatures of Standard Webhooks, against an example that its reference libraries are tested with."""

from __future__ import annotations

import pytest

from nilometer.core.wire import standard_webhooks

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 the example's
ID, SECONDS, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_example_has_the_signature_that_is_published() -> None:
    secret = standard_webhooks.secret(SECRET)
    assert standard_webhooks.headers(ID, SECONDS, BODY, [secret]) == {
        "webhook-id": ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }


def test_each_secret_has_its_signature() -> None:
    secret = standard_webhooks.secret(SECRET)
    signed = standard_webhooks.headers(ID, SECONDS, BODY, [secret, b"x" * 24])["webhook-signature"]
    first, _, second = signed.partition(" ")
    assert first == SIGNATURE
    assert second.startswith("v1,")
    assert second != first


@pytest.mark.parametrize("text", ["", "whsec_", "s3cr3t", "whsec_c2hvcnQ=", "whsec_" + "A" * 100, "whsec_é"])
def test_what_is_no_secret_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(ValueError, match="24 to 64 bytes") as caught:
        standard_webhooks.secret(text)
    assert "s3cr3t" not in str(caught.value)
