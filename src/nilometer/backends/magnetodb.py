"""MagnetoDB's monitoring API: what its tables use, of all projects or of some.

Rules:

* It sees GETs alone: the list, page by page (`_parts/magnetodb_listing.py` has what is wrong with its pages), and, for a table
  whose figures the list lacks, that table's own URL, at most once in a reading.
* A table that is not ACTIVE has a status and no figures. Figures are estimates: what the nodes guess, over the number of
  copies.
* Tokens and passwords stand in headers and bodies alone; an answer is bounded in size and time, a reading in tables and time.

Format: magnetodb/api/openstack/v1/monitoring; `usage_detailes` is spelled so.
"""

from __future__ import annotations

import dataclasses
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from nilometer.backends._parts import keystone
from nilometer.backends._parts.http import Http, Peer, shown
from nilometer.backends._parts.magnetodb_listing import ACTIVE, Listing, Row
from nilometer.backends._parts.table_filter import EXCLUDE, INCLUDE, MOST, Filter, words
from nilometer.backends._parts.tls import CA, CERT, KEY, VERIFY, tls_context
from nilometer.core import url as urls
from nilometer.core.errors import Unavailable, UrlError
from nilometer.core.options import at_least, one_of, option, refuse
from nilometer.core.quantity import Duration
from nilometer.core.table import ITEMS, SIZE, Fault, Figure, Quality, Table

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator

    from nilometer.backends._parts.http import Answer
    from nilometer.core.url import Url

SCHEMES = ("magnetodb+http", "magnetodb+https")
URL_EXAMPLES = (
    "magnetodb+http://localhost:8480",
    "magnetodb+http://localhost:8480?projects=acme,globex&metrics=size",
    "magnetodb+https://magnetodb.example:8480?token_file=/etc/nilometer/token&ca=/etc/nilometer/ca.pem",
    "magnetodb+https://nilometer:secret@magnetodb.example:8480?auth_url=https://keystone.example:5000/v3&project=admin",
)
EXTRA = "magnetodb"
PORT, KEYSTONE_PORT = 8480, 5000
ROOT = "/v1/monitoring/projects"
METRICS = {"size": SIZE, "item_count": ITEMS}
"""The server's names of figures, and ours."""
OK, REDIRECTED, WRONG, UNAUTHORIZED, FORBIDDEN, GONE = 200, 300, 400, 401, 403, 404
LARGEST = float(1 << 63)
TOKEN_HEADER = "X-Auth-Token"  # noqa: S105 a header's name


@dataclass(frozen=True, slots=True)
class Options:
    """How to reach MagnetoDB, and what to ask."""

    projects: str = option("", "read these projects alone, joined by commas; all of them when empty")
    include: str = option("", INCLUDE)
    exclude: str = option("", EXCLUDE)
    metrics: str = option(",".join(METRICS), "which figures to ask for")
    limit: int = option(1000, "tables that one page of the list holds; 1000 is what the server takes by itself")
    tables: int = option(100_000, MOST)
    timeout: Duration = option(Duration(10), "longest time to connect, and for an answer")  # noqa: RUF009 declares a field
    deadline: Duration = option(Duration(60), "longest time for one reading; what it did not come to by then is told")  # noqa: RUF009 declares a field
    token: str = option("", "a token for every request, sent as X-Auth-Token")
    token_file: str = option("", "a file that holds it, read again for every reading")
    auth_url: str = option(
        "", "Keystone's URL, such as https://keystone.example:5000/v3; then the URL's user and password log in"
    )
    user_domain: str = option("Default", "with `auth_url`: the user's domain")
    project: str = option("", "with `auth_url`: the project that the token is for")
    project_domain: str = option("Default", "with `auth_url`: that project's domain")
    credential_id: str = option("", "with `auth_url`: an application credential's id, instead of user and password")
    credential_secret: str = option("", "with `credential_id`: its secret")
    ca: str = option("", CA)
    cert: str = option("", CERT)
    key: str = option("", KEY)
    verify: bool = option(default=True, text=VERIFY)


