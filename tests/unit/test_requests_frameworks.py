"""What each framework, the real one, says an endpoint is called, and that its hook tells of the dispatch."""

from __future__ import annotations

import io
import subprocess
import sys
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any
from wsgiref.util import setup_testing_defaults

import falcon
import flask
import pytest

from nilometer.emit.requests.endpoints import tenant_parameter
from nilometer.emit.requests.frameworks import django as django_side
from nilometer.emit.requests.frameworks import falcon as falcon_side
from nilometer.emit.requests.frameworks import flask as flask_side
from nilometer.emit.requests.wsgi import RequestMetrics
from nilometer.testing.recorder import Recorder

PATHS = (("GET", "/items/7"), ("PUT", "/items/8"), ("GET", "/none"), ("GET", "/items/9/none"))


def told(app: Any, *requests: tuple[str, str]) -> tuple[list[str], bool]:  # noqa: ANN401 any framework's
    """Return endpoint and tenant of each request, and whether the dispatch was measured."""
    recorder = Recorder()
    metrics = RequestMetrics(
        app,
        client=recorder,
        host="",
        groups={"endpoint_tenant", "endpoint"},
        tenant=tenant_parameter("item"),
        measures="processing",
    )
    for method, path in requests or PATHS:
        environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path, "wsgi.input": io.BytesIO()}
        setup_testing_defaults(environ)
        result: Any = metrics(environ, lambda *_: lambda _: None)
        assert list(result) is not None
        result.close()
    assert metrics.reporter.losses() == {}
    names = [stat.removeprefix("mdb.req.timing.") for stat in recorder.stats() if stat.startswith("mdb.req.timing.")]
    longest = [name for name in names if "error" not in name and not any(other.startswith(f"{name}.") for other in names)]
    return longest, any(".dispatch_timing." in stat for stat in recorder.stats())


def flask_app(*, hook: bool) -> Any:  # noqa: ANN401 a framework's
    app = flask.Flask("shop")
    items = flask.Blueprint("items", "items")
    items.add_url_rule("/items/<int:item>", "read", str)
    items.add_url_rule("/items/<int:item>", "write", str, methods=["PUT"])
    app.register_blueprint(items)
    if hook:
        flask_side.watch(app)
    return app


@pytest.mark.parametrize("hook", [False, True])
def test_flask(hook: bool) -> None:  # noqa: FBT001 a parameter of a test
    assert told(flask_app(hook=hook)) == (["items_read.7", "items_write.8", "unmatched", "unmatched"], hook)


def test_flask_under_its_exceptions() -> None:
    app = flask_app(hook=True)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.add_url_rule("/broken", "broken", {}.popitem)
    with pytest.raises(KeyError):
        told(app, ("GET", "/broken"))


def django_app(*, hook: bool) -> Any:  # noqa: ANN401 a framework's
    """Return a Django application; one set of settings serves all of a process."""
    settings, urls_of, http = (import_module(f"django.{name}") for name in ("conf", "urls", "http"))

    def item(_: object, item: int) -> Any:  # noqa: ANN401 an HttpResponse
        return http.HttpResponse(str(item))

    path, settings = urls_of.path, settings.settings
    urls: Any = ModuleType("urls")
    urls.urlpatterns = [
        path("items/", urls_of.include(([path("<int:item>", item, name="item")], "shop"))),
        path("plain", item, {"item": 3}),
    ]
    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=urls, SECRET_KEY="-", USE_I18N=False)  # noqa: S106 it keeps no secret
        import_module("django").setup()
    settings.MIDDLEWARE = ["nilometer.emit.requests.frameworks.django.dispatch"] if hook else []
    settings.ROOT_URLCONF = urls
    return import_module("django.core.handlers.wsgi").WSGIHandler()


@pytest.mark.parametrize("hook", [False, True])
@pytest.mark.filterwarnings("ignore")
def test_django(hook: bool) -> None:  # noqa: FBT001 a parameter of a test
    names, dispatched = told(django_app(hook=hook), *PATHS, ("GET", "/plain"))
    assert (names[:-1], dispatched) == (["shop_item.7", "shop_item.8", "unmatched", "unmatched"], hook)
    assert names[-1] == f"{__name__}.item".replace(".", "_") + ".3"


def test_what_is_no_response_of_djangos_names_nothing() -> None:
    closers = [print, SimpleNamespace(__self__=SimpleNamespace(resolver_match=None))]
    assert django_side.of_response([b"list"]) is None
    assert django_side.of_response(SimpleNamespace(_resource_closers=closers)) is None


def test_falcon() -> None:
    class Item:
        def on_get(self, _: object, response: Any, item: str) -> None:  # noqa: ANN401 a falcon.Response
            response.text = item

        on_put = on_get

    def sink(req: object, resp: Any, **_: object) -> None:  # noqa: ANN401, ARG001 as falcon calls it
        resp.text = ""

    app = falcon.App(middleware=[falcon_side.Dispatch()])
    app.add_route("/items/{item}", Item())
    app.add_sink(sink, "/sink")
    names, dispatched = told(app, *PATHS, ("GET", "/sink"))
    assert names == ["get_items_item.7", "put_items_item.8", "unmatched", "unmatched", "unmatched"]
    assert dispatched


@pytest.mark.filterwarnings("ignore")
def test_pyramid() -> None:
    response = import_module("pyramid.response").Response

    class Root:
        def __getitem__(self, name: str) -> Root:
            if name != "tree":
                raise KeyError(name)
            return self

    with import_module("pyramid.config").Configurator(root_factory=lambda _: Root()) as config:
        config.include("nilometer.emit.requests.frameworks.pyramid")
        config.add_route("item", "/items/{item}")
        config.add_view(lambda request: response(request.matchdict["item"]), route_name="item")
        config.add_view(lambda _: response("tree"), context=Root)
        app = config.make_wsgi_app()
    names, dispatched = told(app, *PATHS, ("GET", "/tree"), ("GET", "/tree/no"))
    assert names == ["item.7", "item.8", "unmatched", "unmatched", "Root", "unmatched"]
    assert dispatched


@pytest.mark.filterwarnings("ignore")
def test_routes_with_webob() -> None:
    def serve(request: Any) -> str:  # noqa: ANN401 a webob.Request
        return str(request.environ["wsgiorg.routing_args"][1])

    mapper = import_module("routes").Mapper()
    mapper.connect("read_item", "/items/{item}", controller="items", action="read", conditions={"method": ["GET"]})
    mapper.connect(None, "/items/{item}", controller="items", action="write", conditions={"method": ["PUT"]})
    middleware = import_module("routes.middleware").RoutesMiddleware
    names, dispatched = told(middleware(import_module("webob.dec").wsgify(serve), mapper))
    assert (names, dispatched) == (["read_item.7", "put_items_item.8", "unmatched", "unmatched"], False)


def test_no_framework_is_imported() -> None:
    names = ("flask", "django", "falcon", "pyramid", "routes", "webob", "starlette", "fastapi", "werkzeug")
    program = (
        "import sys, nilometer.emit.requests.wsgi\n"
        "from nilometer.emit.requests.frameworks import falcon, pyramid, starlette\n"
        f"print([name for name in {names!r} if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"
