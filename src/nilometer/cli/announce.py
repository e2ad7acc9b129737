"""What a server says when it has started: where it listens, where it sends, and what is odd about that."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core import quantity
from nilometer.core.quantity import Size
from nilometer.ingest import _kernel
from nilometer.ingest.admin.problems import small_buffer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from nilometer.cli.plan import Plan
    from nilometer.core.url import Url
    from nilometer.ingest.listeners import Listener

LOG = logging.getLogger(__name__)
REFERENCE = f"THE REFERENCE KERNEL IS IN USE: correct, but many times slower; for the native one: {_kernel.INSTALL}"


class Started(NamedTuple):
    """What has started: `forwarded` are the servers that packets are repeated to, `orphans` the spools of no sink."""

    plan: Plan
    kernel: str
    listeners: Sequence[Listener]
    sinks: Sequence[Url]
    forwarded: Iterable[str]
    orphans: Iterable[Path]


def announce(started: Started) -> None:
    """Say where the server listens and where to look."""
    _warn(started)
    for listener in started.listeners:
        granted = f", receive buffer {quantity.written(Size(min(listener.buffers)))}" if listener.buffers else ""
        LOG.info("listening on %s%s", ", ".join(listener.addresses), granted)
        hint = small_buffer(listener)
        if hint:
            LOG.warning("%s", hint)
    for url in started.sinks:
        LOG.info("every %s to %s", quantity.written(started.plan.settings.flush.interval), url)
    for name in started.forwarded:
        LOG.info("what comes in is forwarded to %s", name)
    for path in started.orphans:
        LOG.warning("%s holds flushes for a sink that is not configured; add the sink, or remove it", path)
    LOG.info("server is up")


def _warn(started: Started) -> None:
    if started.kernel == "reference":
        LOG.warning(REFERENCE)
    for warning in started.plan.warnings:
        LOG.warning("%s", warning)
    if started.plan.alone:
        return
    if not started.listeners:
        LOG.warning("nothing is listened to: the settings name no listener")
    if not started.sinks:
        LOG.warning("nothing is stored or sent: statsd's file names no graphiteHost and no console")