class MagnetoDB:
    """Reads one MagnetoDB."""

    def __init__(self, http: Http, name: str, root: str, options: Options, login: keystone.Keystone | None = None) -> None:
        self._http, self._name, self._root, self._options, self._login = http, name, root, options, login
        self._end = math.inf

    def read_tables(self) -> Iterator[Table | Fault]:
        """Yield every table once. Raise `Unavailable` when not even the list can be had."""
        self._end = time.monotonic() + self._options.deadline
        options = self._options
        listing = Listing(self._get, options.metrics, limit=options.limit, most=options.tables, over=self._over)
        projects, wanted = words(options.projects), Filter(options)
        for row in listing.named(dict.fromkeys(projects)) if projects else listing.rows():
            if not isinstance(row, Row):
                yield row
            elif wanted(row.project, row.name):
                yield from self._table(row)

    def check(self) -> str:
        """Return that it answers as MagnetoDB does."""
        self._end = math.inf
        projects = words(self._options.projects)
        self._get(f"/{quote(projects[0], safe='')}" if projects else "?limit=1")
        return f"its monitoring API tells of {'that project' if projects else 'all projects'}"

    def close(self) -> None:
        """Hang up."""
        self._http.close()
        if self._login is not None:
            self._login.close()

    def _over(self) -> bool:
        return time.monotonic() > self._end

    def _table(self, row: Row) -> Iterator[Table | Fault]:
        """Yield a table of the list; ask for it alone when figures are missing."""
        if row.status != ACTIVE:
            yield Table(row.project, row.name, status=row.status)
            return
        asked = words(self._options.metrics)
        figures, wrong = _figures(row.details, asked)
        if len(figures) < len(asked):
            path = f"/{quote(row.project, safe='')}/tables/{quote(row.name, safe='')}"
            answer = self._answer(f"{path}?{urlencode({'metrics': self._options.metrics})}", row)
            if not isinstance(answer, dict):
                yield from (each for each in (answer,) if each is not None)
                return
            found, wrong = _figures(answer, asked)
            figures = {**figures, **found}
        if wrong and len(figures) < len(asked):
            yield Fault(row.project, row.name, wrong)
        if figures or not wrong:
            yield Table(row.project, row.name, status=row.status, figures=figures)

    def _answer(self, path: str, row: Row) -> dict[str, Any] | Table | Fault | None:
        """Return what a table's own URL says: figures, or the table without any when it is not ACTIVE; None when it is gone."""
        try:
            answer = self._ask(path)
        except Unavailable as error:
            return Fault(row.project, row.name, str(error))
        if answer.status == GONE:
            return None
        if answer.status == WRONG:
            return Table(row.project, row.name)
        found = answer.json()
        if answer.status != OK or not isinstance(found, dict):
            return Fault(row.project, row.name, _refusal(answer) if answer.status != OK else "its answer is no object")
        return found

    def _get(self, path: str) -> list[Any]:
        """Return the list below the URL of all projects. Raise `Unavailable`."""
        answer = self._ask(path)
        if answer.status != OK:
            message = f"{self._name}: {_refusal(answer)}"
            raise Unavailable(message)
        found = answer.json()
        if not isinstance(found, list):
            message = f"{self._name}: what answers is no list of tables: is it MagnetoDB's monitoring API?"
            raise Unavailable(message)
        return found

    def _ask(self, path: str) -> Answer:
        if self._over():
            message = f"{self._name}: the time for one reading is up ({self._options.deadline:g} s); raise the option deadline"
            raise Unavailable(message)
        answer = self._send(path)
        if answer.status == UNAUTHORIZED and self._login is not None:
            self._login.forget()
            answer = self._send(path)
        return answer

    def _send(self, path: str) -> Answer:
        token = self._login.token() if self._login is not None else self._own_token()
        return self._http.send("GET", self._root + path, headers={TOKEN_HEADER: token} if token else {})

    def _own_token(self) -> str:
        if not self._options.token_file:
            return self._options.token
        try:
            return _good_token(Path(self._options.token_file).expanduser().read_text("utf-8").strip())
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it holds no token: one word of plain letters, digits and signs"
            message = f"{self._name}: option token_file: {reason}"
            raise Unavailable(message) from error


def _figures(details: object, asked: Iterable[str]) -> tuple[dict[str, Figure], str]:
    """Return the figures that were asked for, by our names, and what is wrong with one that is there."""
    found: dict[str, Figure] = {}
    wrong = ""
    for name in asked:
        value = details.get(name) if isinstance(details, dict) else None
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < LARGEST:
            found[METRICS[name]] = Figure(value, Quality.ESTIMATE)
        elif value is not None:
            wrong = f"its {name} is no number of at least 0: {shown(repr(value)[:60])}"
    return found, wrong


