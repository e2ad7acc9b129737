"""The files of the page over HTTP: types, caching, compression, and what stands there before it is built."""

from __future__ import annotations

import gzip
import http.client
import json
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

import pytest
from fastapi import FastAPI

from nilometer.core import url as urls
from nilometer.testing.missing import Missing
from nilometer.web import page
from nilometer.web.server import WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>page</title>")
    (tmp_path / "favicon.svg").write_text("<svg/>")
    (tmp_path / "assets/index-abc.js").write_text("let a = 1;\n" * 100)
    (tmp_path / "assets/secret.txt").write_text("not part of a page")
    return tmp_path


class Got(NamedTuple):
    """An answer, its header names in lower case."""

    status: int
    headers: dict[str, str]
    content: bytes


class Asked:
    """A server of the files of a folder."""

    def __init__(self, folder: Path) -> None:
        app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
        self.opened: list[str] = []
        app.include_router(page.of_folder(folder, lambda: self.opened.append("page")))
        self._server = WebServer(lambda: app)
        self._host, _, port = self._server.listen(urls.parse("http://127.0.0.1:0"))[0].rpartition(":")
        self._port = int(port)
        self._server.start()

    def get(self, path: str, **headers: str) -> Got:
        with closing(http.client.HTTPConnection(self._host, self._port, timeout=30)) as link:
            link.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = link.getresponse()
            return Got(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())

    def close(self) -> None:
        self._server.stop()


@pytest.fixture
def asked(folder: Path) -> Iterator[Asked]:
    with closing(Asked(folder)) as server:
        yield server


def test_the_page_is_asked_for_anew_each_time_and_its_assets_are_kept(asked: Asked) -> None:
    first, asset, icon = (asked.get(path) for path in ("/", "/assets/index-abc.js", "/favicon.svg"))
    assert first.content == b"<!doctype html><title>page</title>"
    assert first.headers["content-type"] == "text/html; charset=utf-8"
    assert first.headers["cache-control"] == "no-cache"
    assert asset.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in asset.headers["cache-control"]
    assert icon.headers["content-type"] == "image/svg+xml; charset=utf-8"


def test_a_browser_that_has_the_same_page_is_told_so(asked: Asked) -> None:
    tag = asked.get("/").headers["etag"]
    again, other = asked.get("/", if_none_match=tag), asked.get("/", if_none_match='"other"')
    assert (again.status, again.content) == (304, b"")
    assert other.status == 200


def test_what_answers_is_made_ready_when_the_page_is_opened(asked: Asked) -> None:
    asked.get("/assets/index-abc.js")
    assert asked.opened == []
    asked.get("/")
    assert asked.opened == ["page"]


def test_files_are_compressed_for_who_takes_that(asked: Asked) -> None:
    packed, plain = asked.get("/assets/index-abc.js", accept_encoding="gzip"), asked.get("/assets/index-abc.js")
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "accept-encoding"
    assert len(packed.content) < len(plain.content)
    assert gzip.decompress(packed.content) == plain.content


@pytest.mark.parametrize("path", ["/assets/none.js", "/assets/secret.txt", "/assets/..%2Findex.html", "/assets/%2e%2e"])
def test_only_the_files_of_the_page_are_served(asked: Asked, path: str) -> None:
    assert asked.get(path).status == 404


def test_a_file_that_is_not_there_has_the_shape_of_every_error(asked: Asked) -> None:
    assert json.loads(asked.get("/assets/none.js").content)["error"]["code"] == "not_found"


def test_the_built_page_stays_small() -> None:
    files = page.read(page.STATIC)
    if not files:
        message = "the page is not built; type: make page"
        raise Missing(message, "page")
    assert sum(len(file.packed) for file in files.values()) < 72 * 1024


def test_without_a_built_page_the_root_tells_how_to_build_it(tmp_path: Path) -> None:
    with closing(Asked(tmp_path / "nothing")) as asked:
        answer = asked.get("/")
    assert answer.status == 503
    assert b"make page" in answer.content


def test_a_page_that_is_built_while_the_server_runs_is_served(tmp_path: Path) -> None:
    folder = tmp_path / "page"
    with closing(Asked(folder)) as asked:
        assert asked.get("/").status == 503
        (folder / "assets").mkdir(parents=True)
        (folder / "index.html").write_text("first")
        assert asked.get("/").content == b"first"
        (folder / "index.html").unlink()
        assert asked.get("/").content == b"first"
        (folder / "assets/index-new.js").write_text("let b = 2;")
        (folder / "index.html").write_text("the second")
        assert asked.get("/").content == b"the second"
        assert asked.get("/assets/index-new.js").content == b"let b = 2;"
