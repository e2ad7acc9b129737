"""What Starlette, FastAPI, Falcon and Django, the real ones, tell of their endpoints under ASGI; nothing of theirs changes."""

from __future__ import annotations

import asyncio
import contextlib
from copy import copy, deepcopy
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

import falcon.asgi
import fastapi
import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from nilometer.emit.requests import endpoints
from nilometer.emit.requests.asgi import RequestMetrics
from nilometer.emit.requests.asgi_scope import RoutedScope
from nilometer.emit.requests.endpoints import tenant_parameter
from nilometer.emit.requests.frameworks import falcon as falcon_side
from nilometer.emit.requests.measure import Exchange
from nilometer.testing.asgi_script import ScriptedServer, http_scope, part
from nilometer.testing.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.requests import Request

PATHS = (("GET", "/items/7"), ("PUT", "/items/8"), ("GET", "/none"), ("GET", "/items/9/none"), ("DELETE", "/items/10"))
NAMED = ["read_item", "write_item", "unmatched", "unmatched", "unmatched"]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def serve(app: Any, *requests: tuple[str, str]) -> list[ScriptedServer]:  # noqa: ANN401 any framework's
    """Have an application answer requests one by one."""
    servers = []
    for method, path in requests or PATHS:
        server = ScriptedServer([part(b"")])
        with contextlib.suppress(ValueError):
            server.run(app, http_scope(method, path))
        servers.append(server)
    return servers


def names(recorder: Recorder, metric: str = "timing") -> list[str]:
    """Return the endpoints, in the order of requests."""
    head = f"mdb.req.{metric}."
    return [stat.removeprefix(head) for stat in recorder.stats() if stat.startswith(head) and ".error." not in stat]


def measured(app: Any, recorder: Recorder, **options: Any) -> RequestMetrics:  # noqa: ANN401 as Options takes them
    return RequestMetrics(app, **{"client": recorder, "host": "", "groups": {"endpoint"}, **options})


def read_item(_: object) -> PlainTextResponse:
    return PlainTextResponse("item")


async def write_item(_: object) -> PlainTextResponse:
    return PlainTextResponse("written")


def starlette_routes() -> list[Any]:
    return [Route("/items/{item}", read_item), Route("/items/{item}", write_item, methods=["PUT"])]


@pytest.mark.parametrize("inside", [False, True], ids=["around", "added"])
def test_starlette(inside: bool, recorder: Recorder) -> None:  # noqa: FBT001 a parameter of a test
    app = Starlette(routes=starlette_routes())
    if inside:
        app.add_middleware(RequestMetrics, client=recorder, host="", groups={"endpoint"})
    servers = serve(app if inside else measured(app, recorder))
    assert names(recorder) == NAMED
    assert names(recorder, "dispatch_timing")[:2] == NAMED[:2]
    assert [server.sent[0]["status"] for server in servers] == [200, 200, 404, 404, 405]


def test_a_hook_in_the_endpoint_tells_more_exactly_than_the_router(recorder: Recorder) -> None:
    async def pause(_: object) -> PlainTextResponse:
        await asyncio.sleep(0.02)
        endpoints.entered("named")
        return PlainTextResponse("x")

    serve(measured(Starlette(routes=[Route("/", pause)]), recorder), ("GET", "/"))
    assert recorder.values("mdb.req.dispatch_timing.named")[0] >= 19


def test_an_application_may_ask_whether_the_client_has_left(recorder: Recorder) -> None:
    """Starlette asks in a scope that is cancelled already: what has not come by then has not come."""
    asked = []

    def stream(request: Request) -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            for _ in range(100):
                yield bytes(1 << 18)
                asked.append(await request.is_disconnected())
                if asked[-1]:
                    return

        response = StreamingResponse(parts())
        response.listen_for_disconnect = lambda _: asyncio.sleep(3600)  # type: ignore[method-assign,assignment]
        return response

    ScriptedServer(leaves_after=4).run(measured(Starlette(routes=[Route("/", stream)]), recorder))
    assert not asked[0]
    assert asked[-1]
    assert len(asked) < 10
    assert recorder.values("mdb.req.send_errors.stream") == [1]


