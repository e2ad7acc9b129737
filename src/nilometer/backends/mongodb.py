"""Collections of MongoDB, and how large they are.

Rules:

* ``collStats`` of each collection, and nothing else: no document is read. Views are left out, and the server's own databases.
* Bytes are those on disk, exact; ``data_bytes`` before compression. Documents are an estimate: the count that the server keeps,
  which is wrong after a crash, and with orphans on shards. Of a time series there is no count: the server counts its buckets.
* Indexes are rows of their own. The project is the database.

Source: https://www.mongodb.com/docs/manual/reference/command/collStats/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nilometer.backends._parts.mongodb import Connection, Login, connection, database
from nilometer.backends._parts.table_filter import EXCLUDE, INCLUDE, MOST, Filter
from nilometer.core.errors import Unavailable
from nilometer.core.options import at_least, option
from nilometer.core.table import ITEMS, SIZE, Fault, Figure, Quality, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.core.url import Url

SCHEMES = ("mongodb", "mongodb+srv")
URL_EXAMPLES = (
    "mongodb://localhost:27017",
    "mongodb://nilometer:secret@one.example,two.example/shop?replica_set=rs0&tls=true",
    "mongodb+srv://nilometer:secret@cluster.example/shop?include=shop.order*",
)
EXTRA = "mongodb"
OWN = frozenset({"admin", "config", "local"})
VIEW, TIME_SERIES = "view", "timeseries"
SYSTEM = "system."


@dataclass(frozen=True, slots=True)
class Options(Login):
    """How to reach the server, and which collections."""

    include: str = option("", INCLUDE)
    exclude: str = option("", EXCLUDE)
    tables: int = option(100_000, MOST)


class MongoDB:
    """Reads the collections of one database, or of all."""

    def __init__(self, connection: Connection, database: str, options: Options) -> None:
        self._connection, self._database, self._options = connection, database, options

    def read_tables(self) -> Iterator[Table | Fault]:
        """Yield every collection, followed by its indexes. Raise `Unavailable` when not even their list can be had."""
        wanted, number = Filter(self._options), 0
        for name in self._databases():
            for told in self._collections(name):
                collection = str(told["name"])
                if told.get("type") == VIEW or collection.startswith(SYSTEM) or not wanted(name, collection):
                    continue
                number += 1
                if number > self._options.tables:
                    return
                yield from self._collection(name, collection, series=told.get("type") == TIME_SERIES)

    def _databases(self) -> list[str]:
        if self._database:
            return [self._database]
        return sorted(set(self._connection.ask(lambda client: client.list_database_names())) - OWN)

    def _collections(self, database: str) -> list[dict[str, Any]]:
        found = self._connection.ask(lambda client: list(client[database].list_collections()))
        return sorted(found, key=lambda told: str(told["name"]))

    def _collection(self, database: str, name: str, *, series: bool) -> Iterator[Table | Fault]:
        try:
            told = self._connection.ask(lambda client: client[database].command("collStats", name))
        except Unavailable as error:
            yield Fault(database, name, str(error))
            return
        known = {SIZE: ("storageSize", Quality.EXACT), "data_bytes": ("size", Quality.EXACT)}
        if not series:
            known[ITEMS] = ("count", Quality.ESTIMATE)
        figures = {
            ours: Figure(float(told[theirs]), quality)
            for ours, (theirs, quality) in known.items()
            if isinstance(told.get(theirs), int | float)
        }
        yield Table(database, name, status="active", figures=figures)
        sizes = told.get("indexSizes")
        for index, size in sorted(sizes.items()) if isinstance(sizes, dict) else ():
            yield Table(database, name, index, "active", {SIZE: Figure(float(size))})

    def check(self) -> str:
        """Return the server's version. Raise `Unavailable`."""
        return self._connection.check()

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def open(url: Url) -> MongoDB:  # noqa: A001 each backend has this name
    """Open ``mongodb://HOST[/DATABASE]``. Raise `UrlError` for a wrong part. Connect on first use, not here."""
    options = url.options(Options)
    at_least(url, "tables", options.tables, 1)
    return MongoDB(connection(url, options), database(url), options)
