"""Traces what the library requests asks: a span for each request, and the headers that carry the trace on."""

from __future__ import annotations

import functools
import logging
from typing import Any
from urllib.parse import urlsplit

from osprofiler import profiler, web

LOG = logging.getLogger(__name__)


def enable() -> None:
    """Trace requests from now on; once is enough. Without the library this says so in the log."""
    try:
        from requests.adapters import HTTPAdapter  # noqa: PLC0415 only where it is wanted
    except ImportError:
        LOG.warning("requests are not traced: the library requests is not installed")
        return
    if not getattr(HTTPAdapter.send, "__osprofiler__", False):
        HTTPAdapter.send = _traced(HTTPAdapter.send)  # type: ignore[method-assign]  # this is what is asked for


def _traced(send: Any) -> Any:
    @functools.wraps(send)
    def traced(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        if profiler.get() is None:
            return send(self, request, *args, **kwargs)
        url = urlsplit(request.url)
        asked = {
            "method": request.method,
            "query": url.query,
            "path": url.path,
            "hostname": url.hostname,
            "port": _port(url),
            "scheme": url.scheme,
        }
        profiler.start(url.scheme, {"requests": asked})
        try:
            request.headers.update(web.get_trace_id_headers())
            answer = send(self, request, *args, **kwargs)
        except BaseException as error:
            profiler.stop({"etype": f"{type(error).__module__}.{type(error).__qualname__}", "message": str(error)})
            raise
        profiler.stop({"requests": {"status_code": answer.status_code}})
        return answer

    traced.__osprofiler__ = True  # type: ignore[attr-defined]  # so that it is done once
    return traced


def _port(url: Any) -> int | None:
    try:
        return int(url.port) if url.port is not None else None
    except ValueError:
        return None
