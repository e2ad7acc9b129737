"""``nilometer serve``: run the server until a signal ends it.

Signals: SIGTERM and SIGINT flush everything and end with exit code 0; a second one ends the process at once (143, 130).
SIGHUP reads the settings again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import signal
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from nilometer.cli import logs
from nilometer.cli.help import Command, Example
from nilometer.cli.main import DONE
from nilometer.cli.options import with_settings
from nilometer.cli.title import rename
from nilometer.cli.watch import Watch
from nilometer.core import settings as table
from nilometer.core.errors import NilometerError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from nilometer.cli.options import Chosen
    from nilometer.cli.plan import Plan
    from nilometer.cli.server import Server

LOG = logging.getLogger(__name__)
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
TICK = 0.1
"""Seconds between two looks at bad lines, and at statsd's file."""


def _plan(chosen: Chosen, flags: dict[str, object], statsd_config: Path | None, proxy_config: Path | None) -> Plan:
    """Read the settings. Raise `ConfigError`."""
    from nilometer.cli.plan import Plan  # noqa: PLC0415 help and errors in settings need no server

    if proxy_config is not None:
        return _proxy(chosen, flags, proxy_config)
    if statsd_config is None:
        return Plan(chosen.settings(flags))
    from nilometer.ingest.statsd import translate as files  # noqa: PLC0415 only who has such a file needs its reader

    found = files.load(statsd_config)
    base = table.load(chosen.file, os.environ, {**chosen.flags, **flags})
    return Plan(files.apply(base, found, statsd_config), found.mode, found.warnings)


def _proxy(chosen: Chosen, flags: dict[str, object], file: Path) -> Plan:
    """Read the settings of a server in place of statsd's cluster proxy. Raise `ConfigError`."""
    from nilometer.cli.plan import Plan  # noqa: PLC0415 see above
    from nilometer.ingest.statsd import proxy, translate  # noqa: PLC0415 see above

    found = proxy.load(file)
    base = table.load(chosen.file, os.environ, {**chosen.flags, **flags})
    return Plan(translate.apply(base, found, file), None, found.warnings)


def _loop(server: Server, plan: Callable[[], Plan], watch: Watch | None) -> None:
    """Serve until a signal says that it is enough; `watch` is on the file that is read again when it changes."""
    while True:
        received = signal.sigtimedwait(SIGNALS, TICK)
        if received is None:
            server.tend()
            if watch is not None and watch.changed() and server.watches:
                _reload(server, plan)
        elif received.si_signo == signal.SIGHUP:
            if watch is not None:
                watch.note()
            _reload(server, plan)
        else:
            return


def _reload(server: Server, plan: Callable[[], Plan]) -> None:
    try:
        server.reload(plan())
    except NilometerError as error:
        LOG.error("settings not reloaded, the old ones go on: %s", error)  # noqa: TRY400 the reason is the message
    except Exception:  # a fault of ours in the reload must not end a server that works
        LOG.exception("settings not reloaded as a whole")


def _end_at_once(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    os._exit(128 + number)


def _stop(server: Server) -> None:
    """Stop, unless another signal ends the process first."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end_at_once)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))
    server.stop()


def run(plan: Callable[[], Plan], watched: Path | None = None) -> int:
    """Run a server and return the exit code; `watched` is statsd's file. Raise `NilometerError` when it cannot start."""
    from nilometer.cli.server import Server  # noqa: PLC0415 see _plan
    from nilometer.ingest import _kernel  # noqa: PLC0415 it loads the native module

    watch = None if watched is None else Watch(watched)
    first = plan()
    logs.configure(first.settings.log, first.statsd)
    if first.statsd is not None and first.statsd.title:
        rename(first.statsd.title)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # threads inherit it: signals wait for _loop
    kernel = _kernel.create()
    _allow_files()
    server = Server(first, kernel)
    server.start()
    try:
        _loop(server, plan, watch)
    finally:
        _stop(server)
    return DONE


def _allow_files() -> None:
    """Raise the bound on open files as far as we may: every stream connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@click.command(
    cls=Command,
    examples=[
        Example("With the embedded store", "nilometer serve"),
        Example("To Graphite and to the console", "nilometer serve graphite://localhost console://"),
        Example("Another port, every second", "nilometer serve --listen udp://:9125 --flush-interval 1s graphite://localhost"),
        Example("In place of statsd", "nilometer serve --statsd-config /etc/statsd/config.json"),
    ],
    exits={0: "stopped by SIGTERM or SIGINT", 1: "could not start", 2: "wrong use, a wrong setting or URL"}
    | {130: "a second signal, SIGINT, ended the server before everything was flushed", 143: "the same, by SIGTERM"},
)
@click.option("--listen", "listen", multiple=True, metavar="URL", help="Same as --server-listen.")
@click.option(
    "--statsd-config",
    "statsd_config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Serve as statsd would with this configuration file.",
)
@click.option(
    "--statsd-proxy-config",
    "proxy_config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Serve as statsd's cluster proxy would with this configuration file.",
)
@click.argument("urls", nargs=-1, metavar="[URL]...")
@with_settings
def command(
    urls: tuple[str, ...], listen: tuple[str, ...], statsd_config: Path | None, proxy_config: Path | None, chosen: Chosen
) -> int:
    """Receive metrics and send aggregates on.

    Every URL is a sink that gets each flush; without any, the embedded store does. See docs/reference for all of them.
    """
    flags: dict[str, object] = {}
    if urls:
        flags["server.sinks"] = list(urls)
    if listen:
        flags["server.listen"] = list(listen)
    if statsd_config is not None and proxy_config is not None:
        message = "a server stands in for statsd or for its proxy: give either --statsd-config or --statsd-proxy-config"
        raise click.UsageError(message)
    return run(lambda: _plan(chosen, flags, statsd_config, proxy_config), statsd_config)
