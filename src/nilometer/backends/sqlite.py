"""Events, traces and statistics in a file of SQLite: ``sqlite:///name.db``.

Rules:

* Several processes may write it and read it; the file may hold series, too.
* A batch is stored when its write returns, also when the machine crashes then (WAL with ``synchronous=FULL``).
* Reading waits for no writer. A writer waits for another one for as long as `timeout`.
* The file is made with the first event or span, or when statistics are first used.

Tables: docs/reference/backends.md
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nilometer.backends._parts.trace_list import LAYOUT, LAYOUTS
from nilometer.core.errors import MissingDriver
from nilometer.core.options import at_least, one_of, option
from nilometer.core.quantity import Duration
from nilometer.core.sqlite import file_of

if TYPE_CHECKING:
    from nilometer.backends._parts.sql.database import Database
    from nilometer.backends._parts.sql.statistics.store import SqlStatistics
    from nilometer.backends._parts.sql.store import SqlEvents
    from nilometer.backends._parts.sql.traces import SqlTraces
    from nilometer.core.url import Url

SCHEMES = ("sqlite",)
URL_EXAMPLES = ("sqlite:///events.db", "sqlite:////var/lib/nilometer/events.db?timeout=10s")
EXTRA = ""


@dataclass(frozen=True, slots=True)
class Options:
    """How long to wait."""

    timeout: Duration = option(Duration(5), "how long a question, and the wait for another writer, may take")  # noqa: RUF009 a field
    layout: str = option("spans", LAYOUT)


def open(url: Url) -> SqlEvents:  # noqa: A001 each backend has this name
    """Open the events in ``sqlite:///name.db``; the file is made with the first. Raise `UrlError` for a wrong option."""
    database = _database(url)
    from nilometer.backends._parts.sql.store import SqlEvents  # noqa: PLC0415 who opens no store needs no SQLAlchemy

    return SqlEvents(database)


def open_traces(url: Url) -> SqlTraces:
    """Open the traces in ``sqlite:///name.db``; the file is made with the first. Raise `UrlError` for a wrong option."""
    layout, database = one_of(url, "layout", url.options(Options).layout, LAYOUTS), _database(url)
    from nilometer.backends._parts.sql.traces import SqlTraces  # noqa: PLC0415 see above

    return SqlTraces(database, theirs=layout == "osprofiler")


def open_statistics(url: Url) -> SqlStatistics:
    """Open the statistics in ``sqlite:///name.db``; the file is made at the first use. Raise `UrlError` for a wrong option."""
    database = _database(url)
    from nilometer.backends._parts.sql.statistics.store import SqlStatistics  # noqa: PLC0415 see above

    return SqlStatistics(database)


def _database(url: Url) -> Database:
    options, file = url.options(Options), file_of(url)
    at_least(url, "timeout", options.timeout, 0.1)
    try:
        from nilometer.backends._parts.sql.database import in_file  # noqa: PLC0415 see above
    except ImportError as error:
        message = f"{url}: {error}; type: pip install 'nilometer[server]'"
        raise MissingDriver(message) from error
    return in_file(file, options.timeout)
