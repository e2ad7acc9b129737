"""Sources of tables and health checks, from what the user named.

A health check is ``[NAME=]URL``. With `magnetodb+http(s)://`, or the path ``/healthcheck``, it has the names of MagnetoDB's own
metrics, ``magnetodb.health.*``, below NAME where there is one; any other is ``health.NAME.*``, and without a NAME host and path
make one. The URL's query belongs to who is asked.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlencode

from nilometer.backends import registry
from nilometer.cli.link import Access, Link
from nilometer.collect.health import Check, Checker
from nilometer.collect.names import joined, label, labels
from nilometer.collect.tables import Reader
from nilometer.core import url as urls
from nilometer.core.errors import Unavailable, UrlError, did_you_mean
from nilometer.core.options import refuse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nilometer.collect.tables import Bounds
    from nilometer.core.capability import TableSource
    from nilometer.core.url import NamedUrl, Url

MAGNETODB, HTTP = "magnetodb+", ("http", "https")
PATH, QUERY = "/healthcheck", (("fullcheck", "true"),)
"""Where MagnetoDB answers, and what makes it look at everything."""
OURS = "magnetodb.health"
TIMEOUT = 10.0


def reader(given: Iterable[Url | str], bounds: Bounds) -> Reader:
    """Open sources. Raise `UrlError` for a wrong one; none connects before it is read."""
    found = list(dict.fromkeys(registry.check(url, registry.TABLES) for url in given))
    opened: dict[str, TableSource] = {}
    try:
        for name, url in zip(labels(found), found, strict=True):
            opened[name] = registry.open(url, registry.TABLES)
    except BaseException:
        for source in opened.values():
            source.close()
        raise
    return Reader(opened, bounds)


class Spec(NamedTuple):
    """A health check as it was named: what its series are called, who is asked for which path; `shown` has no secrets."""

    name: str
    base: str
    path: str
    shown: str


def spec(given: NamedUrl) -> Spec:
    """Return the check that a URL names. Raise `UrlError`."""
    name, url = given
    plain = dataclasses.replace(url, scheme=url.scheme.removeprefix(MAGNETODB))
    if plain.scheme not in HTTP:
        known = [*HTTP, *(MAGNETODB + scheme for scheme in HTTP)]
        raise refuse(url, f"a health check asks over HTTP{did_you_mean(url.scheme, known)}; known are {', '.join(known)}")
    if len(url.hosts) != 1 or url.user is not None:
        raise refuse(url, "a health check has one host, and neither user nor password")
    own = plain.scheme != url.scheme
    if own:
        plain = dataclasses.replace(plain, path=plain.path.rstrip("/") + PATH, query=QUERY, hosts=_with_port(plain))
    theirs = own or plain.path == PATH
    called = joined(name, OURS) if theirs else f"health.{name or _called(plain)}"
    query = f"?{urlencode(plain.query)}" if plain.query else ""
    return Spec(called, f"{plain.scheme}://{plain.hosts[0]}", (quote(plain.path) or "/") + query, str(plain))


def _with_port(url: Url) -> tuple[urls.Host, ...]:
    host = url.hosts[0]
    return (host if host.port is not None else urls.Host(host.name, 8480),)


def _called(url: Url) -> str:
    return label(url).removeprefix(f"{url.scheme}_")


def specs(given: Iterable[NamedUrl]) -> list[Spec]:
    """Read several. Raise `UrlError`, also for two of one name."""
    found: dict[str, Spec] = {}
    for each in map(spec, given):
        if found.setdefault(each.name, each) != each:
            message = f"two health checks would have the name {each.name}; name one of them: NAME={each.shown}"
            raise UrlError(message)
    return list(found.values())


def checker(
    given: Iterable[NamedUrl], access: Access, *, seconds: float, at_once: int = 4, timeout: float = TIMEOUT
) -> Checker:
    """Make health checks. Raise `UrlError`, and `ConfigError` for authorities that cannot be used."""
    return Checker([_check(each, access, timeout) for each in specs(given)], at_once=at_once, seconds=seconds)


def _check(each: Spec, access: Access, timeout: float) -> Check:
    link = Link(each.base, access, timeout)

    def ask() -> tuple[int, bytes]:
        try:
            answer = link.send("GET", each.path)
        except Unavailable as error:
            message = str(error).replace(each.base + each.path, each.shown)
            raise Unavailable(message) from error
        return answer.status, answer.body

    return Check(each.name, ask)
