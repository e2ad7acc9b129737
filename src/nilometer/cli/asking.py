"""Asks a server's HTTP interface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from nilometer.cli.link import Link, printable
from nilometer.core.errors import Unavailable, UrlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nilometer.cli.link import Access, Answer

API = "/api/v1"
SERVER = "http://127.0.0.1:8127"
"""The server that is asked where nobody names one."""
PAGE = 10_000
GOOD = range(200, 300)
REDIRECTS = range(300, 400)


@dataclass(frozen=True, slots=True)
class Answers:
    """What ``/stats`` and ``/top`` of the server at `url` say."""

    url: str
    stats: dict[str, Any]
    top: dict[str, Any]


def asker(url: str, limit: int, access: Access) -> Callable[[], Answers]:
    """Return what asks the server at `url`. Raise `ConfigError` for a wrong URL or file, the asker `Unavailable`."""
    link = link_to(url, access)
    return lambda: Answers(url, get(link, "/stats"), get(link, f"/top?limit={limit}"))


def paths(url: str, access: Access) -> Iterator[str]:
    """Yield the paths of the series that the server at `url` keeps, in order. Raise `UrlError`, `Unavailable`."""
    link, cursor = link_to(url, access), ""
    while True:
        page = get(link, f"/series?limit={PAGE}&cursor={quote(cursor)}")
        try:
            yield from (str(each["path"]) for each in page["series"])
            following = page["next"]
        except (KeyError, TypeError) as error:
            message = f"{url}: what answers is no Nilometer"
            raise Unavailable(message) from error
        if not following or following == cursor:
            return
        cursor = str(following)


def link_to(url: str, access: Access) -> Link:
    """Return the way to the server at a URL. Raise `ConfigError` for a wrong URL or file."""
    if urlsplit(url).path.strip("/"):
        message = f"{url}: expected a URL such as {SERVER}"
        raise UrlError(message)
    return Link(url, access)


def get(link: Link, path: str) -> dict[str, Any]:
    """Return the JSON object below the API. Raise `Unavailable`."""
    return send(link, "GET", path)


def send(link: Link, method: str, path: str, body: object = None) -> dict[str, Any]:
    """Return the JSON object with which the API answers. Raise `Unavailable`."""
    url = f"{link.url}{API}{path}"
    try:
        answer = link.send(method, API + path, body)
    except Unavailable as error:
        message = f"{error}; is a server running there, with web.listen set?"
        raise Unavailable(message) from error
    found = checked(url, answer)
    if not isinstance(found, dict):
        message = f"{url}: what answers is no Nilometer"
        raise Unavailable(message)
    return found


def checked(url: str, answer: Answer) -> Any:  # noqa: ANN401 whatever JSON the other side sends
    """Return what a good answer holds. Raise `Unavailable` for any other."""
    if answer.status in REDIRECTS:
        message = f"{url}: {answer.status}: it points to {printable(answer.location)}; name that URL"
        raise Unavailable(message)
    found = answer.json()
    if answer.status not in GOOD:
        message = f"{url}: {answer.status}: {_reason(found)}"
        raise Unavailable(message)
    return found


def _reason(found: Any) -> str:  # noqa: ANN401 whatever JSON the other side sends
    try:
        return printable(found["error"]["message"])
    except (KeyError, TypeError):
        return "what answers is no Nilometer"
