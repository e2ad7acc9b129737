"""How lines are packed and where they go: the URL of a client (`core.statsd_target`) and its options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nilometer.core.errors import UrlError
from nilometer.core.options import at_least, one_of, option, refuse
from nilometer.core.quantity import Duration
from nilometer.core.statsd_target import Target, target
from nilometer.core.url import parse
from nilometer.emit.client.line import DIALECTS

if TYPE_CHECKING:
    from nilometer.emit.client.line import Pairs

LOCAL_MTU = 8192
"""Bytes of a datagram that does not leave this machine: what DogStatsD's servers read by default."""
ETHERNET_MTU = 1432
"""Bytes of a datagram that fits one Ethernet frame: 1500 less the headers of IPv6, UDP and a tunnel or two."""
LONGEST_DATAGRAM = 65_507
PIECE = 65_536
"""Bytes that a stream is given at a time."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a client's URL."""

    prefix: str = option("", "put before every name, with a dot between")
    tags: str = option("dogstatsd", f"how tags go on the wire: {', '.join(DIALECTS)}")
    constant: str = option("", "tags that every line gets, as in `env:prod,zone:a`")
    mtu: int = option(0, "most bytes in a datagram; 0: 8192 on this machine, 1432 beyond it")
    flush: Duration = option(Duration(0.5), "the longest that a line waits for others; 0 sends each by itself")  # noqa: RUF009 a field
    queue: int = option(10_000, "most lines that wait while the server is away or slow; the oldest are dropped and counted")
    aggregate: bool = option(default=False, text="add up counters, and keep the last value of gauges, until the flush")
    timeout: Duration = option(Duration(5), "streams: longest time to connect, and to send a piece")  # noqa: RUF009 declares a field


def read(text: str) -> tuple[Target, Options]:
    """Read a client's URL. Raise `UrlError`, a ValueError, for a wrong part."""
    if "://" not in text:
        message = f"{text!r} is not a URL of a StatsD server; write statsd://{text or 'localhost'}"
        raise UrlError(message)
    url = parse(text)
    options = url.options(Options)
    one_of(url, "tags", options.tags, DIALECTS)
    for name, least in (("mtu", 0), ("flush", 0), ("queue", 1), ("timeout", 0.001)):
        at_least(url, name, getattr(options, name), least)
    if options.mtu > LONGEST_DATAGRAM:
        raise refuse(url, f"option mtu: {options.mtu} is more than a datagram can hold, {LONGEST_DATAGRAM}")
    return target(url), options


def constant_tags(text: str) -> Pairs:
    """Return the tags that a URL gives to every line."""
    parts = [part.strip().partition(":") for part in text.split(",") if part.strip()]
    return tuple((name, value) for name, _, value in parts)