def test_mounts_stand_before_the_name_of_a_route(tmp_path: Path, recorder: Recorder) -> None:
    (tmp_path / "file").write_bytes(b"x")
    app = Starlette(
        routes=[
            Mount("/shop", Starlette(routes=starlette_routes()), name="shop"),
            Mount("/t/{tenant}", routes=[Mount("/deep", routes=starlette_routes(), name="deep")]),
            Mount("/static", StaticFiles(directory=tmp_path), name="files"),
        ]
    )
    paths = ["/shop/items/1", "/shop/none", "/t/acme/deep/items/2", "/static/file", "/static/none", "/t/acme/none"]
    serve(measured(app, recorder), *(("GET", path) for path in paths))
    assert names(recorder) == ["shop_read_item", "unmatched", "deep_read_item", "files", "files", "unmatched"]


def test_starlettes_parameters_name_the_tenant(recorder: Recorder) -> None:
    app = Starlette(routes=[Mount("/v1/{project}", routes=starlette_routes())])
    serve(measured(app, recorder, groups={"tenant"}, tenant=tenant_parameter("project")), ("GET", "/v1/acme/items/1"))
    assert names(recorder) == ["acme"]


def fastapi_app() -> fastapi.FastAPI:
    app = fastapi.FastAPI()
    router = fastapi.APIRouter()

    @router.get("/{item}")
    def read_item(item: int) -> int:
        return item

    @app.put("/items/{item}")
    async def write_item(item: int) -> int:
        return item

    @app.get("/broken")
    def broken() -> None:
        raise ValueError

    app.include_router(router, prefix="/items")
    return app


@pytest.mark.parametrize("inside", [False, True], ids=["around", "added"])
def test_fastapi(inside: bool, recorder: Recorder) -> None:  # noqa: FBT001 a parameter of a test
    app = fastapi_app()
    outer = fastapi.FastAPI()
    outer.mount("/api", fastapi_app(), name="api")
    outer.mount("/static", StaticFiles(directory="."), name="files")
    if inside:
        for each in (app, outer):
            each.add_middleware(RequestMetrics, client=recorder, host="", groups={"endpoint"})
    serve(app if inside else measured(app, recorder), *PATHS, ("GET", "/items/no-number"), ("GET", "/broken"))
    serve(
        outer if inside else measured(outer, recorder),
        ("GET", "/api/items/7"),
        ("PUT", "/api/items/7"),
        ("GET", "/api/none"),
        ("GET", "/static/none"),
    )
    assert names(recorder) == [*NAMED, "read_item", "broken", "api_read_item", "api_write_item", "unmatched", "files"]
    assert "read_item" in names(recorder, "dispatch_timing")
    assert recorder.values("mdb.req.timing.error.422.read_item")
    assert recorder.values("mdb.req.exceptions.broken") == [1]


def test_middleware_of_starlettes_around_and_within(recorder: Recorder) -> None:
    """Both wrap `receive` and `send` and start tasks of their own."""

    async def through(request: Any, call_next: Any) -> Any:  # noqa: ANN401 as Starlette calls it
        return await call_next(request)

    done: list[int] = []

    def stream(_: object) -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            for _ in range(3):
                yield b"x" * 100

        return StreamingResponse(parts(), background=BackgroundTask(done.append, 1))

    app = Starlette(routes=[Route("/stream", stream), *starlette_routes()])
    app.add_middleware(BaseHTTPMiddleware, dispatch=through)
    app.add_middleware(RequestMetrics, client=recorder, host="", groups={"endpoint"})
    app.add_middleware(BaseHTTPMiddleware, dispatch=through)
    servers = serve(app, ("GET", "/stream"), ("GET", "/items/1"), ("GET", "/none"))
    assert names(recorder) == ["stream", "read_item", "unmatched"]
    assert recorder.values("mdb.req.resp_size_bytes.stream") == [300]
    assert b"".join(message.get("body", b"") for message in servers[0].sent) == b"x" * 300
    assert done == [1]
    assert not names(recorder, "send_errors")


def test_a_file_and_a_compressed_answer(tmp_path: Path, recorder: Recorder) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 200_000)
    app = Starlette(routes=[Route("/file", lambda _: FileResponse(path), name="file")])
    serve(measured(app, recorder), ("GET", "/file"), ("HEAD", "/file"))
    assert recorder.values("mdb.req.resp_size_bytes.file") == [200_000]
    recorder.clear()
    server = ScriptedServer()
    server.run(measured(GZipMiddleware(app), recorder), http_scope("GET", "/file", [(b"accept-encoding", b"gzip")]))
    assert recorder.values("mdb.req.resp_size_bytes.file") == [sum(len(m.get("body", b"")) for m in server.sent)]


