"""The stand-in for osprofiler, from the application through a driver to what its command shows."""

from __future__ import annotations

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

import pytest
import requests as library
import sqlalchemy as sa
from oslo_config import cfg

from nilometer.testing.waiting import until
from osprofiler import initializer, notifier, opts, profiler, requests, sqlalchemy, web
from osprofiler.cmd import shell
from osprofiler.drivers import base
from osprofiler.drivers.urls import known_as
from osprofiler.exc import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EMPTY = "memory://nothing-was-traced"


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    send = library.adapters.HTTPAdapter.send
    yield
    library.adapters.HTTPAdapter.send = send  # type: ignore[method-assign]  # what `enable` has changed
    notifier.set(notifier._noop_notifier)
    notifier.clear_notifier_cache()
    profiler.clean()
    web._ENABLED, web._HMAC_KEYS = None, ()


@pytest.fixture
def url() -> str:
    """The store of one test: what leads there lives as long as the process."""
    return f"memory://stand-in-{uuid4().hex}"


@pytest.fixture
def driver(url: str) -> base.Driver:
    found = base.get_driver(url, project="nova", service="api", host="ctl")
    notifier.set(found.notify)
    return found


def traced(driver: base.Driver) -> str:
    """Trace two spans, the inner one with an error. Return the trace's id."""
    found = profiler.init("key")
    with profiler.Trace("wsgi", {"request": {"path": "/v2/servers", "method": "GET"}}):
        try:
            with profiler.Trace("db", {"db": {"statement": "SELECT 1"}}):
                raise LookupError("gone")  # noqa: EM101, TRY301 an application's
        except LookupError:
            pass
    profiler.clean()
    assert isinstance(driver, base.Store)
    assert driver.flush()
    return str(found.get_base_id())


def test_a_report_comes_back(driver: base.Driver) -> None:
    trace = traced(driver)
    found = driver.get_report(trace)
    (root,) = found["children"]
    assert (root["info"]["name"], root["info"]["project"], root["info"]["service"]) == ("wsgi", "nova", "api")
    assert root["children"][0]["info"]["exception"] == "builtins.LookupError"
    assert found["stats"].keys() == {"wsgi", "db"}
    assert driver.get_report(trace) == found
    assert driver.get_report("nobody")["children"] == []


def test_traces_are_listed_those_with_errors_apart(driver: base.Driver) -> None:
    trace = traced(driver)
    (found,) = driver.list_traces()
    assert found.keys() == {"base_id", "timestamp"}
    assert found["base_id"] == trace
    assert driver.list_error_traces() == [found]
    (named,) = driver.list_traces({"base_id", "name", "service"})
    assert named == {"base_id": trace, "name": "wsgi", "service": "api"}


