"""Where a database server is, and what its driver is told: PostgreSQL by psycopg, MySQL and MariaDB by PyMySQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from nilometer.backends._parts.tls import tls_context
from nilometer.core.options import at_least, refuse

if TYPE_CHECKING:
    import ssl

    from nilometer.backends._parts.sql.database import Database
    from nilometer.core.tls import ClientFiles
    from nilometer.core.url import Url

    class Options(ClientFiles, Protocol):
        """The options of whatever speaks to a server."""

        @property
        def timeout(self) -> float:
            """How long connecting, or a question, may take, in seconds."""

        @property
        def tls(self) -> bool:
            """Speak TLS."""


DRIVERS = {"mysql": ("mysql+pymysql", 3306), "postgresql": ("postgresql+psycopg", 5432)}


@dataclass(frozen=True, slots=True)
class Place:
    """A server's database: its URL, the seconds that a question may take, and what the driver is told."""

    url: Url
    database: str
    seconds: float
    connect: dict[str, Any]


def place(url: Url, options: Options, *, whole: bool = False) -> Place:
    """Read a URL; a `whole` server needs no database in it. Raise `UrlError`."""
    at_least(url, "timeout", options.timeout, 0.1)
    _, port = DRIVERS[url.scheme]
    database = url.path.removeprefix("/")
    if len(url.hosts) != 1 or not url.host:
        raise refuse(url, f"names one server; write {url.scheme}://user@localhost:{port}/database")
    if (not database and not whole) or "/" in database:
        raise refuse(url, f"names no database; write {url.scheme}://user@localhost:{port}/database")
    context = tls_context(url, options, wanted=options.tls, cure="add tls=true")
    told = _mysql(options, context) if url.scheme == "mysql" else _postgresql(options, context)
    return Place(url, database, options.timeout, told)


def database(place: Place) -> Database:
    """Return the database. Raise ImportError for a missing driver. Connects on first use, not here."""
    import sqlalchemy as sa  # noqa: PLC0415 who opens no store needs no SQLAlchemy

    from nilometer.backends._parts.sql.database import on_server  # noqa: PLC0415 see above

    url = place.url
    name = sa.URL.create(DRIVERS[url.scheme][0], url.user, url.password, url.host, url.port, place.database)
    return on_server(str(url), name, place.seconds, place.connect)


def _mysql(options: Options, context: ssl.SSLContext | None) -> dict[str, Any]:
    """Return what PyMySQL is told; it waits a little longer than the server, which then says why."""
    seconds = max(int(options.timeout), 1)
    waits = {"connect_timeout": seconds, "read_timeout": seconds + 2, "write_timeout": seconds + 2}
    return {**waits, "charset": "utf8mb4", "ssl_disabled": context is None} | ({} if context is None else {"ssl": context})


def _postgresql(options: Options, context: ssl.SSLContext | None) -> dict[str, Any]:
    """Return what libpq is told. It reads the files by itself, which `context` has shown to be good."""
    milliseconds = int(options.timeout * 1000)
    found: dict[str, Any] = {
        "connect_timeout": max(int(options.timeout), 2),
        "tcp_user_timeout": milliseconds,
        "options": f"-c statement_timeout={milliseconds}",
        "application_name": "nilometer",
        "client_encoding": "utf8",
        "sslmode": "disable" if context is None else ("verify-full" if options.verify else "require"),
    }
    if context is not None:
        files = {"sslrootcert": options.ca or "system" if options.verify else "", "sslcert": options.cert}
        files["sslkey"] = options.key or options.cert
        found |= {name: file for name, file in files.items() if file}
    return found
