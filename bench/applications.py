"""One small application behind each of the measured middlewares: ``wsgi_NAME`` and ``asgi_NAME`` make it.

The WSGI application is a function, the ASGI application has one route of Starlette's, because prometheus-fastapi-instrumentator
asks that for its names. Every middleware has its default options, and OpenTelemetry its SDK's metrics, collected in memory.
The variable `STATSD` names where Nilometer sends.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from nilometer.testing.apps.paths import STATSD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BODY = b"hello\n"


def wsgi_bare() -> Callable[..., Iterable[bytes]]:
    """The application alone."""

    def hello(_: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(BODY)))])
        return [BODY]

    return hello


def wsgi_nilometer() -> Callable[..., Iterable[bytes]]:
    """Our middleware."""
    from nilometer.emit.requests.wsgi import RequestMetrics  # noqa: PLC0415 only where it is measured

    return RequestMetrics(wsgi_bare(), client=os.environ[STATSD], endpoint=lambda _: "hello")


def wsgi_opentelemetry() -> Callable[..., Iterable[bytes]]:
    """OpenTelemetry's middleware with the SDK's metrics."""
    from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware  # noqa: PLC0415 only where it is measured

    return OpenTelemetryMiddleware(wsgi_bare(), meter_provider=meters())


def asgi_bare() -> Callable[..., Any]:
    """The application alone."""
    from starlette.applications import Starlette  # noqa: PLC0415 only where it is measured
    from starlette.responses import PlainTextResponse  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    async def hello(_: object) -> PlainTextResponse:
        return PlainTextResponse(BODY)

    return Starlette(routes=[Route("/hello", hello)])


def asgi_nilometer() -> Callable[..., Any]:
    """Our middleware."""
    from nilometer.emit.requests.asgi import RequestMetrics  # noqa: PLC0415 only where it is measured

    return RequestMetrics(asgi_bare(), client=os.environ[STATSD])


def asgi_opentelemetry() -> Callable[..., Any]:
    """OpenTelemetry's middleware with the SDK's metrics."""
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware  # noqa: PLC0415 only where it is measured

    return OpenTelemetryMiddleware(asgi_bare(), meter_provider=meters())


def asgi_prometheus() -> Callable[..., Any]:
    """prometheus-fastapi-instrumentator's middleware."""
    from prometheus_fastapi_instrumentator.middleware import PrometheusInstrumentatorMiddleware  # noqa: PLC0415

    app = asgi_bare()
    app.add_middleware(PrometheusInstrumentatorMiddleware)  # type: ignore[attr-defined]  # it is Starlette
    return app


def meters() -> object:
    """Metrics of OpenTelemetry's SDK."""
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 only where it is measured
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader  # noqa: PLC0415

    return MeterProvider([InMemoryMetricReader()])


MAKERS: dict[str, dict[str, Callable[[], Callable[..., Any]]]] = {
    "wsgi": {"bare": wsgi_bare, "Nilometer": wsgi_nilometer, "OpenTelemetry": wsgi_opentelemetry},
    "asgi": {
        "bare": asgi_bare,
        "Nilometer": asgi_nilometer,
        "OpenTelemetry": asgi_opentelemetry,
        "prometheus-fastapi-instrumentator": asgi_prometheus,
    },
}
"""By interface and name."""


def __getattr__(name: str) -> Callable[..., Any]:
    """Make an application for a server, which names it ``applications:app_INTERFACE_NUMBER``."""
    _, _, wanted = name.rpartition("app_")
    interface, _, number = wanted.partition("_")
    if interface not in MAKERS or not number.isdigit():
        raise AttributeError(name)
    return list(MAKERS[interface].values())[int(number)]()
