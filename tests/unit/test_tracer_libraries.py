"""Spans of what libraries do, each under the real one."""

from __future__ import annotations

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

import httpx
import pytest
import redis as driver
import redis.asyncio as later
import requests
import sqlalchemy as sa

from nilometer.backends import registry
from nilometer.core.traces.query import EVERYTHING
from nilometer.emit.tracer import Tracer
from nilometer.emit.tracer.context import current
from nilometer.emit.tracer.libraries import httpx as traced_httpx
from nilometer.emit.tracer.libraries import redis as traced_redis
from nilometer.emit.tracer.libraries import requests as traced_requests
from nilometer.emit.tracer.libraries import sqlalchemy as traced_sqlalchemy
from nilometer.testing.redis import redis

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nilometer.core.traces.span import Span


class Remote(BaseHTTPRequestHandler):
    seen: ClassVar[list[dict[str, str]]] = []

    def do_GET(self) -> None:
        self.seen.append({name.lower(): value for name, value in self.headers.items()})
        self.send_response(404 if "missing" in self.path else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def remote() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Remote)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def url() -> str:
    return f"memory://libraries-{uuid4().hex}"


@pytest.fixture
def tracer(url: str) -> Iterator[Tracer]:
    token = current.set(None)
    made = Tracer(url, service="shop", keys=("K1",))
    yield made
    made.close()
    current.reset(token)


def stored(tracer: Tracer, url: str) -> list[Span]:
    assert tracer.flush()
    store = registry.open(url, registry.TRACES)
    found = [span for trace in store.find_traces(EVERYTHING).traces for span in store.read_trace(trace.trace)]
    return sorted(found, key=lambda span: span.start)


def test_requests(tracer: Tracer, url: str, remote: str) -> None:
    undo = traced_requests.trace(tracer)
    traced_requests.trace(tracer)()
    with tracer.span("root"):
        requests.get(f"{remote}/a?b=c", timeout=5)
        requests.get(f"{remote}/missing", timeout=5)
        with pytest.raises(requests.ConnectionError):
            requests.get("http://127.0.0.1:9/", timeout=5)
    undo()
    requests.get(remote, timeout=5)
    root, good, missing, away = stored(tracer, url)
    assert {good.parent, missing.parent, away.parent} == {root.id}
    assert good.attributes["url.path"] == "/a"
    assert (good.kind, good.attributes["http.response.status_code"], good.failed) == ("client", 204, False)
    assert (missing.message, away.error) == ("404", "requests.exceptions.ConnectionError")
    assert Remote.seen[-3]["traceparent"] == f"00-{good.trace}-{good.id}-01"
    assert "x-trace-hmac" in Remote.seen[-3]
    assert "traceparent" not in Remote.seen[-1]


def test_httpx(tracer: Tracer, url: str, remote: str) -> None:
    undo = traced_httpx.trace(tracer)

    async def main() -> None:
        async with httpx.AsyncClient() as client:
            await client.get(f"{remote}/async")

    with tracer.span("root"):
        httpx.get(f"{remote}/plain")
        asyncio.run(main())
    undo()
    httpx.get(remote)
    root, *spans = stored(tracer, url)
    assert [(span.parent, span.attributes["url.path"]) for span in spans] == [(root.id, "/plain"), (root.id, "/async")]
    assert Remote.seen[-2]["traceparent"].startswith(f"00-{root.trace}-{spans[1].id}")
    assert "traceparent" not in Remote.seen[-1]


def test_sqlalchemy(tracer: Tracer, url: str, tmp_path: Path) -> None:
    engine, nowhere = sa.create_engine("sqlite://"), sa.create_engine(f"sqlite:///{tmp_path}/no/such/file.db")
    undo = traced_sqlalchemy.trace(engine, tracer)
    traced_sqlalchemy.trace(nowhere, tracer)
    with tracer.span("root") as root, engine.connect() as link:
        link.execute(sa.text("SELECT :secret"), {"secret": "hunter2"})
        with pytest.raises(sa.exc.OperationalError):
            link.execute(sa.text("SELECT * FROM nobody"))
        with pytest.raises(sa.exc.OperationalError):
            nowhere.connect()
        assert tracer.current() is root
    undo()
    with engine.connect() as link:
        link.execute(sa.text("SELECT 2"))
    _, good, bad = stored(tracer, url)
    assert (good.name, good.parent, good.attributes["db.system.name"]) == ("SELECT", root.id, "sqlite")
    assert "hunter2" not in str(good)
    assert bad.error == "sqlalchemy.exc.OperationalError"


def test_redis(tracer: Tracer, url: str) -> None:
    async def main(place: str) -> None:
        client = later.Redis.from_url(place)
        await client.get("key")
        await client.aclose()

    with redis() as place:
        undo = traced_redis.trace(tracer)
        client = driver.Redis.from_url(place)
        with tracer.span("root"):
            client.set("key", "secret")
            asyncio.run(main(place))
        undo()
        client.get("key")
        client.close()
    root, *spans = stored(tracer, url)
    assert [(span.name, span.parent) for span in spans] == [("SET", root.id), ("GET", root.id)]
    assert "secret" not in str(spans)
