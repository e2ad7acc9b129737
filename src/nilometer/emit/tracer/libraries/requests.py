"""Spans of what the library requests asks, and the trace's headers on their way."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from nilometer.emit import tracer as tracers
from nilometer.emit.tracer.libraries import _http
from nilometer.emit.tracer.libraries._patch import patched

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.emit.tracer import Tracer


def trace(tracer: Tracer | None = None) -> Callable[[], None]:
    """Trace every request of this process from now on. Return what ends it. Raise ImportError without the library."""
    from requests.adapters import HTTPAdapter  # noqa: PLC0415 only an application that has it calls this

    def make(send: Any) -> Any:  # noqa: ANN401 the library's own method
        @functools.wraps(send)
        def traced(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 see above
            used = tracer or tracers.default()
            with _http.begun(used, str(request.method), str(request.url)) as span:
                _http.carry(used, request.headers)
                answer = send(self, request, *args, **kwargs)
                _http.answered(span, answer.status_code)
            return answer

        return traced

    return patched(HTTPAdapter, "send", make)
