"""The interfaces through which a running server is asked: commands on TCP, and HTTP.

Rules:

* Where the user said where to listen, what cannot be bound is an error. Where nobody did, a port that is taken is a warning:
  a second server on the machine starts all the same.
* The HTTP interface listens beyond this machine only with a token.
"""

from __future__ import annotations

import errno
import ipaddress
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from nilometer.core.errors import ConfigError
from nilometer.core.options import refuse
from nilometer.ingest.admin.commands import Commands
from nilometer.ingest.admin.server import PORT, AdminServer
from nilometer.ingest.listeners import refused
from nilometer.ingest.sockets import addresses
from nilometer.web.access import Access
from nilometer.web.server import WebServer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import ExitStack

    from starlette.types import ASGIApp

    from nilometer.core.settings import Settings
    from nilometer.core.url import Url
    from nilometer.web.parts import Parts

LOG = logging.getLogger(__name__)
TCP, HTTP = "tcp", "http"
DEFAULT = "default"
SHORTEST_TOKEN = 16


def check(settings: Settings) -> None:
    """Raise `ConfigError` for what is wrong with the settings of the interfaces, without binding anything."""
    for url in settings.admin.listen:
        _check(url, "admin interface", TCP, PORT)
    for url in settings.web.listen:
        _check(url, "HTTP interface", HTTP, 8127)
        if not settings.web.token_file and not _is_local(url):
            raise refuse(url, "the HTTP interface listens beyond this machine only with a token; set web.token_file")
    if settings.web.listen:
        token(settings)


def _check(url: Url, what: str, scheme: str, port: int) -> None:
    if url.scheme != scheme or url.user is not None or len(url.hosts) > 1 or url.path.strip("/") or url.query:
        raise refuse(url, f"the {what} has one host and no options; write {scheme}://127.0.0.1:{port}")


def _is_local(url: Url) -> bool:
    try:
        return all(ipaddress.ip_address(address.host.partition("%")[0]).is_loopback for address in addresses(url))
    except OSError:
        return True  # nothing of this name can be bound, which is told then


def token(settings: Settings) -> str:
    """Return the token of the HTTP interface, empty for none. Raise `ConfigError` when the file holds none."""
    name = settings.web.token_file
    if not name:
        return ""
    try:
        text = Path(name).expanduser().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        message = f"web.token_file: {name} cannot be read: {error}"
        raise ConfigError(message) from error
    if len(text) < SHORTEST_TOKEN or not text.isascii() or len(text.split()) != 1:
        message = f"web.token_file: {name} holds no token: one word of at least {SHORTEST_TOKEN} letters and digits"
        raise ConfigError(message)
    return text


def start(settings: Settings, parts: Parts, cleanup: ExitStack) -> None:
    """Bring the interfaces up; `cleanup` takes them down. Raise `ConfigError`."""
    statsd = parts.control.statsd
    named = settings.origin("admin.listen") != DEFAULT and not (statsd is not None and not statsd.admin_named)
    if settings.admin.listen:
        server = AdminServer(Commands(parts.control))
        cleanup.callback(server.stop)
        for name in _listen("admin interface", settings.admin.listen, server.listen, named=named):
            if not _is_loopback(name):
                LOG.warning("the admin interface answers everyone who reaches %s", name)
    if settings.web.listen:
        named = settings.origin("web.listen") != DEFAULT
        web = _web(settings, parts)
        cleanup.callback(parts.closing.close)
        cleanup.callback(web.stop)
        _listen("HTTP interface", settings.web.listen, web.listen, named=named)
        web.start()


def _web(settings: Settings, parts: Parts) -> WebServer:
    access = Access(token(settings), frozenset(url.host.lower() for url in settings.web.listen))

    def application() -> ASGIApp:
        from nilometer.web.app import application  # noqa: PLC0415 only who wants the interface pays for its packages

        return application(parts, access)

    return WebServer(application)


def _listen(what: str, urls: Sequence[Url], listen: Callable[[Url], list[str]], *, named: bool) -> list[str]:
    """Listen on each, and return where."""
    found = []
    for url in urls:
        try:
            names = listen(url)
        except OSError as error:
            if named or error.errno != errno.EADDRINUSE:
                raise refused(url, error) from error
            LOG.warning("%s: no %s: something listens there already, perhaps another server", url, what)
            continue
        LOG.info("%s on %s", what, ", ".join(f"{url.scheme}://{name}" for name in names))
        found += names
    return found


def _is_loopback(name: str) -> bool:
    """Return whether ``host:port``, the host numeric, is for this machine alone."""
    return ipaddress.ip_address(name.rpartition(":")[0].strip("[]").partition("%")[0]).is_loopback
