"""What the URL of a notifier's driver says besides the options of its backend."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.options import at_least, one_of, option
from nilometer.core.quantity import Duration, Size
from nilometer.core.url import parse
from nilometer.core.wire.event import PRIORITIES

if TYPE_CHECKING:
    from nilometer.core.url import Url


@dataclass(frozen=True, slots=True)
class Options:
    """What a driver gets, and how much waits for it."""

    driver: str = option("", "what the driver is called in the registry and in a routing file; else the URL's scheme")
    accept: str = option("", "globs of the events' types that it gets, as in `*.table.*,*.error`; else all")
    priorities: str = option("", "the priorities that it gets, as in `info,error`; else all")
    hold: int = option(10_000, "events that wait in memory; beyond that the oldest are dropped and counted")
    spool: str = option("", "a directory for what waits while the other side is away, and over a restart")
    spool_size: Size = option(Size(64 << 20), "most bytes in that directory, for each process")  # noqa: RUF009 declares a field
    spool_age: Duration = option(Duration(7 * 86_400), "the longest that an event waits there")  # noqa: RUF009 declares a field


NAMES = frozenset(field.name for field in dataclasses.fields(Options))


class Read(NamedTuple):
    """A URL as its backend reads it, and the options that are the driver's."""

    url: Url
    options: Options
    accept: tuple[str, ...]
    priorities: tuple[str, ...]


def read(text: str, spool: str) -> Read:
    """Read a driver's URL; `spool` is its directory unless the URL names one. Raise `UrlError` for a wrong part."""
    url = parse(text)
    own = tuple((name, value) for name, value in url.query if name in NAMES)
    rest = tuple((name, value) for name, value in url.query if name not in NAMES)
    options = dataclasses.replace(url, query=own).options(Options)
    for name, least in (("hold", 1), ("spool_size", 1), ("spool_age", 0)):
        at_least(url, name, getattr(options, name), least)
    priorities = listed(options.priorities)
    for priority in priorities:
        one_of(url, "priorities", priority, PRIORITIES)
    chosen = dataclasses.replace(options, spool=options.spool or spool)
    return Read(dataclasses.replace(url, query=rest), chosen, listed(options.accept), priorities)


def listed(text: str) -> tuple[str, ...]:
    """Return what stands between commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
