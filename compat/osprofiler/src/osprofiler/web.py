"""Traces over HTTP: the headers that carry a trace to the next service, and the middleware that takes it up.

Only who holds one of the keys can have a request traced: the headers are signed (`nilometer.core.wire.trace_info`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nilometer.core.wire import trace_info
from osprofiler import profiler
from osprofiler._body import Body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

X_TRACE_INFO = "X-Trace-Info"
"""The header of the ids."""
X_TRACE_HMAC = "X-Trace-HMAC"
"""The header of its signature."""
NO = {"", "0", "no", "false", "off", "n", "f", "none"}
"""What an option may say for false; paste hands over texts."""

_ENABLED: bool | None = None
_HMAC_KEYS: tuple[str, ...] = ()


def get_trace_id_headers() -> dict[str, str]:
    """Return the headers for a request of the current span; none without a profiler or a key."""
    found = profiler.get()
    if not found or not found.hmac_key:
        return {}
    info, signature = trace_info.signed(found.hmac_key, found.get_base_id(), found.get_id())
    return {X_TRACE_INFO: info, X_TRACE_HMAC: signature}


def disable() -> None:
    """Let every middleware of this process pass requests on untraced."""
    global _ENABLED
    _ENABLED = False


def enable(hmac_keys: str | None = None) -> None:
    """Let every middleware of this process trace requests, with these keys, separated by commas, in place of its own."""
    global _ENABLED, _HMAC_KEYS
    _ENABLED, _HMAC_KEYS = True, _keys(hmac_keys)


def _keys(text: str | Iterable[str] | None) -> tuple[str, ...]:
    parts = text.split(",") if isinstance(text, str) else text or ()
    return tuple(key for key in (part.strip() for part in parts) if key)


class WsgiMiddleware:
    """Makes a span ``wsgi`` of each request that carries signed headers, from its beginning to the end of its body.

    `hmac_keys` are separated by commas, `enabled` is a truth value or its text. `enable` and `disable` override both.
    """

    def __init__(
        self,
        application: WSGIApplication,
        hmac_keys: str | None = None,
        enabled: bool | str = False,
        **_: Any,
    ) -> None:
        self.application = application
        self.name = "wsgi"
        self.enabled = enabled.strip().lower() not in NO if isinstance(enabled, str) else bool(enabled)
        self.hmac_keys = _keys(hmac_keys)

    @classmethod
    def factory(
        cls,
        global_conf: Mapping[str, Any] | None,
        **local_conf: Any,
    ) -> Callable[[WSGIApplication], WsgiMiddleware]:
        """Return a filter for paste.deploy."""
        del global_conf

        def filter_(application: WSGIApplication) -> WsgiMiddleware:
            return cls(application, **local_conf)

        return filter_

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, in a span where its headers ask for one."""
        enabled = self.enabled if _ENABLED is None else _ENABLED
        given = trace_info.verified(
            environ.get("HTTP_X_TRACE_INFO"), environ.get("HTTP_X_TRACE_HMAC"), _HMAC_KEYS or self.hmac_keys
        ) if enabled else None  # fmt: skip
        if given is None:
            return self.application(environ, start_response)
        profiler.clean()
        profiler.init(given.key, given.base_id, given.parent_id)
        profiler.start(self.name, {"request": _request(environ)})
        try:
            body = self.application(environ, start_response)
        except BaseException as error:
            _stop(error)
            raise
        return Body(body, _stop)


def _stop(error: BaseException | None) -> None:
    if error is None:
        profiler.stop()
    else:
        profiler.stop({"etype": f"{type(error).__module__}.{type(error).__qualname__}", "message": str(error)})


def _request(environ: WSGIEnvironment) -> dict[str, str]:
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return {
        "path": path.encode("latin-1", "replace").decode("utf-8", "replace"),
        "query": environ.get("QUERY_STRING", ""),
        "method": environ.get("REQUEST_METHOD", ""),
        "scheme": environ.get("wsgi.url_scheme", ""),
    }