def _refusal(answer: Answer) -> str:
    """Return what an answer with an error says."""
    found = answer.json()
    error = found.get("error") if isinstance(found, dict) else None
    said = error.get("message") if isinstance(error, dict) else None
    reason = shown(said) if isinstance(said, str) else answer.shown()
    if answer.status in (UNAUTHORIZED, FORBIDDEN):
        reason += "; name a token with token_file=FILE, or a login with auth_url=URL"
    elif REDIRECTED <= answer.status < WRONG:
        reason = f"it points to {shown(answer.headers.get('location', 'nowhere'))}; name that URL"
    return f"{answer.status}: {reason}"


def _good_token(token: str) -> str:
    """Return a token that can stand in a header. Raise ValueError, which does not show it."""
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        message = "no token"
        raise ValueError(message)
    return token


def open(url: Url) -> MagnetoDB:  # noqa: A001 each backend has this name
    """Open ``magnetodb+http://HOST``. Raise `UrlError` for a wrong part. Connect on first use, not here."""
    import urllib3  # noqa: F401, PLC0415 a driver is imported where it is used; missing, it is missed here

    options = url.options(Options)
    _check(url, options)
    secure = url.scheme == SCHEMES[1]
    any_tls = secure or options.auth_url.startswith("https:")
    tls = tls_context(url, options, wanted=any_tls, cure=f"write {SCHEMES[1]}://")
    name = str(dataclasses.replace(url, query=()))
    http = Http(Peer(name, url.hosts, PORT, options.timeout, {}, tls if secure else None))
    return MagnetoDB(http, name, url.path.rstrip("/") + ROOT, options, _login(url, options, tls))


def _check(url: Url, options: Options) -> None:
    if not url.host:
        raise refuse(url, f"names no host; write {url.scheme}://localhost:{PORT}")
    if any(host.port == 0 for host in url.hosts):
        raise refuse(url, f"nobody listens on port 0; name the port, or none for {PORT}")
    for metric in words(options.metrics) or ("",):
        one_of(url, "metrics", metric, METRICS)
    for name, least in (("limit", 1), ("tables", 1), ("timeout", 0.001), ("deadline", 0.001)):
        at_least(url, name, getattr(options, name), least)
    if sum(map(bool, (options.token, options.token_file, options.auth_url))) > 1:
        raise refuse(url, "has several of token, token_file and auth_url; give one")
    if options.token:
        try:
            _good_token(options.token)
        except ValueError as error:
            raise refuse(url, "option token holds characters that a token cannot") from error


def _login(url: Url, options: Options, tls: ssl.SSLContext | None) -> keystone.Keystone | None:
    """Return what logs in, None where nothing is to. Raise `UrlError`."""
    if not options.auth_url:
        given = [name for name in ("credential_id", "credential_secret", "project") if getattr(options, name)]
        if given or url.user is not None:
            what = f"option {given[0]}" if given else "a user"
            raise refuse(url, f"{what} needs auth_url, the Keystone to log in at")
        return None
    try:
        place = urls.parse(options.auth_url)
    except UrlError as error:
        raise refuse(url, "option auth_url is no URL such as https://keystone.example:5000/v3") from error
    if place.scheme not in ("http", "https") or not place.host or place.query or place.user is not None:
        raise refuse(url, "option auth_url: write it as https://keystone.example:5000/v3")
    default = KEYSTONE_PORT if place.port is None else place.port
    peer = Peer(f"Keystone at {place}", place.hosts, default, options.timeout, {}, tls if place.scheme == "https" else None)
    return keystone.Keystone(Http(peer), peer.name, place.path, _identity(url, options))


def _identity(url: Url, options: Options) -> dict[str, Any]:
    if options.credential_id or options.credential_secret:
        if not (options.credential_id and options.credential_secret) or url.user is not None:
            raise refuse(url, "an application credential has credential_id and credential_secret, and no user")
        return keystone.credential(options.credential_id, options.credential_secret)
    if not url.user or not url.password:
        raise refuse(url, "auth_url needs a user and a password, or credential_id and credential_secret")
    return keystone.password(url.user, url.password, options.user_domain, options.project, options.project_domain)
