"""Grafana's HTTP API: requests with a service account's token, and what each refusal means.

Rules:

* The first question, ``/api/health``, goes without the token: it goes only to what says that it is Grafana.
* `Rejected` is about one thing, and others may be tried; every other error ends the push.

Source: Grafana, "HTTP API reference"; statuses and messages as ``pkg/api`` of Grafana 9 to 12 answers them. All of these have
the paths below ``/api``; only the later ones have those below ``/apis`` too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nilometer.cli.link import Link, printable
from nilometer.core.errors import NilometerError, Rejected, Unavailable

if TYPE_CHECKING:
    from nilometer.cli.link import Access, Answer

TIMEOUT = 30.0
HEALTH = "/api/health"
GOOD, REDIRECTS = range(200, 300), range(300, 400)
UNKNOWN_TOKEN, FORBIDDEN, MISSING, TOO_MANY, BROKEN = 401, 403, 404, 429, 500
NEW_TOKEN = "make a token for a service account in Grafana, and name it with --token-file"  # noqa: S105 no token
SUB_PATH = "name the URL that a browser shows, with its sub-path if it has one, such as https://example.org/grafana"


class Need(NamedTuple):
    """What is asked for, in words, and what the token must be allowed to."""

    what: str
    permission: str


class Grafana:
    """Requests to a Grafana. Its methods raise `Rejected`, and `NilometerError` when nothing further can be asked."""

    def __init__(self, url: str, access: Access) -> None:
        """Raise `ConfigError` for a wrong URL or file."""
        self._link = Link(url, access, TIMEOUT)
        self.url = self._link.url

    def check(self) -> None:
        """Make sure that Grafana is there."""
        answer = self._link.send("GET", HEALTH, token=False)
        self._told_elsewhere(HEALTH, answer)
        found = answer.json()
        known = isinstance(found, dict) and "database" in found
        if answer.status >= BROKEN:
            raise self._broken(HEALTH, answer)
        if not known and answer.status not in (UNKNOWN_TOKEN, FORBIDDEN):  # a proxy before it may want the token first
            message = f"{self.url}{HEALTH}: {answer.status}: what answers is no Grafana; {SUB_PATH}"
            raise Unavailable(message)

    def get(self, path: str, need: Need, kinds: tuple[type, ...] = (dict,)) -> Any:  # noqa: ANN401 JSON of one of the kinds
        """Return what is at a path, None when there is nothing."""
        answer = self._send("GET", path, None, need)
        if answer.status == MISSING:
            if not isinstance(answer.json(), dict):  # its own 404 is a JSON object
                message = f"{self.url}{path}: 404: no API of Grafana is there; {SUB_PATH}"
                raise Unavailable(message)
            return None
        found = answer.json()
        if answer.status not in GOOD or not isinstance(found, kinds):
            message = f"{self.url}{path}: {answer.status}: {_reason(answer)}"
            raise Unavailable(message)
        return found

    def put(self, method: str, path: str, body: object, need: Need, cures: dict[int, str]) -> None:
        """Write something; `cures` holds what to do about a status."""
        answer = self._send(method, path, body, need)
        if answer.status not in GOOD:
            cure = cures.get(answer.status, "")
            message = f"{need.what}: {answer.status}: {_reason(answer)}{cure and f'; {cure}'}"
            raise Rejected(message)

    def _send(self, method: str, path: str, body: object, need: Need) -> Answer:
        """Return an answer that is about what was asked for."""
        answer = self._link.send(method, path, body)
        self._told_elsewhere(path, answer)
        if answer.status == UNKNOWN_TOKEN:
            message = f"{self.url}: 401: {_reason(answer)}; {NEW_TOKEN}"
            raise NilometerError(message)
        if answer.status == FORBIDDEN and "read-only" not in _reason(answer):
            message = f"{need.what}: 403: {_reason(answer)}; allow the service account {need.permission}"
            raise Rejected(message)
        if answer.status == TOO_MANY or answer.status >= BROKEN:
            raise self._broken(path, answer)
        return answer

    def _told_elsewhere(self, path: str, answer: Answer) -> None:
        if answer.status in REDIRECTS:
            message = (
                f"{self.url}{path}: {answer.status}: it points to {printable(answer.location)}; name what comes before {path}"
            )
            raise Unavailable(message)

    def _broken(self, path: str, answer: Answer) -> Unavailable:
        return Unavailable(f"{self.url}{path}: {answer.status}: {_reason(answer)}; look at Grafana's log, then push again")


def _reason(answer: Answer) -> str:
    found = answer.json()
    if isinstance(found, dict) and found.get("message"):
        return printable(found["message"])
    return printable(answer.body[:300].decode("utf-8", "replace")) or "no reason given"
