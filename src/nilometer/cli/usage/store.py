"""The store of events that usage is read from."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import click

from nilometer.backends import registry
from nilometer.core import url as urls
from nilometer.core.errors import InputError, SettingError
from nilometer.query import times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from nilometer.cli.options import Chosen
    from nilometer.core.capability import EventStore

    F = TypeVar("F", bound="Callable[..., object]")

NONE = "none"
HELP = (
    "The store of events, such as postgresql://user@host/events; by default that of the server on this machine; none reads no"
    " events."
)


def with_store(function: F) -> F:
    """Give a command the option of the store, as the argument ``store``."""
    return click.option("--store", default="", metavar="URL", help=HELP)(function)


def own(chosen: Chosen) -> Path:
    """Return the file in which the server on this machine keeps events, unless its settings name another store."""
    from nilometer.cli.eventing import FILE  # noqa: PLC0415 help needs none of it

    return chosen.settings().server.state.absolute() / FILE


@contextmanager
def opened(text: str, usual: str) -> Iterator[EventStore | None]:
    """Open the store that was named, else the usual one; None for none. Raise `UrlError`."""
    url = text or usual
    if url == NONE:
        yield None
        return
    store = registry.open(urls.parse(url), registry.EVENT_STORE)
    try:
        yield store
    finally:
        store.close()


def moment(text: str, now: float, name: str) -> float:
    """Return the time that an option names, in seconds since the epoch. Raise `SettingError`."""
    try:
        return float(times.moment(text, int(now)))
    except (InputError, ValueError) as error:
        message = f"--{name}: {error}"
        raise SettingError(message) from error
