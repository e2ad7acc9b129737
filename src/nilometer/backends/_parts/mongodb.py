"""MongoDB: how its servers are named and reached, for whatever is kept there.

Rules:

* The driver connects on first use. Each question has `timeout`; what the driver raises becomes `Unavailable`, or `Rejected`
  for what cannot be stored as it is.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nilometer.backends._parts.http import shown
from nilometer.backends._parts.tls import CA, KEY, VERIFY, tls_context
from nilometer.core.errors import Rejected, Unavailable
from nilometer.core.options import at_least, one_of, option, refuse
from nilometer.core.quantity import Duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from nilometer.core.url import Url

PORT = 27017
OURS, OSPROFILER = "nilometer", "osprofiler"


@dataclass(frozen=True, slots=True)
class Login:
    """How to reach the server."""

    timeout: Duration = option(Duration(10), "longest time to find a server, and for an answer")  # noqa: RUF009 declares a field
    auth_source: str = option("admin", "the database that knows the user")
    replica_set: str = option("", "name of the replica set; empty asks one server alone")
    tls: bool = option(default=False, text="speak TLS")
    ca: str = option("", CA)
    cert: str = option("", "file with our certificate and its private key, PEM")
    key: str = option("", KEY)
    verify: bool = option(default=True, text=VERIFY)
    layout: str = option(OURS, "how spans are written: `nilometer`, or `osprofiler` for its own readers; both are read")


class Connection:
    """The driver's client, made by `connect` on first use."""

    def __init__(self, connect: Callable[[], Any], url: str, timeout: float) -> None:
        self._connect, self.url, self._timeout = connect, url, timeout
        self._client: Any = None
        self._lock = threading.Lock()

    def _connected(self) -> Any:  # noqa: ANN401 the driver's client
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def ask(self, work: Callable[[Any], Any]) -> Any:  # noqa: ANN401 whatever the server answers
        """Return what a question to the client is answered with. Raise `Unavailable` or `Rejected`."""
        import pymongo  # noqa: PLC0415 a driver is imported where it is used
        from bson.errors import BSONError  # noqa: PLC0415 see above
        from pymongo.errors import DocumentTooLarge, PyMongoError  # noqa: PLC0415 see above

        try:
            with pymongo.timeout(self._timeout):
                return work(self._connected())
        except (DocumentTooLarge, BSONError, OverflowError, UnicodeError) as error:
            message = f"{self.url}: {shown(error)}"
            raise Rejected(message) from error
        except PyMongoError as error:
            message = f"{self.url}: {shown(error)}"
            raise Unavailable(message) from error

    def check(self) -> str:
        """Return the server's version. Raise `Unavailable`."""
        return f"MongoDB {shown(self.ask(lambda client: client.server_info())['version'])}"

    def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            self._client.close()
            self._client = None


def connection(url: Url, options: Login) -> Connection:
    """Return the connection that a URL names. Raise `UrlError` for a wrong part. It connects on first use."""
    from pymongo import MongoClient  # noqa: PLC0415 a driver is imported where it is used; missing, it is missed here

    at_least(url, "timeout", options.timeout, 0.001)
    one_of(url, "layout", options.layout, (OURS, OSPROFILER))
    tls_context(url, options, wanted=options.tls, cure="add tls=true")
    if options.key:
        raise refuse(url, "option key: MongoDB's driver takes one file with certificate and key; name it with cert")
    if not url.host:
        raise refuse(url, f"names no host; write {url.scheme}://localhost:{PORT}")
    settings = _settings(url, options)
    place = f"{url.scheme}://{','.join(map(str, url.hosts))}/"
    return Connection(lambda: MongoClient(place, **settings), str(url), options.timeout)


def database(url: Url) -> str:
    """Return the database that a URL names, empty for none. Raise `UrlError`."""
    name = url.path.strip("/")
    if "/" in name:
        raise refuse(url, f"names no database: {name!r}")
    return name


def _settings(url: Url, options: Login) -> dict[str, Any]:
    milliseconds = int(options.timeout * 1000)
    settings: dict[str, Any] = {
        "serverSelectionTimeoutMS": milliseconds,
        "connectTimeoutMS": milliseconds,
        "socketTimeoutMS": milliseconds,
        "appname": "nilometer",
    }
    if url.user is not None:
        settings |= {"username": url.user, "password": url.password or "", "authSource": options.auth_source}
    if options.replica_set:
        settings["replicaSet"] = options.replica_set
    elif len(url.hosts) == 1 and not url.scheme.endswith("+srv"):
        settings["directConnection"] = True
    if options.tls:
        settings |= {"tls": True, "tlsAllowInvalidCertificates": not options.verify}
        settings |= {name: file for name, file in (("tlsCAFile", options.ca), ("tlsCertificateKeyFile", options.cert)) if file}
    return settings
