"""Webhooks: events by POST to an address of HTTP, signed.

Rules:

* Events go out in requests bounded in events and bytes, one after the other. What was taken is not sent again when a later
  request of the same batch fails. One that is too large for the other side (413) goes in halves.
* `_parts/http_status.py` says what an answer means. No answer is `Unavailable`.
* With a secret each request is signed. The same events have the same ``webhook-id``.

Source: https://www.standardwebhooks.com; the batch of CloudEvents: the HTTP binding, section 3.3
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from nilometer.backends._parts.event_format import HELP, NILOMETER, Format, Written, format_of, joined
from nilometer.backends._parts.event_progress import EventProgress
from nilometer.backends._parts.http import Http, Peer
from nilometer.backends._parts.http_login import login
from nilometer.backends._parts.http_status import BROKEN, Judge
from nilometer.backends._parts.refusals import Refusals
from nilometer.backends._parts.tls import CA, CERT, KEY, VERIFY, tls_context
from nilometer.core.errors import Unavailable
from nilometer.core.options import at_least, option, refuse
from nilometer.core.quantity import Duration, Size
from nilometer.core.wire import standard_webhooks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nilometer.core.record import Event
    from nilometer.core.url import Url

SCHEMES = ("webhook+http", "webhook+https")
URL_EXAMPLES = (
    "webhook+http://localhost:8000/events",
    "webhook+https://hooks.example/nilometer?secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "webhook+https://hooks.example/events?format=cloudevents&token=abc&batch=1",
)
EXTRA = "webhook"
PORTS = {"webhook+http": 80, "webhook+https": 443}
TOO_LARGE = 413


@dataclass(frozen=True, slots=True)
class Options:
    """How to reach the receiver, and what it is sent."""

    timeout: Duration = option(Duration(10), "longest time to connect, to send a request, and for its answer")  # noqa: RUF009 declares a field
    secret: str = option("", "secrets to sign with, as Standard Webhooks writes them, with commas between; unsigned when empty")
    format: str = option(NILOMETER, HELP)
    batch: int = option(100, "most events in a request")
    size: Size = option(Size(1 << 20), "most bytes of events in a request; one larger event goes alone")  # noqa: RUF009 declares a field
    token: str = option("", "token to log in with, as a bearer's, instead of user and password")
    ca: str = option("", CA)
    cert: str = option("", CERT)
    key: str = option("", KEY)
    verify: bool = option(default=True, text=VERIFY)


class Webhook:
    """Posts events to one address."""

    def __init__(self, http: Http, url: Url, options: Options, form: Format) -> None:
        self._http, self._url, self._options, self._format = http, url, options, form
        self._path = quote(url.path or "/", safe="/-._~!$&'()*+,;=:@")
        self._secrets = secrets(url, options.secret)
        self._progress, self._refusals = EventProgress(), Refusals(str(url))
        self._refused: list[str] = []
        self._judge = Judge(url)

    def write_events(self, events: Sequence[Event]) -> None:
        """Post the events that were not taken yet. Raise `Unavailable`, or `Rejected` when all are refused for good."""
        self._judge.ready()
        written, unfit = self._format.written(self._progress.left(events))
        for part in self._parts(written):
            self._post(part)
        self._progress.end()
        refused, self._refused = self._refused + unfit, []
        self._refusals.add(refused, len(events))

    def left_out(self) -> Mapping[tuple[str, str], int]:
        """Return how many events were refused since the last call, by stage and reason."""
        return self._refusals.taken()

    def _parts(self, written: Sequence[Written]) -> Iterator[list[Written]]:
        """Yield events in parts within the bounds."""
        part, size = list[Written](), 0
        for each in written:
            if part and (len(part) == self._options.batch or size + len(each.body) >= self._options.size):
                yield part
                part, size = [], 0
            part.append(each)
            size += len(each.body) + 1
        if part:
            yield part

    def _post(self, part: Sequence[Written]) -> None:
        """Post some events, and remember those that were refused. Raise `Unavailable`."""
        body = joined(part)
        signed: dict[str, str] = {}
        if self._secrets:
            signed = standard_webhooks.headers(identity(part), int(time.time()), body, self._secrets)
        answer = self._http.send("POST", self._path, body, kind=self._format.batch_type, headers=signed)
        if answer.status == TOO_LARGE and len(part) > 1:
            half = len(part) // 2
            self._post(part[:half])
            self._post(part[half:])
        else:
            reason = self._judge.refused(answer)
            self._refused += [reason] * len(part) if reason else []
            self._progress.took(each.event for each in part)

    def check(self) -> str:
        """Ask what the address allows, which changes nothing there. Return its status. Raise `Unavailable`."""
        answer = self._http.send("OPTIONS", self._path)
        if answer.status >= BROKEN:
            message = f"{self._url}: status {answer.status}: {answer.shown()}"
            raise Unavailable(message)
        return f"answers (status {answer.status} to OPTIONS; no event was sent)"

    def close(self) -> None:
        """Hang up."""
        self._http.close()


def identity(part: Sequence[Written]) -> str:
    """Return the id of a request with these events."""
    names = "\n".join(f"{event.publisher}\t{event.id}" for event, _ in part).encode("utf-8", "surrogatepass")
    return f"msg_{hashlib.blake2b(names, digest_size=16).hexdigest()}"


def secrets(url: Url, text: str) -> list[bytes]:
    """Return the secrets of an option; a plus sign, which a URL reads as a blank, may stand as it is. Raise `UrlError`."""
    try:
        return [standard_webhooks.secret(each.strip().replace(" ", "+")) for each in text.split(",")] if text else []
    except ValueError as error:
        raise refuse(url, f"option secret: {error}") from error


def open(url: Url) -> Webhook:  # noqa: A001 each backend has this name
    """Open a URL of one of `SCHEMES`. Raise `UrlError` for a wrong part. Connect on first use, not here."""
    import urllib3  # noqa: F401, PLC0415 a driver is imported where it is used; missing, it is missed here

    options = url.options(Options)
    at_least(url, "timeout", options.timeout, 0.001)
    at_least(url, "batch", options.batch, 1)
    at_least(url, "size", options.size, 1)
    form = format_of(url, options.format)
    tls = tls_context(url, options, wanted=url.scheme == "webhook+https", cure="write webhook+https://")
    if len(url.hosts) != 1:
        raise refuse(url, f"names one host; write {url.scheme}://localhost/events")
    if url.port == 0:
        raise refuse(url, "nobody listens on port 0")
    peer = Peer(str(url), url.hosts, PORTS[url.scheme], options.timeout, login(url, options.token), tls)
    return Webhook(Http(peer), url, options, form)