def test_starlettes_stream_is_given_up_when_the_client_leaves(recorder: Recorder) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x"
            await asyncio.sleep(0)

    app = Starlette(routes=[Route("/", lambda _: StreamingResponse(endless()), name="endless")])
    ScriptedServer(leaves_after=9).run(measured(app, recorder))
    assert recorder.values("mdb.req.send_errors.endless") == [1]
    assert not names(recorder, "failures")


def test_falcon(recorder: Recorder) -> None:
    class Item:
        async def on_get(self, _: object, response: Any, item: str) -> None:  # noqa: ANN401 a falcon.asgi.Response
            response.text = item

        on_put = on_get

    app = falcon.asgi.App(middleware=[falcon_side.Dispatch()])
    app.add_route("/items/{item}", Item())
    serve(measured(app, recorder))
    assert names(recorder)[:4] == ["get_items_item", "put_items_item", "unmatched", "unmatched"]
    assert names(recorder, "dispatch_timing")[:2] == ["get_items_item", "put_items_item"]


@pytest.mark.filterwarnings("ignore")
def test_django(recorder: Recorder) -> None:
    settings, urls_of, http = (import_module(f"django.{name}") for name in ("conf", "urls", "http"))

    async def read_item(_: object, item: int) -> Any:  # noqa: ANN401 an HttpResponse
        return http.HttpResponse(str(item))

    def stream(_: object) -> Any:  # noqa: ANN401 an HttpResponse
        return http.StreamingHttpResponse([b"a", b"b"])

    urls: Any = ModuleType("urls")
    urls.urlpatterns = [urls_of.path("items/<int:item>", read_item, name="read_item"), urls_of.path("stream", stream, name="s")]
    settings = settings.settings
    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=urls, SECRET_KEY="-", USE_I18N=False)  # noqa: S106 it keeps no secret
        import_module("django").setup()
    settings.MIDDLEWARE = ["nilometer.emit.requests.frameworks.django.dispatch"]
    settings.ROOT_URLCONF = urls
    import_module("django.urls").clear_url_caches()
    app = import_module("django.core.handlers.asgi").ASGIHandler()
    serve(measured(app, recorder), ("GET", "/items/7"), ("GET", "/stream"), ("GET", "/none"))
    assert names(recorder) == ["read_item", "s", "unmatched"]
    assert names(recorder, "dispatch_timing") == ["read_item", "s"]
    assert recorder.values("mdb.req.resp_size_bytes.s") == [2]
    assert not names(recorder, "send_errors")


def test_what_is_written_into_the_scope_is_in_the_servers() -> None:
    outer: dict[str, Any] = {"type": "http", "path": "/a", "state": {}, "b": 1, "c": 2}
    exchange = Exchange(0.0)
    scope = RoutedScope(outer, exchange)
    scope["path"] = "/b"
    scope.update({"route": None}, app=1)
    scope |= {"root_path": "/x"}
    scope.update([("d", 4)])
    assert (scope.setdefault("app", 2), scope.setdefault("e", 5)) == (1, 5)
    assert (scope.pop("b"), scope.pop("b", None)) == (1, None)
    del scope["c"]
    assert scope.popitem() == ("e", 5)
    expected: dict[str, Any] = {"type": "http", "path": "/b", "state": {}, "route": None, "app": 1, "root_path": "/x", "d": 4}
    assert scope == outer == expected
    assert scope["state"] is outer["state"]
    for copied in (copy(scope), deepcopy(scope), scope.copy(), scope | {}):
        assert type(copied) is dict
        assert copied == expected
    assert scope.reached is not None
    scope.clear()
    assert scope == outer == {}
    with pytest.raises(KeyError):
        scope.pop("b")


def test_old_starlette_tells_the_endpoint_only(recorder: Recorder) -> None:
    async def app(scope: Any, _: object, send: Any) -> None:  # noqa: ANN401
        scope.update({"endpoint": app, "path_params": {}})
        scope.update({"endpoint": read_item, "path_params": {}})
        await PlainTextResponse("x")(scope, _, send)  # type: ignore[arg-type]  # it does not receive

    serve(measured(app, recorder), ("GET", "/items/1"))
    assert names(recorder) == ["read_item"]
    assert names(recorder, "dispatch_timing") == ["read_item"]
