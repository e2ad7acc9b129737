"""Spans to whatever takes OTLP over HTTP: an OpenTelemetry Collector, Jaeger, Tempo, another Nilometer.

Rules:

* Requests are protocol buffers, gzipped unless told otherwise, bounded in bytes: what is larger goes in halves.
* `_parts/http_status.py` says what an answer means. Spans of which an answer says that they were refused are counted.
* Whole spans only: OTLP has no half ones.

Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from nilometer.backends._parts.http import Http, Peer, shown
from nilometer.backends._parts.http_login import login
from nilometer.backends._parts.http_status import BROKEN, Judge
from nilometer.backends._parts.tls import CA, CERT, KEY, VERIFY, tls_context
from nilometer.core.errors import InputError, Rejected, Unavailable
from nilometer.core.options import at_least, option, refuse
from nilometer.core.quantity import Duration, Size
from nilometer.core.wire import otlp
from nilometer.core.wire.otlp_messages import RESPONSE
from nilometer.core.wire.protobuf import decode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nilometer.core.traces.span import Span
    from nilometer.core.url import Url

LOG = logging.getLogger(__name__)
SCHEMES = ("otlp", "otlp+https")
URL_EXAMPLES = (
    "otlp://localhost:4318",
    "otlp+https://otlp.example/v1/traces?token=abc",
    "otlp://collector.example:4318/?gzip=false&timeout=5s",
)
EXTRA = "otlp"
PORTS = {"otlp": 4318, "otlp+https": 443}
PATH = "/v1/traces"
TOO_LARGE = 413


@dataclass(frozen=True, slots=True)
class Options:
    """How to reach the receiver."""

    timeout: Duration = option(Duration(10), "longest time to connect, to send a request, and for its answer")  # noqa: RUF009 declares a field
    gzip: bool = option(default=True, text="squeeze what is sent")
    size: Size = option(Size(4 << 20), "most bytes of a request before it is squeezed; one larger span goes alone")  # noqa: RUF009 declares a field
    token: str = option("", "token to log in with, as a bearer's, instead of user and password")
    ca: str = option("", CA)
    cert: str = option("", CERT)
    key: str = option("", KEY)
    verify: bool = option(default=True, text=VERIFY)


class Otlp:
    """Posts spans to one address."""

    whole_spans = True

    def __init__(self, http: Http, url: Url, options: Options) -> None:
        self._http, self._url, self._options = http, url, options
        self._path = quote(PATH if url.path in ("", "/") else url.path, safe="/-._~!$&'()*+,;=:@")
        self._judge = Judge(url)
        self._rejected = 0

    def write_spans(self, spans: Sequence[Span]) -> None:
        """Post the spans. Raise `Unavailable`, or `Rejected` when they are refused for good."""
        self._judge.ready()
        if spans:
            self._post(spans)

    def _post(self, spans: Sequence[Span]) -> None:
        body = otlp.encode(spans)
        if len(body) > self._options.size and len(spans) > 1:
            self._halves(spans)
            return
        answer = self._http.send("POST", self._path, body, kind=otlp.PROTOBUF, gzip=self._options.gzip)
        if answer.status == TOO_LARGE and len(spans) > 1:
            self._halves(spans)
            return
        reason = self._judge.refused(answer)
        if reason:
            message = f"{self._url}: {reason}"
            raise Rejected(message)
        self._note(answer.body, answer.headers.get("content-type", ""))

    def _halves(self, spans: Sequence[Span]) -> None:
        half = len(spans) // 2
        self._post(spans[:half])
        self._post(spans[half:])

    def _note(self, body: bytes, content: str) -> None:
        """Count the spans of which an answer says that they were refused, and tell why."""
        try:
            told: Any = decode(body, RESPONSE) if content.startswith(otlp.PROTOBUF) else {}
        except InputError:
            return  # the request was taken all the same
        partial = told.get("partialSuccess", {})
        number = int(partial.get("rejectedSpans", 0))
        if number > 0:
            LOG.warning("%s: refused %d spans: %s", self._url, number, shown(partial.get("errorMessage", "")))
            self._rejected += number

    def left_out(self) -> Mapping[tuple[str, str], int]:
        """Return how many spans were refused since the last call, by stage and reason."""
        number, self._rejected = self._rejected, 0
        return Counter({("span", "rejected"): number}) if number else Counter()

    def check(self) -> str:
        """Post a request without spans, which changes nothing there. Return its status. Raise `Unavailable`."""
        answer = self._http.send("POST", self._path, otlp.encode(()), kind=otlp.PROTOBUF)
        if self._judge.refused(answer) or answer.status >= BROKEN:
            message = f"{self._url}: status {answer.status}: {answer.shown()}"
            raise Unavailable(message)
        return f"takes spans at {self._path} (status {answer.status} to a request without any)"

    def close(self) -> None:
        """Hang up."""
        self._http.close()


def open(url: Url) -> Otlp:  # noqa: A001 each backend has this name
    """Open a URL of one of `SCHEMES`. Raise `UrlError` for a wrong part. Connect on first use, not here."""
    import urllib3  # noqa: F401, PLC0415 a driver is imported where it is used; missing, it is missed here

    options = url.options(Options)
    at_least(url, "timeout", options.timeout, 0.001)
    at_least(url, "size", options.size, 1)
    tls = tls_context(url, options, wanted=url.scheme == "otlp+https", cure="write otlp+https://")
    if len(url.hosts) != 1 or not url.host:
        raise refuse(url, f"names one host; write {url.scheme}://localhost:{PORTS[url.scheme]}")
    peer = Peer(str(url), url.hosts, PORTS[url.scheme], options.timeout, login(url, options.token), tls)
    return Otlp(Http(peer), url, options)
