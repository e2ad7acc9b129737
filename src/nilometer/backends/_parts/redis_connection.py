"""A connection to Redis by URL: over TCP, TLS or a Unix socket, alone or found by Sentinel."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nilometer.backends._parts.http import shown
from nilometer.backends._parts.tls import CA, CERT, KEY, VERIFY, tls_context
from nilometer.core.errors import Rejected, Unavailable
from nilometer.core.options import at_least, option, refuse
from nilometer.core.quantity import Duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nilometer.core.url import Url

PORT, SENTINEL_PORT = 6379, 26379
UNIX = "redis+unix"
SENTINEL = ("redis+sentinel", "rediss+sentinel", "redissentinel")
BUSY = ("MISCONF", "BUSY", "NOREPLICAS", "MASTERDOWN", "LOADING", "max number of clients")
"""How answers begin that mean: not now; those that have a class in the driver are known by that."""


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How to reach the server."""

    timeout: Duration = option(Duration(5), "longest time to connect, and for an answer")  # noqa: RUF009 declares a field
    service: str = option("mymaster", "with Sentinel: the name of the primary that it watches")
    ca: str = option("", CA)
    cert: str = option("", CERT)
    key: str = option("", KEY)
    verify: bool = option(default=True, text=VERIFY)


def connecting(url: Url, options: ConnectionOptions) -> Callable[[], Any]:
    """Return what makes the driver's client; it connects on first use. Raise `UrlError` for a wrong part."""
    import redis  # noqa: PLC0415 a driver is imported where it is used; missing, it is missed here
    from redis import sentinel  # noqa: PLC0415 see above
    from redis.backoff import NoBackoff  # noqa: PLC0415 see above
    from redis.retry import Retry  # noqa: PLC0415 see above

    at_least(url, "timeout", options.timeout, 0.001)
    tls = url.scheme.startswith("rediss:") or url.scheme in ("rediss", "rediss+sentinel")
    tls_context(url, options, wanted=tls, cure=f"write rediss{url.scheme.removeprefix('redis')}://")
    settings: dict[str, Any] = {
        "socket_timeout": float(options.timeout),
        "socket_connect_timeout": float(options.timeout),
        "username": url.user or None,
        "password": url.password,
        "db": _database(url),
        "retry": Retry(NoBackoff(), 0),
    }
    if tls:
        settings |= {
            "ssl": True,
            "ssl_ca_certs": options.ca or None,
            "ssl_certfile": options.cert or None,
            "ssl_keyfile": options.key or options.cert or None,
            "ssl_cert_reqs": "required" if options.verify else "none",
            "ssl_check_hostname": options.verify,
        }
    if url.scheme in SENTINEL:
        hosts = [(host.name, host.port or SENTINEL_PORT) for host in url.hosts]
        if not hosts:
            raise refuse(url, f"names no host; write {url.scheme}://localhost:{SENTINEL_PORT}")
        ours = {name: value for name, value in settings.items() if name.startswith(("socket", "ssl", "retry"))}
        finder: Any = sentinel.Sentinel  # it has no types
        return lambda: finder(hosts, sentinel_kwargs=ours, **settings).master_for(options.service)
    if url.scheme == UNIX:
        if url.hosts or not url.path.strip("/"):
            raise refuse(url, "names a socket alone, as in redis+unix:///run/redis/redis.sock")
        return lambda: redis.Redis(unix_socket_path=url.path, **settings)
    if len(url.hosts) > 1 or not url.host:
        raise refuse(url, f"names one host; write {url.scheme}://localhost:{PORT}")
    return lambda: redis.Redis(host=url.host, port=url.port or PORT, **settings)


def _database(url: Url) -> int:
    """Return the number of the database, the last part of the path. Raise `UrlError`."""
    found = "" if url.scheme == UNIX else url.path.strip("/")
    if not found:
        return 0
    if not (found.isascii() and found.isdigit()):
        raise refuse(url, f"takes the number of a database as its path, found {found!r}")
    return int(found)


class Connection:
    """One client, made on first use; whatever the driver raises becomes one of our errors."""

    def __init__(self, url: Url, options: ConnectionOptions) -> None:
        self._connect, self._name = connecting(url, options), str(url).partition("?")[0]
        self._client: Any = None

    @contextlib.contextmanager
    def __call__(self) -> Iterator[Any]:
        """Give the client. Raise `Unavailable` for what may pass, `Rejected` for what the server refuses."""
        from redis import exceptions as faults  # noqa: PLC0415 a driver

        try:
            if self._client is None:
                self._client = self._connect()
            yield self._client
        except (faults.ReadOnlyError, faults.OutOfMemoryError, faults.TryAgainError, faults.ClusterDownError) as error:
            raise Unavailable(self._told(error)) from error
        except faults.ResponseError as error:
            if str(error).startswith(BUSY):
                raise Unavailable(self._told(error)) from error
            raise Rejected(self._told(error)) from error
        except (faults.RedisError, OSError, ValueError) as error:
            raise Unavailable(self._told(error)) from error

    def _told(self, error: Exception) -> str:
        return f"{self._name}: {shown(error)[:300]}"

    def close(self) -> None:
        """Hang up."""
        client, self._client = self._client, None
        if client is not None:
            client.close()
