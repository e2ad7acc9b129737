"""datagrepper: the messages of a bus of long ago, page by page.

Rules:

* ``/v2/search`` is asked, in fedora-messaging's form; where there is none (404), ``/raw``, in fedmsg's.
* An entry that is no message is counted, and does not spoil its page.
* Whatever is no page is `Unavailable`: to ask again later may help, and nothing is taken for empty that is not.

Format: https://github.com/fedora-infra/datagrepper, its 1.1.0; times are seconds since the epoch, both ends are included.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlencode

from nilometer.backends._parts.http import Http, Peer, shown
from nilometer.backends._parts.tls import CA, CERT, KEY, VERIFY, tls_context
from nilometer.core.capability import ArchivePage
from nilometer.core.errors import InputError, Unavailable
from nilometer.core.options import at_least, option, refuse
from nilometer.core.quantity import Duration
from nilometer.core.wire import bounded_json, messages

if TYPE_CHECKING:
    from nilometer.backends._parts.http import Answer
    from nilometer.core.record import Event
    from nilometer.core.url import Url

SCHEMES = ("datagrepper+http", "datagrepper+https")
URL_EXAMPLES = (
    "datagrepper+https://apps.fedoraproject.org/datagrepper",
    "datagrepper+http://localhost:8000?timeout=60s",
)
EXTRA = "datagrepper"
PORTS = {"datagrepper+http": 80, "datagrepper+https": 443}
SEARCH, RAW = "/v2/search", "/raw"
MOST_ROWS = 100
"""Entries of a page, which datagrepper allows."""
OK, REDIRECTED, WRONG, NONE = 200, 300, 400, 404
HEADERS = {"Accept": "application/json", "User-Agent": "Nilometer"}


@dataclass(frozen=True, slots=True)
class Options:
    """How to reach the archive."""

    rows: int = option(MOST_ROWS, f"messages of a page, up to {MOST_ROWS}")
    timeout: Duration = option(Duration(60), "longest time to connect, and for an answer: wide questions take their time")  # noqa: RUF009 declares a field
    ca: str = option("", CA)
    cert: str = option("", CERT)
    key: str = option("", KEY)
    verify: bool = option(default=True, text=VERIFY)


class Datagrepper:
    """Reads one datagrepper below `root`; `forms` are the paths to try, in this order."""

    def __init__(self, http: Http, name: str, root: str, forms: tuple[str, ...], rows: int) -> None:
        self._http, self._name, self._root, self._forms, self._rows = http, name, root, forms, rows

    def read_page(self, start: float, end: float, page: int) -> ArchivePage:
        """Return a page, counted from 1, of what was sent from `start` to `end`, oldest first. Raise `Unavailable`."""
        about = {"start": _number(start), "end": _number(end), "order": "asc", "rows_per_page": self._rows, "page": page}
        found, sound = self._get(urlencode(about))
        events: list[Event] = []
        bad = 0
        for entry in found["raw_messages"]:
            try:
                events.append(messages.from_object(entry if sound else _bounded(entry), time=end, id=""))
            except InputError:
                bad += 1
        return ArchivePage(events, found["total"], found["pages"], bad)

    def check(self) -> str:
        """Return which form it answers in. Raise `Unavailable`."""
        self._get(urlencode({"delta": 1, "rows_per_page": 1}))
        return f"it answers at {self._root}{self._forms[0]}"

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def _get(self, query: str) -> tuple[dict[str, Any], bool]:
        """Return a page, with its list and its two numbers, and whether all of it is within the bounds of a message.

        Raise `Unavailable`.
        """
        answer = self._http.send("GET", f"{self._root}{self._forms[0]}?{query}", headers=HEADERS)
        while answer.status == NONE and len(self._forms) > 1:
            self._forms = self._forms[1:]
            answer = self._http.send("GET", f"{self._root}{self._forms[0]}?{query}", headers=HEADERS)
        if answer.status != OK:
            self._away(_refusal(answer))
        found, sound = _read(answer)
        if not isinstance(found, dict) or not isinstance(found.get("raw_messages"), list):
            self._away("what answers is no datagrepper: its JSON has no list raw_messages")
        if not all(_is_count(found.get(name)) for name in ("total", "pages")):
            self._away("what answers is no datagrepper: its total and pages are no whole numbers")
        return found, sound

    def _away(self, reason: str) -> NoReturn:
        message = f"{self._name}: {reason}"
        raise Unavailable(message)


def _read(answer: Answer) -> tuple[Any, bool]:
    """Return what an answer says, and whether all of it is within the bounds of a message, as most pages are."""
    try:
        return bounded_json.read(answer.body), True
    except InputError:
        return answer.json(), False


def _bounded(entry: object) -> dict[str, Any]:
    """Return an entry of a page within the bounds of a message. Raise `InputError`."""
    return bounded_json.read_object(json.dumps(entry).encode())


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _number(seconds: float) -> str:
    return str(int(seconds)) if float(seconds).is_integer() else repr(float(seconds))


def _refusal(answer: Answer) -> str:
    """Return what an answer with another status says."""
    if REDIRECTED <= answer.status < WRONG:
        return f"{answer.status}: it points to {shown(answer.headers.get('location', 'nowhere'))}; name that URL"
    return f"{answer.status}: {answer.shown()}"


def open(url: Url) -> Datagrepper:  # noqa: A001 each backend has this name
    """Open a URL of one of `SCHEMES`. Raise `UrlError` for a wrong part. Connect on first use, not here."""
    import urllib3  # noqa: F401, PLC0415 a driver is imported where it is used; missing, it is missed here

    options = url.options(Options)
    at_least(url, "timeout", options.timeout, 0.001)
    if not 1 <= options.rows <= MOST_ROWS:
        raise refuse(url, f"option rows: {options.rows} is not between 1 and {MOST_ROWS}")
    if not url.host:
        raise refuse(url, f"names no host; write {URL_EXAMPLES[0]}")
    if any(host.port == 0 for host in url.hosts):
        raise refuse(url, f"nobody listens on port 0; name the port, or none for {PORTS[url.scheme]}")
    if url.user is not None:
        raise refuse(url, "has a user: datagrepper asks for none")
    secure = url.scheme == SCHEMES[1]
    tls = tls_context(url, options, wanted=secure, cure=f"write {SCHEMES[1]}://")
    name = str(dataclasses.replace(url, query=()))
    http = Http(Peer(name, url.hosts, PORTS[url.scheme], options.timeout, {}, tls))
    root = url.path.rstrip("/")
    named = next((form for form in (SEARCH, RAW) if root.endswith(form)), "")
    return Datagrepper(http, name, root.removesuffix(named), (named,) if named else (SEARCH, RAW), options.rows)
