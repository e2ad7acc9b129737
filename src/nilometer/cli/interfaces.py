"""The interfaces through which a running server is asked: commands on TCP, and HTTP.

Rules:

* Where the user said where to listen, what cannot be bound is an error. Where nobody did, a port that is taken is a warning:
  a second server on the machine starts all the same.
"""

from __future__ import annotations

import errno
import ipaddress
import logging
from typing import TYPE_CHECKING

from nilometer.core.options import refuse
from nilometer.ingest.admin.commands import Commands
from nilometer.ingest.admin.server import PORT, AdminServer
from nilometer.ingest.listeners import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import ExitStack

    from nilometer.core.settings import Settings
    from nilometer.core.url import Url
    from nilometer.ingest.admin.control import Control

LOG = logging.getLogger(__name__)
ADMIN, LISTEN = "tcp", "admin.listen"


def check(settings: Settings) -> None:
    """Raise `ConfigError` for what is wrong with the settings of the interfaces, without binding anything."""
    for url in settings.admin.listen:
        if url.scheme != ADMIN or url.user is not None or len(url.hosts) > 1 or url.path.strip("/") or url.query:
            raise refuse(url, f"the admin interface has one host and no options; write {ADMIN}://127.0.0.1:{PORT}")


def start(settings: Settings, control: Control, cleanup: ExitStack) -> None:
    """Bring the interfaces up; `cleanup` takes them down. Raise `ConfigError`."""
    check(settings)
    statsd = control.statsd
    named = settings.origin(LISTEN) != "default" and not (statsd is not None and not statsd.admin_named)
    if settings.admin.listen:
        server = AdminServer(Commands(control))
        cleanup.callback(server.stop)
        _listen("admin interface", settings.admin.listen, server.listen, named=named)


def _listen(what: str, urls: Sequence[Url], listen: Callable[[Url], list[str]], *, named: bool) -> None:
    for url in urls:
        try:
            names = listen(url)
        except OSError as error:
            if named or error.errno != errno.EADDRINUSE:
                raise refused(url, error) from error
            LOG.warning("%s: no %s: something listens there already, perhaps another server", url, what)
            continue
        LOG.info("%s on %s", what, ", ".join(f"{url.scheme}://{name}" for name in names))
        if not all(map(is_loopback, names)):
            LOG.warning("%s: the %s answers everyone who reaches this port", url, what)


def is_loopback(name: str) -> bool:
    """Return whether ``host:port``, the host numeric, is for this machine alone."""
    return ipaddress.ip_address(name.rpartition(":")[0].strip("[]").partition("%")[0]).is_loopback
