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

from nilometer.backends._parts.http import shown
from nilometer.backends._parts.table_filter import EXCLUDE, INCLUDE, MOST, Filter
from nilometer.backends._parts.tls import CA, KEY, VERIFY, tls_context
from nilometer.core.errors import Unavailable
from nilometer.core.options import at_least, option, refuse
from nilometer.core.quantity import Duration
from nilometer.core.table import ITEMS, SIZE, Fault, Figure, Quality, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
PORT = 27017


@dataclass(frozen=True, slots=True)
class Options:
    """How to reach the server, and which collections."""

    timeout: Duration = option(Duration(10), "longest time to find a server, and for an answer")  # noqa: RUF009 declares a field
    include: str = option("", INCLUDE)
    exclude: str = option("", EXCLUDE)
    tables: int = option(100_000, MOST)
    auth_source: str = option("admin", "the database that knows the user")
    replica_set: str = option("", "name of the replica set; empty asks one server alone")
    tls: bool = option(default=False, text="speak TLS")
    ca: str = option("", CA)
    cert: str = option("", "file with our certificate and its private key, PEM")
    key: str = option("", KEY)
    verify: bool = option(default=True, text=VERIFY)


class MongoDB:
    """Reads the collections of one database, or of all. `connect` makes the driver's client."""

    def __init__(self, connect: Callable[[], Any], url: str, database: str, options: Options) -> None:
        self._connect, self._url, self._database, self._options = connect, url, database, options
        self._client: Any = None

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
        return sorted(set(self._ask(lambda client: client.list_database_names())) - OWN)

    def _collections(self, database: str) -> list[dict[str, Any]]:
        found = self._ask(lambda client: list(client[database].list_collections()))
        return sorted(found, key=lambda told: str(told["name"]))

    def _collection(self, database: str, name: str, *, series: bool) -> Iterator[Table | Fault]:
        try:
            told = self._ask(lambda client: client[database].command("collStats", name))
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

    def _ask(self, work: Callable[[Any], Any]) -> Any:  # noqa: ANN401 whatever the server answers
        import pymongo  # noqa: PLC0415 a driver is imported where it is used
        from pymongo.errors import PyMongoError  # noqa: PLC0415 see above

        try:
            if self._client is None:
                self._client = self._connect()
            with pymongo.timeout(self._options.timeout):
                return work(self._client)
        except PyMongoError as error:
            message = f"{self._url}: {shown(error)[:300]}"
            raise Unavailable(message) from error

    def check(self) -> str:
        """Return the server's version. Raise `Unavailable`."""
        return f"MongoDB {shown(self._ask(lambda client: client.server_info())['version'])}"

    def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            self._client.close()
            self._client = None


def open(url: Url) -> MongoDB:  # noqa: A001 each backend has this name
    """Open ``mongodb://HOST[/DATABASE]``. Raise `UrlError` for a wrong part. Connect on first use, not here."""
    from pymongo import MongoClient  # noqa: PLC0415 a driver is imported where it is used; missing, it is missed here

    options = url.options(Options)
    at_least(url, "timeout", options.timeout, 0.001)
    at_least(url, "tables", options.tables, 1)
    tls_context(url, options, wanted=options.tls, cure="add tls=true")
    if options.key:
        raise refuse(url, "option key: MongoDB's driver takes one file with certificate and key; name it with cert")
    if not url.host:
        raise refuse(url, f"names no host; write {url.scheme}://localhost:{PORT}")
    database = url.path.strip("/")
    if "/" in database:
        raise refuse(url, f"names no database: {database!r}")
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
    elif len(url.hosts) == 1 and url.scheme == SCHEMES[0]:
        settings["directConnection"] = True
    if options.tls:
        settings |= {"tls": True, "tlsAllowInvalidCertificates": not options.verify}
        settings |= {name: file for name, file in (("tlsCAFile", options.ca), ("tlsCertificateKeyFile", options.cert)) if file}
    place = f"{url.scheme}://{','.join(map(str, url.hosts))}/"
    return MongoDB(lambda: MongoClient(place, **settings), str(url), database, options)
