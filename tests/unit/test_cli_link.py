"""How commands ask over HTTP: where the token goes, what is no answer, which URLs and files are refused."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nilometer.cli import asking, link
from nilometer.cli.link import Access, Link, token_in
from nilometer.core.errors import ConfigError, Unavailable, UrlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def answering(reply: Callable[[str], tuple[int, dict[str, str], bytes]]) -> Iterator[tuple[str, list[str]]]:
    """Answer requests, and tell at which URL; the list takes each request's token."""
    tokens: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            tokens.append(self.headers.get("Authorization", ""))
            status, headers, body = reply(self.path)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep standard error empty."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", tokens
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_redirect_is_told_and_not_followed() -> None:
    with answering(lambda _: (200, {}, b"{}")) as (elsewhere, taken):
        told = f"302: it points to {elsewhere}/api/v1/stats; name that URL"
        pointing = answering(lambda path: (302, {"Location": elsewhere + path}, b""))
        with pointing as (url, tokens), pytest.raises(Unavailable, match=told):
            asking.asker(url, 1, Access("secret"))()
        assert tokens == ["Bearer secret"]
        assert taken == []


def test_the_series_of_a_server_are_read_page_by_page() -> None:
    pages = {"": (["a", "b"], "two words"), "two%20words": (["c"], None)}

    def reply(path: str) -> tuple[int, dict[str, str], bytes]:
        series, following = pages[path.partition("cursor=")[2]]
        return 200, {}, json.dumps({"series": [{"path": each} for each in series], "next": following}).encode()

    with answering(reply) as (url, _):
        assert list(asking.paths(url, Access())) == ["a", "b", "c"]


@pytest.mark.parametrize("body", [b"{}", b"[]", b"no JSON", b'{"series": [1], "next": null}', b"[" * 100_000])
def test_another_server_is_no_nilometer(body: bytes) -> None:
    with answering(lambda _: (200, {}, body)) as (url, _), pytest.raises(Unavailable, match="what answers is no Nilometer"):
        list(asking.paths(url, Access()))


def test_an_endless_answer_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "MOST_BYTES", 100)
    with answering(lambda _: (200, {}, b"x" * 101)) as (url, _), pytest.raises(Unavailable, match="exceeds 100 bytes"):
        Link(url, Access()).send("GET", "/")


@pytest.mark.parametrize("url", ["ftp://a", "http://", "http://a?x=1", "http://me:secret@a", "http://a:port"])
def test_urls_of_another_kind_are_refused(url: str) -> None:
    with pytest.raises(UrlError):
        Link(url, Access())


def test_a_token_is_one_word_and_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(" s3cret\n")
    assert token_in(file, "--token-file") == "s3cret"
    assert "s3cret" not in repr(Access("s3cret"))
    for wrong in ("", "s3cret two", "s3crét", "s3cret\r\nX-Other: 1"):
        file.write_text(wrong)
        with pytest.raises(ConfigError, match="no token") as refused:
            token_in(file, "--token-file")
        assert "s3cr" not in str(refused.value)


def test_authorities_that_cannot_be_used_are_told() -> None:
    with pytest.raises(ConfigError, match="--from-ca-file: /nowhere cannot be used"):
        Link("https://a", Access(authorities=Path("/nowhere"), option="--from-ca-file"))
