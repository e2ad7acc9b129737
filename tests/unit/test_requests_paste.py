"""Request metrics in a pipeline of paste.deploy, by the real one."""

from __future__ import annotations

import io
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast
from wsgiref.util import setup_testing_defaults

import pytest

from nilometer.emit.requests import paste
from nilometer.emit.requests.options import Options

if TYPE_CHECKING:
    from pathlib import Path

    from nilometer.emit.requests.wsgi import RequestMetrics

PIPELINE = """
[pipeline:main]
pipeline = metrics app

[filter:metrics]
use = egg:nilometer#request_metrics
client = "statsd://127.0.0.1:1"
style = 'tagged'
prefix = "api"
groups = node, endpoint tenant
measures = "bytes"
exempt = failures
rate = 0.5
rates = query=0.1 v1:scan=1
method = yes
max_tenants = 7
send_timeout = 2.5
tenant = header:X-Org
endpoint = os.path:basename

[app:main_app]
paste.app_factory = {module}:app_factory

[app:app]
use = main_app
"""


def app_factory(_defaults: object, **_: str) -> Any:  # noqa: ANN401 a WSGI application
    def app(_: object, start_response: Any) -> list[bytes]:  # noqa: ANN401
        start_response("200 OK", [])
        return [b"it"]

    return app


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RequestMetrics:
    class Client:
        def __init__(self, url: str) -> None:
            self.url = url

        def emit(self, *_: object) -> None:
            raise AssertionError

    monkeypatch.setattr("nilometer.emit.requests.report._open", Client)
    (tmp_path / "api.ini").write_text(PIPELINE.format(module=__name__))
    return cast("RequestMetrics", import_module("paste.deploy").loadapp(f"config:{tmp_path / 'api.ini'}"))


@pytest.mark.filterwarnings("ignore")
def test_a_pipeline_with_the_filter(pipeline: RequestMetrics) -> None:
    options = pipeline.reporter.options
    assert (options.client, options.style, options.prefix) == ("statsd://127.0.0.1:1", "tagged", "api")
    assert options.groups == {"node", "endpoint", "tenant"}
    assert (options.measures, options.exempt) == ({"bytes"}, {"failures"})
    assert (options.rate, dict(options.rates)) == (0.5, {"query": 0.1, "v1:scan": 1.0})
    assert (options.method, options.max_tenants, options.send_timeout) == (True, 7, 2.5)
    assert options.tenant is not None
    assert options.tenant({"HTTP_X_ORG": "o"}) == "o"
    environ: dict[str, Any] = {"wsgi.input": io.BytesIO()}
    setup_testing_defaults(environ)
    assert list(pipeline(environ, lambda *_: print)) == [b"it"]


@pytest.mark.parametrize("text", ["keystone", "parameter:project", "nilometer.emit.requests.endpoints:clean"])
def test_a_tenant_is_found_by_what_a_text_names(text: str) -> None:
    assert callable(paste.read("tenant", text))
    assert paste.read("tenant", "") is None


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("rates", "query=fast", "rates: 'query=fast' is not understood"),
        ("rate", "half", "rate: 'half' is not understood"),
        ("method", "perhaps", "method: 'perhaps' is not understood: expected true or false"),
        ("tenant", "header", "tenant: 'header' is not understood: expected keystone, header:NAME"),
        ("endpoint", "no_such_module:f", "endpoint: 'no_such_module:f' is not understood: No module"),
        ("endpoint", "os:no_such", "endpoint: 'os:no_such' is not understood: module 'os' has no"),
        ("tracer", "graphite://h", "tracer: 'graphite://h' is not understood: graphite://h: graphite:// has no spans"),
        ("group", "node", "group: no such option; did you mean groups"),
        ("zzz", "", "zzz: no such option$"),
    ],
)
def test_what_cannot_be_read_is_named(name: str, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        paste.filter_factory({}, **{name: text})


def test_every_option_can_be_given() -> None:
    assert set(paste.KINDS.values()) <= {
        "Emitter | str",
        "str",
        "str | None",
        "AbstractSet[str]",
        "bool",
        "float",
        "Mapping[str, float]",
        "int",
        "Naming | None",
        "Tracer | None",
    }
    assert Options(
        **{name: paste.read(name, "1") for name, kind in paste.KINDS.items() if kind in ("bool", "float", "int")}
    ).method
