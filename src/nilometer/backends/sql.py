"""Events and traces in a database on a server: ``postgresql://`` and ``mysql://`` (MariaDB, too); statistics in PostgreSQL.

Rules:

* A batch is stored when its write returns: the server has committed it.
* The tables are made with the first event or span, those of statistics at the first use; the user needs the right to.
* A server that does not answer within `timeout` is away.

Tables: docs/reference/backends.md
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nilometer.backends._parts.sql import server
from nilometer.backends._parts.tls import CA, CERT, KEY, VERIFY
from nilometer.backends._parts.trace_list import LAYOUT, LAYOUTS
from nilometer.core.options import one_of, option
from nilometer.core.quantity import Duration

if TYPE_CHECKING:
    from nilometer.backends._parts.sql.statistics.store import SqlStatistics
    from nilometer.backends._parts.sql.store import SqlEvents
    from nilometer.backends._parts.sql.traces import SqlTraces
    from nilometer.core.url import Url

SCHEMES = ("mysql", "postgresql")
URL_EXAMPLES = (
    "mysql://nilometer:secret@localhost/events",
    "postgresql://nilometer:secret@localhost/events",
    "postgresql://nilometer@db.example:5432/events?tls=true&ca=/etc/nilometer/ca.pem",
)
EXTRA = ""
"""Each scheme has its own, see the registry."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to reach the server."""

    timeout: Duration = option(Duration(10), "how long connecting, or a question, may take")  # noqa: RUF009 declares a field
    tls: bool = option(default=False, text="speak TLS")
    ca: str = option("", CA)
    cert: str = option("", CERT)
    key: str = option("", KEY)
    verify: bool = option(default=True, text=VERIFY)
    layout: str = option("spans", LAYOUT)


def open(url: Url) -> SqlEvents:  # noqa: A001 each backend has this name
    """Open ``postgresql://USER@HOST/DATABASE``. Raise `UrlError` for a wrong part. Connect on first use, not here."""
    options = url.options(Options)
    place = server.place(url, options)
    from nilometer.backends._parts.sql.store import SqlEvents  # noqa: PLC0415 who opens no store needs no SQLAlchemy

    return SqlEvents(server.database(place))


def open_traces(url: Url) -> SqlTraces:
    """Open the traces in a database. Raise `UrlError` for a wrong part. Connect on first use, not here."""
    options = url.options(Options)
    layout, place = one_of(url, "layout", options.layout, LAYOUTS), server.place(url, options)
    from nilometer.backends._parts.sql.traces import SqlTraces  # noqa: PLC0415 who opens no store needs no SQLAlchemy

    return SqlTraces(server.database(place), theirs=layout == "osprofiler")


def open_statistics(url: Url) -> SqlStatistics:
    """Open the statistics in a database of PostgreSQL. Raise `UrlError` for a wrong part. Connect on first use, not here."""
    place = server.place(url, url.options(Options))
    from nilometer.backends._parts.sql.statistics.store import SqlStatistics  # noqa: PLC0415 see above

    return SqlStatistics(server.database(place))
