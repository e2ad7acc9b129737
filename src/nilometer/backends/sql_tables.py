"""Tables of a database server, and how large they are: ``postgresql://`` and ``mysql://``, which MariaDB answers to, too.

Rules:

* Nothing is changed, and no table's rows are read: sizes and counts are what the server knows.
* A server that does not answer within `timeout` is away.

What is read: `_parts/sql/postgresql_tables.py` and `_parts/sql/mysql_tables.py`
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from nilometer.backends._parts.sql import server
from nilometer.backends._parts.table_filter import EXCLUDE, INCLUDE, MOST, Filter
from nilometer.backends._parts.tls import CA, CERT, KEY, VERIFY
from nilometer.core.options import at_least, option
from nilometer.core.quantity import Duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.backends._parts.sql.database import Database
    from nilometer.core.table import Fault, Table
    from nilometer.core.url import Url

SCHEMES = ("mysql", "postgresql")
URL_EXAMPLES = (
    "postgresql://nilometer:secret@localhost/shop",
    "mysql://nilometer:secret@localhost",
    "postgresql://nilometer@db.example/shop?include=public.*&exclude=*_old&tls=true",
)
EXTRA = ""
"""Each scheme has its own, see the registry."""
READERS = {"mysql": "mysql_tables", "postgresql": "postgresql_tables"}


@dataclass(frozen=True, slots=True)
class Options:
    """How to reach the server, and which tables."""

    timeout: Duration = option(Duration(10), "how long connecting, or a question, may take")  # noqa: RUF009 declares a field
    include: str = option("", INCLUDE)
    exclude: str = option("", EXCLUDE)
    tables: int = option(100_000, MOST)
    tls: bool = option(default=False, text="speak TLS")
    ca: str = option("", CA)
    cert: str = option("", CERT)
    key: str = option("", KEY)
    verify: bool = option(default=True, text=VERIFY)


class SqlTables:
    """Reads the tables of one server: of PostgreSQL those of the URL's database, of MySQL all that the user may see."""

    def __init__(self, database: Database, scheme: str, options: Options) -> None:
        self._database, self._options = database, options
        self._read = import_module(f"nilometer.backends._parts.sql.{READERS[scheme]}").read

    def read_tables(self) -> Iterator[Table | Fault]:
        """Yield every table, followed by its indexes. Raise `Unavailable` when the server cannot be read."""
        found: Iterator[Table | Fault] = self._read(self._database, Filter(self._options), self._options.tables)
        return found

    def close(self) -> None:
        """Hang up."""
        self._database.close()


def open(url: Url) -> SqlTables:  # noqa: A001 each backend has this name
    """Open ``postgresql://USER@HOST/DATABASE``. Raise `UrlError` for a wrong part. Connect on first use, not here."""
    options = url.options(Options)
    at_least(url, "tables", options.tables, 1)
    place = server.place(url, options, whole=url.scheme == "mysql")
    return SqlTables(server.database(place), url.scheme, options)
