"""Where a StatsD URL points to, for whoever sends there: the server that repeats its flushes, and an application's client.

statsd://HOST[:8125]             datagrams
statsd+tcp://HOST[:8125]         a stream
statsd+unix:///PATH              a stream over a Unix socket
statsd+unixgram:///PATH          datagrams over a Unix socket
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, NamedTuple

from nilometer.core.options import no_login, one_host, refuse

if TYPE_CHECKING:
    from nilometer.core.url import Url

SCHEMES = ("statsd", "statsd+tcp", "statsd+unix", "statsd+unixgram")
STREAMS = ("statsd+tcp", "statsd+unix")
PORT = 8125


class Target(NamedTuple):
    """Host and port, or a Unix socket's path; datagrams or a stream. `family`: ``ipv4`` or ``ipv6`` where only one will do."""

    host: str
    port: int
    path: str
    stream: bool
    family: str = ""

    @property
    def local(self) -> bool:
        """Whether what is sent stays on this machine, as far as the address tells."""
        if self.path or self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.partition("%")[0]).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return self.path or f"{self.host} port {self.port}"


def target(url: Url) -> Target:
    """Return where a URL points to. Raise `UrlError` when it is not a place of its scheme's kind."""
    if url.scheme not in SCHEMES:
        raise refuse(url, f"is none of {', '.join(f'{each}://' for each in SCHEMES)}")
    stream = url.scheme in STREAMS
    if url.scheme in ("statsd", "statsd+tcp"):
        return Target(*one_host(url, PORT), "", stream)
    if url.hosts or not url.path.strip("/"):
        raise refuse(url, f"names no socket; write {url.scheme}:///path/of/the/socket, with three slashes")
    no_login(url)
    return Target("", 0, url.path, stream)
