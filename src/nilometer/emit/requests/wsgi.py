"""Request metrics for WSGI: a middleware that measures every request to an application, to its real end.

    application = RequestMetrics(application, client="statsd://127.0.0.1:8125")

Rules:

* The application gets the server's environ, the server gets what the application answered: arguments, order, exceptions, length
  of the body, files for ``sendfile``. Nothing is read, written or closed that would not be without it.
* A request is over when the server closes the body; when it cannot tell, when the application returned. It is told of once.
* A server that kills its worker raises SystemExit within the application: the request is told of before it goes on.
* A WebSocket passes through with the server's own input, and is not told of; a refused one is a request as any other.

Protocol: PEP 3333.
"""

from __future__ import annotations

from time import perf_counter, time
from typing import TYPE_CHECKING, Any

from nilometer.emit.requests import spans, waits
from nilometer.emit.requests.endpoints import Found, current
from nilometer.emit.requests.frameworks import django, flask, routes
from nilometer.emit.requests.measure import Exchange, announced
from nilometer.emit.requests.options import Options
from nilometer.emit.requests.report import Reporter
from nilometer.emit.requests.wsgi_input import Input
from nilometer.emit.requests.wsgi_output import Body, File, SizedBody, Written, keep_files, watch_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from nilometer.emit.requests.options import Subject

WAITS = tuple(f"HTTP_{name.upper().replace('-', '_')}" for name in waits.HEADERS)
SWITCHED = frozenset({0, 101})
"""What an answer to an upgrade has as its status when it is none of HTTP's any more."""
TEXT = (bytes, str, type(None))


class RequestMetrics:
    """A WSGI application that measures another. `options`, or its fields by name, say what and how.

    Raise `ValueError` for a wrong option, `UrlError` for a wrong URL of the client.
    """

    def __init__(self, application: WSGIApplication, options: Options | None = None, **fields: Any) -> None:  # noqa: ANN401 as Options has them
        self.application = application
        self.reporter = Reporter(options or Options(**fields), find)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request as the application does."""
        try:
            measured = self.reporter.wanted(environ.get("PATH_INFO", ""))
            request = Request(self.reporter, environ) if measured else None
        except Exception as error:  # noqa: BLE001 the request goes on without us
            self.reporter.fault("begin", error)
            request = None
        if request is None:
            return self.application(environ, start_response)
        return request.answered(self.application, start_response)


class Request:
    """A request that is being measured: what the middleware, the input and the body share."""

    __slots__ = ("_environ", "_input", "_over", "_reporter", "_upgrades", "exchange", "headers")

    def __init__(self, reporter: Reporter, environ: WSGIEnvironment) -> None:
        self._reporter, self._environ = reporter, environ
        self._over = False
        expected = announced(environ.get("CONTENT_LENGTH"))
        self._upgrades = _upgrades(environ)
        with_body = (bool(expected) or "HTTP_TRANSFER_ENCODING" in environ) and not self._upgrades
        queued = _queued(environ, reporter.options.longest_wait) if reporter.waits else None
        self.exchange = Exchange(perf_counter(), environ.get("REQUEST_METHOD", ""), expected, queued)
        if reporter.options.tracer is not None:
            self.exchange.span = spans.of_wsgi(reporter.options.tracer, environ)
        self.headers: Iterable[tuple[str, str]] = ()
        self._input = Input(environ["wsgi.input"], self.exchange) if with_body else None
        if self._input is not None:
            environ["wsgi.input"] = self._input
        keep_files(environ)

    def answered(self, application: WSGIApplication, start_response: StartResponse) -> Iterable[bytes]:
        """Return what the application answers, so that its end is seen."""
        token = current.set(self.exchange)
        try:
            result = application(self._environ, self._starting(start_response))
        except BaseException as error:
            self.raised(error)
            raise
        finally:
            current.reset(token)
        try:
            watched: Iterable[bytes] = self._watched(result)
        except Exception as error:  # noqa: BLE001 the server gets what the application gave
            self._reporter.fault("watch", error)
            self.end()
            return result
        return watched

    def raised(self, error: BaseException) -> None:
        """Note that the application raised, and tell of the request now: nobody may come back to it."""
        self.exchange.failed()
        self.end()
        if not isinstance(error, Exception):
            self._reporter.flush()

    def end(self) -> None:
        """Tell of the request, once."""
        if not self._over:
            self._over = True
            self.exchange.closed(perf_counter())
            if self._input is not None and self._input.short:
                self.exchange.receive_ended()
            if self._upgrades and self.exchange.status in SWITCHED:
                return
            self._reporter.report(self.exchange, self._environ)

    def _starting(self, start_response: StartResponse) -> StartResponse:
        exchange = self.exchange

        def starting(*args: Any, **named: Any) -> Callable[[bytes], object]:  # noqa: ANN401 whatever the server takes
            write = start_response(*args, **named)
            exchange.started(perf_counter(), _status(args or (named.get("status"),)))
            self.headers = args[1] if len(args) > 1 else ()
            self._locate()
            return Written(write, exchange)

        return starting

    def _locate(self) -> None:
        """Ask the framework for the endpoint now: some take it out of the environ before they return."""
        try:
            self._reporter.locate(self.exchange, self._environ)
        except Exception as error:  # noqa: BLE001 nothing of ours reaches the application
            self._reporter.fault("locate", error)

    def _watched(self, result: Any) -> Any:  # noqa: ANN401 what applications return
        """Return the body as the server takes it, watched where it can be."""
        if self.exchange.endpoint is None:
            found = django.of_response(result)
            if found is not None:
                self.exchange.endpoint, self.exchange.parameters = found
        if isinstance(result, TEXT) or _is_joined(self._environ, result):
            self.exchange.send_bytes = sum(len(part) for part in _parts(result) if isinstance(part, bytes))
            self.end()
            return result
        wrapper = self._environ.get("wsgi.file_wrapper")
        if isinstance(result, File) or (isinstance(wrapper, type) and isinstance(result, wrapper)):
            return watch_file(result, self)
        return SizedBody(result, self) if hasattr(result, "__len__") else Body(result, self)


def find(environ: Subject) -> Found | None:
    """Return the endpoint that a framework has left in the environ."""
    if "werkzeug.request" in environ:
        return flask.find(environ)
    return routes.find(environ) if "routes.route" in environ else None


def _is_joined(environ: WSGIEnvironment, result: object) -> bool:
    """Tell whether the server joins a list instead of going through it: nothing of the sending is seen then."""
    return isinstance(result, list) and environ.get("SERVER_SOFTWARE") == "Granian"


def _parts(result: object) -> list[object]:
    return result if isinstance(result, list) else [result]


def _upgrades(environ: WSGIEnvironment) -> bool:
    return "HTTP_UPGRADE" in environ and environ["HTTP_UPGRADE"].lower() == "websocket"


def _status(args: tuple[Any, ...]) -> int:
    try:
        return int(args[0][:3])
    except (TypeError, ValueError, IndexError):
        return 0


def _queued(environ: WSGIEnvironment, longest: float) -> float | None:
    """Return the seconds that a request waited, from a proxy's header, or from the connection where gunicorn shows it."""
    values = [environ[name] for name in WAITS if name in environ]
    if values:
        return waits.told(values, time(), longest)
    connection = environ.get("gunicorn.socket")
    return None if connection is None else waits.on_connection(connection)
