"""Elasticsearch and OpenSearch: how a cluster is named and asked, for whatever is kept there.

Rules:

* What an operator can mend (login, rights, a missing or blocked index) is `Unavailable`; what cannot be stored is `Rejected`.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nilometer.backends._parts.http import Answer, Http, Peer, shown
from nilometer.backends._parts.tls import CA, CERT, KEY, VERIFY, tls_context
from nilometer.core.errors import Rejected, Unavailable
from nilometer.core.options import at_least, one_of, option, refuse
from nilometer.core.quantity import Duration, Size

if TYPE_CHECKING:
    from nilometer.core.url import Url

PORT = 9200
HTTPS = "+https"
NAME = "nilometer"
OURS, OSPROFILER = "nilometer", "osprofiler"
JSON, LINES = "application/json", "application/x-ndjson"
NAMES = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")
OK, REDIRECTED, MISSING, CONFLICT, TOO_LARGE, TOO_MANY = 200, 300, 404, 409, 413, 429
PASSING = frozenset({401, 403, MISSING, 408, TOO_MANY})
"""Statuses below 500 that another attempt can end: a login or right that is mended, an index that is made or unblocked."""


@dataclass(frozen=True, slots=True)
class Login:
    """How to reach the cluster, and how documents are sent."""

    timeout: Duration = option(Duration(30), "longest time to connect, to send a request, and for its answer")  # noqa: RUF009 declares a field
    template: bool = option(default=True, text="make the index template when there is none")
    bulk_documents: int = option(5000, "most documents in a request")
    bulk_size: Size = option(Size(5 << 20), "most bytes in a request, before gzip; one larger document goes alone")  # noqa: RUF009 declares a field
    gzip: bool = option(default=True, text="send requests compressed")
    api_key: str = option("", "API key, encoded as Elasticsearch gives it; instead of user and password")
    ca: str = option("", CA)
    cert: str = option("", CERT)
    key: str = option("", KEY)
    verify: bool = option(default=True, text=VERIFY)
    layout: str = option(OURS, "how spans are written: `nilometer`, or `osprofiler` for its own readers; both are read")
    refresh: bool = option(default=True, text="refresh before traces are read, so that what was written before is found")


class Cluster:
    """Requests to one cluster, and what their answers mean."""

    def __init__(self, http: Http, url: str) -> None:
        self.http, self.url = http, url

    def product(self) -> tuple[str, str]:
        """Return the product's name and version, the latter empty when it may not be read. Raise `Unavailable`."""
        answer = self.http.send("GET", "/")
        if answer.status in (401, 403):
            return ("OpenSearch" if self.url.startswith("opensearch") else "Elasticsearch"), ""
        said = self.judged(answer, "read the version")
        version = said.get("version") if isinstance(said, dict) else None
        if not isinstance(version, dict) or not isinstance(version.get("number"), str):
            message = f"{self.url}: is neither Elasticsearch nor OpenSearch: {answer.shown()}"
            raise Unavailable(message)
        return "OpenSearch" if version.get("distribution") == "opensearch" else "Elasticsearch", shown(version["number"])

    def judged(self, answer: Answer, what: str, cure: str = "") -> Any:  # noqa: ANN401 whatever JSON the other side sends
        """Return what the answer says. Raise `Unavailable` or `Rejected` for an error status."""
        if OK <= answer.status < REDIRECTED:
            return answer.json()
        message = f"{self.url}: cannot {what} (status {answer.status}): {answer.shown()}{cure}"
        passing = answer.status in PASSING or not MISSING - 4 <= answer.status < 500  # noqa: PLR2004 HTTP's own bounds
        raise Unavailable(message) if passing else Rejected(message)

    def close(self) -> None:
        """Hang up."""
        self.http.close()


def cluster(url: Url, options: Login) -> Cluster:
    """Return the cluster that a URL names. Raise `UrlError` for a wrong part. It connects on first use."""
    import urllib3  # noqa: F401, PLC0415 a driver is imported where it is used; missing, it is missed here

    one_of(url, "layout", options.layout, (OURS, OSPROFILER))
    at_least(url, "timeout", options.timeout, 0.001)
    at_least(url, "bulk_documents", options.bulk_documents, 1)
    at_least(url, "bulk_size", options.bulk_size, 1)
    secure = url.scheme.endswith(HTTPS)
    tls = tls_context(url, options, wanted=secure, cure=f"write {url.scheme.removesuffix(HTTPS)}{HTTPS}://")
    if not url.host:
        raise refuse(url, f"names no host; write {url.scheme}://localhost:{PORT}")
    if any(host.port == 0 for host in url.hosts):
        raise refuse(url, f"nobody listens on port 0; name the port, or none for {PORT}")
    peer = Peer(str(url), url.hosts, PORT, options.timeout, _headers(url, options), tls)
    return Cluster(Http(peer), str(url))


def name(url: Url) -> str:
    """Return the first part of the data streams' names. Raise `UrlError` for one that the systems would refuse."""
    name = url.path.strip("/") or NAME
    if not set(name) <= NAMES or name[0] in "-_." or len(name) > 200:  # noqa: PLR2004 theirs is 255 bytes, with our ending
        raise refuse(url, f"{name!r} cannot be a data stream's name: small letters, digits and -_. after the first")
    return name


def _headers(url: Url, options: Login) -> dict[str, str]:
    if options.api_key and url.user is not None:
        raise refuse(url, "has both a user and an api_key; give one")
    if options.api_key:
        if not options.api_key.isascii() or not options.api_key.isprintable():
            raise refuse(url, "option api_key holds characters that a header cannot")
        return {"Authorization": f"ApiKey {options.api_key}"}
    if url.user is None:
        return {}
    login = f"{url.user}:{url.password or ''}".encode()
    return {"Authorization": f"Basic {base64.b64encode(login).decode()}"}
