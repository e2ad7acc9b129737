"""Tables in a file of SQLite, and how large they are.

Rules:

* The file is only read, and never made. Rows are counted, exactly, as long as that takes no longer than `timeout` a table; one
  that takes longer has what the last ANALYZE left (``stale``), or no count.
* Bytes come from `dbstat`: the pages of each table and index. A SQLite without it, or a file too large to go through within
  `timeout`, gives none.
* The project is the file's name without its ending.

Source: https://www.sqlite.org/dbstat.html, https://www.sqlite.org/fileformat2.html#stat1tab
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from threading import Timer
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from nilometer.backends._parts.table_filter import EXCLUDE, INCLUDE, MOST, Filter
from nilometer.core.errors import Unavailable
from nilometer.core.options import at_least, option
from nilometer.core.quantity import Duration
from nilometer.core.sqlite import file_of, translated
from nilometer.core.table import ITEMS, SIZE, Fault, Figure, Quality, Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nilometer.core.url import Url

SCHEMES = ("sqlite",)
URL_EXAMPLES = ("sqlite:////var/lib/shop/shop.db", "sqlite:////var/lib/shop/shop.db?include=shop.order*")
EXTRA = ""
NAMES = (
    "SELECT type, name, tbl_name FROM sqlite_schema WHERE type IN ('table', 'index') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
)
BYTES = "SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE"


@dataclass(frozen=True, slots=True)
class Options:
    """How long to read, and which tables."""

    timeout: Duration = option(Duration(10), "how long a lock is waited for, and counting one table may take")  # noqa: RUF009 declares a field
    include: str = option("", INCLUDE)
    exclude: str = option("", EXCLUDE)
    tables: int = option(100_000, MOST)


class SqliteTables:
    """Reads the tables of one file."""

    def __init__(self, file: Path, options: Options) -> None:
        self._file, self._options = file, options

    def read_tables(self) -> Iterator[Table | Fault]:
        """Yield every table, followed by its indexes. Raise `Unavailable` when the file cannot be read."""
        wanted, project = Filter(self._options), self._file.stem
        with closing(self._opened()) as connection:
            sizes = self._sizes(connection)
            found = self._ask(connection, f"{NAMES} ORDER BY tbl_name, type DESC, name LIMIT ?", self._options.tables)
            for kind, name, table in found:
                if not wanted(project, table):
                    continue
                size = {SIZE: Figure(sizes[name])} if name in sizes else {}
                if kind == "index":
                    yield Table(project, table, name, "active", size)
                else:
                    yield self._table(connection, name, size)

    def _opened(self) -> sqlite3.Connection:
        if not self._file.is_file():
            message = f"{self._file}: there is no such file"
            raise Unavailable(message)
        name = f"file:{quote(str(self._file))}?mode=ro"
        try:
            return sqlite3.connect(name, uri=True, timeout=self._options.timeout, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise self._away(error) from error

    def _away(self, error: sqlite3.Error) -> Unavailable:
        return Unavailable(str(translated(error, self._file)))

    def _ask(self, connection: sqlite3.Connection, statement: str, *values: object) -> list[Any]:
        try:
            with _bounded(connection, self._options.timeout):
                return connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise self._away(error) from error

    def _sizes(self, connection: sqlite3.Connection) -> dict[str, int]:
        """Return the bytes of each table and index by name; none when they cannot be had in time."""
        try:
            with _bounded(connection, self._options.timeout):
                return dict(connection.execute(BYTES).fetchall())
        except sqlite3.OperationalError:
            return {}
        except sqlite3.Error as error:
            raise self._away(error) from error

    def _table(self, connection: sqlite3.Connection, name: str, size: dict[str, Figure]) -> Table | Fault:
        quoted = '"' + name.replace('"', '""') + '"'
        try:
            with _bounded(connection, self._options.timeout):
                count = Figure(connection.execute(f"SELECT count(*) FROM {quoted}").fetchone()[0])  # noqa: S608 quoted
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorname", "") != "SQLITE_INTERRUPT":
                return Fault(self._file.stem, name, str(translated(error, self._file)))
            return Table(self._file.stem, name, status="active", figures=size | _analysed(connection, name))
        return Table(self._file.stem, name, status="active", figures=size | {ITEMS: count})

    def close(self) -> None:
        """Nothing is held between two readings."""


def _analysed(connection: sqlite3.Connection, name: str) -> dict[str, Figure]:
    """Return the rows that the last ANALYZE counted, nothing when there was none."""
    try:
        rows = connection.execute("SELECT stat FROM sqlite_stat1 WHERE tbl = ?", (name,)).fetchall()
        counts = [int(str(stat).split()[0]) for (stat,) in rows if stat]
    except (sqlite3.Error, ValueError):
        return {}
    return {ITEMS: Figure(max(counts), Quality.STALE)} if counts else {}


@contextmanager
def _bounded(connection: sqlite3.Connection, seconds: float) -> Iterator[None]:
    """Interrupt statements that take longer; counting is one step of SQLite's machine, in which it asks nobody."""
    timer = Timer(seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def open(url: Url) -> SqliteTables:  # noqa: A001 each backend has this name
    """Open ``sqlite:////FILE``. Raise `UrlError` for a wrong part."""
    options = url.options(Options)
    at_least(url, "timeout", options.timeout, 0.001)
    at_least(url, "tables", options.tables, 1)
    return SqliteTables(file_of(url), options)
