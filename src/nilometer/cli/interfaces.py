"""The interfaces through which a running server is asked: commands on TCP, and HTTP.

Rules:

* Where the user said where to listen, what cannot be bound is an error. Where nobody did, a port that is taken is a warning:
  a second server on the machine starts all the same.
* The HTTP interface listens beyond this machine only with a token.
"""

from __future__ import annotations

import errno
import gc
import ipaddress
import logging
from typing import TYPE_CHECKING

from nilometer.cli.state import tokens
from nilometer.core.options import refuse
from nilometer.ingest.admin.commands import Commands
from nilometer.ingest.admin.server import PORT, AdminServer
from nilometer.ingest.listeners import refused
from nilometer.web import addresses as where
from nilometer.web.access import Access
from nilometer.web.server import WebServer
from nilometer.web.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import ExitStack

    from starlette.types import ASGIApp

    from nilometer.core.settings import Settings
    from nilometer.core.url import Url
    from nilometer.web.parts import Parts

    Renew = Callable[[], Callable[[], None]]

LOG = logging.getLogger(__name__)
TCP = "tcp"
DEFAULT = "default"
EVERYWHERE = ("0.0.0.0", "[::]")  # noqa: S104 nothing is bound here
CURE = "make one: nilometer token create NAME --scope read"


def check(settings: Settings) -> None:
    """Raise `NilometerError` for what is wrong with the settings of the interfaces, without binding anything."""
    for url in settings.admin.listen:
        check_admin(url)
    for url in settings.web.listen:
        where.check(url)
        where.context(url)
    if settings.web.listen and not tokens(settings).read():
        for url in settings.web.listen:
            if not where.is_local(url):
                raise refuse(url, f"the HTTP interface listens beyond this machine only with a token; {CURE}")


def check_admin(url: Url) -> None:
    """Raise `UrlError` for a URL at which the admin interface cannot listen."""
    if url.scheme != TCP or url.user is not None or len(url.hosts) > 1 or url.path.strip("/") or url.query:
        raise refuse(url, f"the admin interface has one host and no options; write {TCP}://127.0.0.1:{PORT}")


def start(settings: Settings, parts: Parts, cleanup: ExitStack) -> Renew:
    """Bring the interfaces up; `cleanup` takes them down. Return what reads their files again. Raise `ConfigError`."""
    statsd = parts.control.statsd
    named = settings.origin("admin.listen") != DEFAULT and not (statsd is not None and not statsd.admin_named)
    if settings.admin.listen:
        server = AdminServer(Commands(parts.control))
        cleanup.callback(server.stop)
        for name in _listen("admin interface", settings.admin.listen, server.listen, named=named):
            if not _is_loopback(name):
                LOG.warning("the admin interface answers everyone who reaches %s", name)
    web = _web(settings, parts)
    if settings.web.listen:
        named = settings.origin("web.listen") != DEFAULT
        cleanup.callback(parts.closing.close)
        cleanup.callback(web.stop)
        names = _listen("HTTP interface", settings.web.listen, web.listen, named=named)
        if names:
            LOG.info("the page to look at: %s://%s/", settings.web.listen[0].scheme, _here(names[0]))
        parts.begin()
        web.start()
        for url in settings.web.listen:
            if url.scheme == where.HTTP and not where.is_local(url):
                LOG.warning("%s: tokens can be read on the way; use https:// where the network is not yours", url)
    return web.renew


def _here(name: str) -> str:
    """Return an address that a browser of this machine can open: that of every address is none."""
    host, _, port = name.rpartition(":")
    return f"localhost:{port}" if host in EVERYWHERE else name


def _web(settings: Settings, parts: Parts) -> WebServer:
    names = frozenset(url.host.lower() for url in settings.web.listen)
    access = Access(Tokens(tokens(settings)).known, names, frozenset(settings.web.origins))

    def application() -> ASGIApp:
        from nilometer.web.app import application  # noqa: PLC0415 only who wants the interface pays for its packages

        made = application(parts, access)
        gc.freeze()  # what is there now stays; to look through it again and again would hold up answers by 0.1 s
        return made

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
