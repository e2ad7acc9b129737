"""Options of a URL: declaring them, reading a URL's host, refusing what a URL cannot mean.

A backend's `Options` is a frozen dataclass of fields made by `option`; `Url.options` reads the query into it. What several
backends take stands here once.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, TypeVar

from nilometer.core.errors import UrlError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection

    from nilometer.core.url import Url

Value = TypeVar("Value")
HELP = "help"


def option(default: Value, text: str) -> Value:
    """Declare a field of a backend's `Options`: its default, and the help text that the documentation shows."""
    field: Value = dataclasses.field(default=default, metadata={HELP: text})
    return field


def refuse(url: Url, reason: str) -> UrlError:
    """Return the error that names the URL, secrets masked, and what is wrong with it."""
    return UrlError(f"{url}: {reason}")


def one_of(url: Url, name: str, value: str, known: Collection[str]) -> str:
    """Return `value` when it is one of `known`. Raise `UrlError` naming the nearest otherwise."""
    if value not in known:
        raise refuse(url, f"option {name}: {value!r} is none of {', '.join(known)}{did_you_mean(value, known)}")
    return value


def at_least(url: Url, name: str, value: float, least: float) -> None:
    """Raise `UrlError` when a number is too small."""
    if value < least:
        raise refuse(url, f"option {name}: {value:g} is below {least:g}")


def no_login(url: Url) -> None:
    """Raise `UrlError` when a URL names a user or a password that nobody would ask for."""
    if url.user is not None or url.password is not None:
        raise refuse(url, "takes neither user nor password")


def one_host(url: Url, port: int) -> tuple[str, int]:
    """Return host and port of a URL that names one host, no path and no login. Raise `UrlError` otherwise."""
    no_login(url)
    if len(url.hosts) > 1:
        alone = " and ".join(f"{url.scheme}://{host}" for host in url.hosts)
        raise refuse(url, f"names several hosts; give each a sink of its own, so that one can be away alone: {alone}")
    if not url.host:
        raise refuse(url, f"names no host; write {url.scheme}://localhost:{port}")
    if url.path.strip("/"):
        raise refuse(url, f"takes no path, found {url.path!r}")
    if url.port == 0:
        raise refuse(url, f"nobody listens on port 0; name the port, or none for {port}")
    return url.host, port if url.port is None else url.port


def no_host(url: Url) -> None:
    """Raise `UrlError` when a URL that needs none names a host, a path or a login."""
    no_login(url)
    if url.hosts or url.path.strip("/"):
        raise refuse(url, f"takes neither host nor path; write {url.scheme}://")
