"""MagnetoDB's monitoring API: tokens, Keystone, TLS, and URLs that cannot be."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from nilometer.backends import registry
from nilometer.core.errors import Unavailable, UrlError
from nilometer.testing.answering import Answering, Asked, Reply
from nilometer.testing.certificates import certificate
from nilometer.testing.magnetodb import OldMagnetoDB, names, read, refusal, source, stored

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nilometer.testing.answering import Serve


def guarded(token: str) -> Callable[[Asked], Reply]:
    old = OldMagnetoDB(stored(("a", 1)))
    return lambda asked: old.answer(asked) if asked.headers.get("x-auth-token") == token else refusal(401, "X", "who are you?")


def test_a_token_goes_with_every_request_and_is_never_shown(
    serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = serve(guarded("s3cr3t"))
    file = tmp_path / "token"
    file.write_text("s3cr3t\n")
    assert names(read(server.address, "&token=s3cr3t")) == [("a", "t0000")]
    opened = source(server.address, f"&token_file={file}")
    assert names(list(opened.read_tables())) == [("a", "t0000")]
    file.write_text("0ther-secret")
    with pytest.raises(Unavailable) as caught:
        list(opened.read_tables())
    assert "who are you?" in str(caught.value)
    file.unlink()
    with pytest.raises(Unavailable, match="option token_file: No such file"):
        list(opened.read_tables())
    file.write_text("two words")
    with pytest.raises(Unavailable, match="option token_file: it holds no token"):
        list(opened.read_tables())
    assert "s3cr3t" not in caplog.text + str(caught.value)
    assert "0ther" not in caplog.text + str(caught.value)


class Identity:
    """A Keystone that gives numbered tokens, each good for so many seconds."""

    def __init__(self, expires: object = "2999-01-01T00:00:00.000000Z") -> None:
        self.given = 0
        self.expires = expires
        self.bodies: list[Any] = []

    def answer(self, asked: Asked) -> Reply:
        if (asked.method, asked.path) != ("POST", "/v3/auth/tokens"):
            return Reply(404)
        self.bodies.append(json.loads(asked.body))
        if "wrong" in asked.body.decode():
            return Reply(401, {"error": {"code": 401, "message": "The request you have made requires authentication."}})
        self.given += 1
        return Reply(201, {"token": {"expires_at": self.expires}}, {"X-Subject-Token": f"token{self.given}"})


def test_a_password_gets_a_token_which_is_kept_and_renewed_when_it_is_refused(serve: Serve) -> None:
    identity = Identity()
    keystone = serve(identity.answer)
    accepted = {"token1"}
    old = OldMagnetoDB(stored(("a", 1)))
    server = serve(
        lambda asked: old.answer(asked) if asked.headers.get("x-auth-token") in accepted else refusal(401, "X", "expired")
    )
    opened = source(f"me:pa55@{server.address}", f"&auth_url=http://{keystone.address}/v3&project=admin")
    for _ in range(3):
        assert names(list(opened.read_tables())) == [("a", "t0000")]
    assert identity.given == 1
    accepted.clear()
    accepted.add("token2")
    assert names(list(opened.read_tables())) == [("a", "t0000")]
    assert identity.given == 2
    accepted.clear()
    with pytest.raises(Unavailable, match="401: expired"):
        list(opened.read_tables())
    assert identity.bodies[0] == {
        "auth": {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"name": "me", "password": "pa55", "domain": {"name": "Default"}}},
            },
            "scope": {"project": {"name": "admin", "domain": {"name": "Default"}}},
        }
    }
    assert {asked.method for asked in server.asked} == {"GET"}


def test_an_application_credential_gets_a_token(serve: Serve) -> None:
    identity = Identity()
    keystone, server = serve(identity.answer), serve(guarded("token1"))
    options = f"&auth_url=http://{keystone.address}&credential_id=abc&credential_secret=def"
    assert names(read(server.address, options)) == [("a", "t0000")]
    credential = {"id": "abc", "secret": "def"}
    assert identity.bodies == [
        {"auth": {"identity": {"methods": ["application_credential"], "application_credential": credential}}}
    ]


def test_a_token_that_ends_is_renewed_before(serve: Serve) -> None:
    identity = Identity("2000-01-01T00:00:00Z")
    keystone, server = serve(identity.answer), serve(OldMagnetoDB(stored(("a", 1))).answer)
    opened: Any = source(f"me:pa55@{server.address}", f"&auth_url=http://{keystone.address}/v3")
    list(opened.read_tables())
    opened._login._clock = type("Later", (), {"time": staticmethod(lambda: 4e9)})
    list(opened.read_tables())
    assert identity.given == 2


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(201, {}), "no token: 201"),
        (Reply(201, [], {"X-Subject-Token": "x" * 9000}), "no token: what it sends cannot be one"),
        (Reply(500, b"<html>"), "no token: 500: <html>"),
        (Reply(401, {"error": {"message": "requires authentication"}}), "no token: 401: requires authentication"),
    ],
)
def test_a_keystone_that_gives_no_token_is_named(serve: Serve, reply: Reply, words: str) -> None:
    keystone = serve(lambda _: reply)
    with pytest.raises(Unavailable, match=f"Keystone at http://{keystone.address}: {words}") as caught:
        read("me:pa55word@127.0.0.1:1", f"&auth_url=http://{keystone.address}")
    assert "pa55word" not in str(caught.value)


@pytest.mark.parametrize("body", [{}, [], {"token": 1}, {"token": {"expires_at": "soon"}}, {"token": {"expires_at": None}}])
def test_a_token_without_an_end_is_used_for_a_while(serve: Serve, body: object) -> None:
    keystone = serve(lambda _: Reply(201, body, {"X-Subject-Token": "token1"}))
    assert names(read(f"me:pa55@{serve(guarded('token1')).address}", f"&auth_url=http://{keystone.address}")) == [
        ("a", "t0000")
    ]


# -- TLS and wrong URLs ------------------------------------------------------------------------------------------------------


def test_certificates_are_verified(tmp_path: Path) -> None:
    made = certificate(tmp_path)
    with Answering(OldMagnetoDB(stored(("a", 1))).answer, made) as server:
        with pytest.raises(Unavailable, match=r"certificate.*ca=FILE"):
            read(server.address, scheme="magnetodb+https")
        for options in (f"&ca={made.certificate}", "&verify=false"):
            assert names(read(server.address, options, "magnetodb+https")) == [("a", "t0000")]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("magnetodb+http://", "names no host; write magnetodb+http://localhost:8480"),
        ("magnetodb+http://h:0", "nobody listens on port 0"),
        ("magnetodb+http://h?metrics=sizes", "'sizes' is none of size, item_count; did you mean 'size'?"),
        ("magnetodb+http://h?metrics=", "'' is none of size, item_count"),
        ("magnetodb+http://h?limit=0", "0 is below 1"),
        ("magnetodb+http://h?ca=x.pem", "option ca is for TLS; write magnetodb+https://"),
        ("magnetodb+http://me:pa55@h", "a user needs auth_url"),
        ("magnetodb+http://h?project=a", "option project needs auth_url"),
        ("magnetodb+http://h?auth_url=http://k", "needs a user and a password, or credential_id and credential_secret"),
        ("magnetodb+http://h?auth_url=http://k&credential_id=a", "has credential_id and credential_secret, and no user"),
        ("magnetodb+http://a:b@h?auth_url=ftp://k", "option auth_url: write it as https://keystone.example:5000/v3"),
        ("magnetodb+http://a:b@h?auth_url=nothing%20here", "option auth_url is no URL"),
        ("magnetodb+http://h?token=a&token_file=b", "has several of token, token_file and auth_url"),
        ("magnetodb+http://h?token=two%20words", "option token holds characters that a token cannot"),
    ],
)
def test_a_url_that_cannot_be_is_refused(url: str, words: str) -> None:
    with pytest.raises(UrlError) as caught:
        registry.open(url, registry.TABLES)
    assert words in str(caught.value)
    assert "pa55" not in str(caught.value)
    assert "two" not in str(caught.value)
