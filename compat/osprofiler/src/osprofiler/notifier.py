"""Where notifications go: one callable for the whole process, none at first.

`create` makes one for a connection string. It never fails: for one that is wrong it logs what is wrong, once, and gives a
callable that does nothing.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Notifier = Callable[..., Any]

LOG = logging.getLogger(__name__)

_cache: dict[tuple[str, str], Notifier] = {}
_lock = threading.Lock()


def _noop_notifier(info: dict[str, Any], context: object = None) -> None:
    """Take the notification and drop it."""


_notifier: Notifier = _noop_notifier
_told = False


def notify(info: dict[str, Any]) -> None:
    """Give a notification to the notifier. Whatever that raises is logged, the first time, and goes no further."""
    global _told
    try:
        _notifier(info)
    except Exception:
        if not _told:
            _told = True
            LOG.exception("the notifier of traces failed; what it loses from now on is not told again")


def get() -> Notifier:
    """Return the notifier of this process."""
    return _notifier


def set(notifier: Notifier) -> None:  # noqa: A001 the name of the original
    """Use another notifier."""
    global _notifier, _told
    _notifier, _told = notifier, False


def create(connection_string: str, *args: Any, **kwargs: Any) -> Notifier:
    """Return a notifier for a connection string; the same one for the same string and the same project, service and host."""
    from osprofiler.drivers import base  # noqa: PLC0415 drivers know of the notifier

    key = (connection_string, repr((args, sorted((name, str(value)) for name, value in kwargs.items() if name != "context"))))
    with _lock:
        if key not in _cache:
            try:
                _cache[key] = base.get_driver(connection_string, *args, **kwargs).notify
            except Exception:
                LOG.exception("no traces: there is no driver for %s", base.masked(connection_string))
                _cache[key] = _noop_notifier
        return _cache[key]


def clear_notifier_cache() -> None:
    """Forget the notifiers that `create` has made; they deliver what they hold."""
    with _lock:
        _cache.clear()