def test_a_span_that_goes_on_is_sent_with_its_start(driver: base.Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osprofiler._delivery.PATIENCE", 0.05)
    found = profiler.init("key")
    profiler.start("long")
    until(lambda: driver.get_report(found.get_base_id())["children"], "its start is there")
    profiler.stop()
    until(lambda: "exception" in driver.get_report(found.get_base_id())["children"][0]["info"], "its stop is there")


def test_a_forked_child_delivers_what_is_its_own(tmp_path: Path, driver: base.Driver) -> None:
    traced(driver)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover  another process
        trace = traced(driver)
        os.write(write, json.dumps(driver.get_report(trace)["stats"]).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert set(json.loads(os.read(read, 10_000))) == {"wsgi", "db"}
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_json_harms_nobody(driver: base.Driver) -> None:
    found = profiler.init("key")
    profiler.start("x", {"bytes": b"\xff", "object": object(), "keys": {("a", 1): 2}, "deep": deep()})
    profiler.stop()
    assert isinstance(driver, base.Store)
    assert driver.flush()
    assert [child["info"]["name"] for child in driver.get_report(found.get_base_id())["children"]] == ["x"]


def deep() -> list[Any]:
    found: list[Any] = []
    for _ in range(200):
        found = [found]
    return found


@pytest.mark.parametrize(
    ("connection", "given", "url"),
    [
        ("redis://:pw@h:6379/1", {}, "redis://:pw@h:6379/1?layout=osprofiler"),
        ("mysql+pymysql://u:p@h/db", {}, "mysql://u:p@h/db?layout=osprofiler"),
        ("postgresql+psycopg2://u@h/db?timeout=1s", {}, "postgresql://u@h/db?timeout=1s&layout=osprofiler"),
        ("elasticsearch://h:9200?layout=spans", {}, "elasticsearch://h:9200?layout=spans"),
        ("MONGODB://h", {}, "mongodb://h?layout=osprofiler"),
        ("otlp://h:4318", {}, "otlp://h:4318"),
        ("messaging://", {"transport_url": "rabbit://u:p@h/"}, "messaging://?transport_url=rabbit%3A%2F%2Fu%3Ap%40h%2F"),
    ],
)
def test_connection_strings_are_urls(connection: str, given: dict[str, str], url: str) -> None:
    assert known_as(connection, given) == url


@pytest.mark.parametrize(
    ("connection", "told"),
    [
        ("jaeger://h", "Jaeger driver is no longer supported: Jaeger takes OTLP, so use otlp://"),
        ("loginsight://h", "Log Insight is not supported"),
        ("ceilometer", "Ceilometer keeps no traces"),
    ],
)
def test_drivers_that_are_gone_name_what_to_take(connection: str, told: str) -> None:
    with pytest.raises(CommandError, match=told):
        base.get_driver(connection)


def test_an_unknown_driver_is_refused_and_its_password_hidden(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ValueError, match=r"Driver not found for connection string: nobody://u:\*\*\*@h"):
        base.get_driver("nobody://u:secret@h")
    assert notifier.create("nobody://u:secret@h") is notifier._noop_notifier
    assert "no traces" in caplog.text
    assert not any("secret" in record.getMessage() for record in caplog.records)


def test_a_driver_of_ones_own_is_found_by_its_name() -> None:
    class Own(base.Driver):
        @classmethod
        def get_name(cls) -> str:
            return "own"

        def get_report(self, base_id: str) -> dict[str, Any]:
            when = "2026-01-02T03:04:05.00000"
            self._append_results("t", base_id, "x-start", "p", "s", "h", when + "0", {"info": {"host": "h"}})
            self._append_results("t", base_id, "x-stop", "p", "s", "h", when + "5", {"info": {"host": "h"}})
            return self._parse_results()

    found = base.get_driver("own://")
    assert isinstance(found, Own)
    assert found.get_report("b")["children"][0]["info"]["name"] == "x"
    with pytest.raises(NotImplementedError, match="own: list_traces is not supported"):
        found.list_traces()


def test_a_backend_that_cannot_be_read_says_so() -> None:
    with pytest.raises(NotImplementedError, match="null: get_report: this backend only takes traces"):
        base.get_driver("null://").get_report("x")


class Remote(BaseHTTPRequestHandler):
    seen: ClassVar[list[dict[str, str]]] = []

    def do_GET(self) -> None:
        self.seen.append(dict(self.headers))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_requests_carry_the_trace_on(driver: base.Driver) -> None:
    requests.enable()
    requests.enable()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Remote)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found = profiler.init("key")
    library.get(f"http://127.0.0.1:{server.server_port}/path?a=b", timeout=5)
    server.shutdown()
    server.server_close()
    with pytest.raises(library.ConnectionError):
        library.get(f"http://127.0.0.1:{server.server_port}/", timeout=5)
    assert found.get_id() == found.get_base_id()
    assert isinstance(driver, base.Store)
    assert driver.flush()
    first, second = driver.read(str(found.get_base_id()))
    assert {"X-Trace-Info", "X-Trace-HMAC"} <= Remote.seen[-1].keys()
    assert first.attributes["http.response.status_code"] == 204
    assert (first.name, first.attributes["url.path"], first.attributes["url.query"]) == ("http", "/path", "a=b")
    assert second.error == "requests.exceptions.ConnectionError"


def test_statements_are_traced_and_a_failed_connection_closes_no_other_span(driver: base.Driver, tmp_path: Path) -> None:
    engine = sa.create_engine("sqlite://")
    sqlalchemy.add_tracing(sa, engine, "db", hide_result=False)
    nowhere = sa.create_engine(f"sqlite:///{tmp_path}/no/such/file.db")
    sqlalchemy.add_tracing(sa, nowhere, "db")
    found = profiler.init("key")
    with profiler.Trace("around"):
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
            with pytest.raises(sa.exc.OperationalError):
                connection.execute(sa.text("SELECT * FROM nobody"))
        with pytest.raises(sa.exc.OperationalError):
            nowhere.connect()
        assert found.get_id() != found.get_base_id()
    assert isinstance(driver, base.Store)
    assert driver.flush()
    around, *statements = driver.read(str(found.get_base_id()))
    assert {span.parent for span in statements} == {around.id}
    assert [span.status for span in statements] == ["unset", "error"]
    assert statements[0].attributes["db.query.text"] == "SELECT 1"


def test_everything_is_set_up_from_a_services_configuration(url: str) -> None:
    conf = cfg.ConfigOpts()
    opts.set_defaults(conf, enabled=True, trace_sqlalchemy=True, hmac_keys="K1,K2", connection_string=url)
    opts.register(conf)
    conf([])
    assert opts.is_trace_enabled(conf)
    assert opts.is_db_trace_enabled(conf)
    initializer.init_from_conf(conf, {}, "nova", "api", "ctl")
    assert (web._ENABLED, web._HMAC_KEYS) == (True, ("K1", "K2"))
    opts.disable_web_trace(conf)
    assert web._ENABLED is False
    opts.enable_web_trace(conf)
    found = profiler.init("K1")
    with profiler.Trace("x"):
        pass
    until(lambda: base.get_driver(url).get_report(found.get_base_id())["children"], "it has arrived")
    assert {group for group, _ in opts.list_opts()} == {"profiler", "profiler_jaeger", "profiler_otlp"}


class TestCommand:
    """``osprofiler trace …``."""

    def run(self, *given: str) -> int | None:
        return shell.main(["trace", *given])

    def test_it_lists(self, driver: base.Driver, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        trace = traced(driver)
        assert self.run("list", "--connection-string", url) is None
        lines = capsys.readouterr().out.splitlines()
        assert lines[1].split() == ["|", "base_id", "|", "timestamp", "|"]
        assert trace in lines[3]
        assert self.run("list", "--connection-string", url, "--error-trace", "False") is None
        assert self.run("list", "--connection-string", url, "--error-trace", "True") is None

    def test_it_shows(self, driver: base.Driver, url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        trace = traced(driver)
        assert self.run("show", trace.upper(), "--connection-string", url, "--json") is None
        shown = capsys.readouterr().out
        assert json.loads(shown) == driver.get_report(trace)
        file = tmp_path / "trace.json"
        assert self.run("show", trace, "--connection-string", url, "--json", "--out", str(file)) is None
        assert self.run("show", str(file), "--json") is None
        assert json.loads(capsys.readouterr().out) == json.loads(shown)
        for form in ("--dot", "--html"):
            assert self.run("show", str(file), form) is None
            assert "wsgi" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            (("list",), "You must provide connection string via either --connection-string or via env"),
            (("show", "x"), "You must provide connection string via either --connection-string or via env"),
            (("show", "x", "--json", "--connection-string", EMPTY), "Trace with UUID x not found. Please check the HMAC key"),
            (("list", "--connection-string", "nobody://"), "Driver not found for connection string: nobody://"),
            (("list", "--connection-string", "jaeger://h"), "Jaeger driver is no longer supported"),
            (("list", "--connection-string", "null://"), "this backend only takes traces"),
        ],
    )
    def test_what_is_wrong_is_said(self, given: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.run(*given) == 1
        assert told in capsys.readouterr().out

    def test_a_format_must_be_chosen(self, driver: base.Driver, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        trace = traced(driver)
        assert self.run("show", trace, "--connection-string", url) == 1
        assert "You should choose one of the following output formats: json, html or dot." in capsys.readouterr().out

    def test_without_arguments_it_helps(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert shell.main([]) is None
        assert shell.main(["trace"]) is None
        assert "usage: osprofiler" in capsys.readouterr().out
