"""The files of the page over HTTP: types, caching, compression, and what stands there before it is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from nilometer.web import page

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>page</title>")
    (tmp_path / "favicon.svg").write_text("<svg/>")
    (tmp_path / "assets/index-abc.js").write_text("let a = 1;\n" * 100)
    (tmp_path / "assets/secret.txt").write_text("not part of a page")
    return tmp_path


def client(folder: Path) -> TestClient:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(page.of_folder(folder))
    return TestClient(app)


def test_the_page_is_asked_for_anew_each_time_and_its_assets_are_kept(folder: Path) -> None:
    with client(folder) as asked:
        first, asset, icon = (asked.get(path) for path in ("/", "/assets/index-abc.js", "/favicon.svg"))
    assert first.text == "<!doctype html><title>page</title>"
    assert first.headers["content-type"] == "text/html; charset=utf-8"
    assert first.headers["cache-control"] == "no-cache"
    assert asset.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in asset.headers["cache-control"]
    assert icon.headers["content-type"] == "image/svg+xml; charset=utf-8"


def test_a_browser_that_has_the_same_page_is_told_so(folder: Path) -> None:
    with client(folder) as asked:
        tag = asked.get("/").headers["etag"]
        again = asked.get("/", headers={"if-none-match": tag})
        other = asked.get("/", headers={"if-none-match": '"other"'})
    assert (again.status_code, again.content) == (304, b"")
    assert other.status_code == 200


def test_files_are_compressed_for_who_takes_that(folder: Path) -> None:
    with client(folder) as asked:
        packed = asked.get("/assets/index-abc.js", headers={"accept-encoding": "gzip"})
        plain = asked.get("/assets/index-abc.js", headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(plain.content)
    assert packed.text == plain.text
    assert packed.headers["vary"] == "accept-encoding"


@pytest.mark.parametrize("path", ["/assets/none.js", "/assets/secret.txt", "/assets/..%2Findex.html", "/assets/%2e%2e"])
def test_only_the_files_of_the_page_are_served(folder: Path, path: str) -> None:
    with client(folder) as asked:
        assert asked.get(path).status_code == 404


def test_without_a_built_page_the_root_tells_how_to_build_it(tmp_path: Path) -> None:
    with client(tmp_path) as asked:
        answer = asked.get("/")
    assert answer.status_code == 503
    assert "make page" in answer.text
