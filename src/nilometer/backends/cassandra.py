"""Tables of Cassandra and of ScyllaDB, and how large they are.

Rules:

* Bytes on disk come from ``system_views.disk_usage`` (Cassandra 4 and newer), of every node, replicas included and rounded up
  to mebibytes: their sum is divided by the keyspace's number of copies. Where there is no such table, as in ScyllaDB, they
  come from ``system.size_estimates``: partitions times their mean size.
* ``item_count`` counts partitions, not rows: what ``size_estimates`` of each node says of its own ranges, added up.
* Everything is an estimate. A node that does not answer makes its keyspaces' figures missing, and is a fault.
* Indexes have no size of their own. The project is the keyspace; the system's own are left out.

Source: https://cassandra.apache.org/doc/latest/cassandra/managing/operating/virtualtables.html
"""

from __future__ import annotations

import logging
import ssl  # noqa: TC003 the driver is given one
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nilometer.backends._parts.http import shown
from nilometer.backends._parts.table_filter import EXCLUDE, INCLUDE, MOST, Filter
from nilometer.backends._parts.tls import CA, CERT, KEY, VERIFY, tls_context
from nilometer.core.errors import Unavailable
from nilometer.core.options import at_least, option, refuse
from nilometer.core.quantity import Duration
from nilometer.core.table import ITEMS, SIZE, Fault, Figure, Quality, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nilometer.core.url import Url

    Key = tuple[str, str]

SCHEMES = ("cassandra", "scylla")
URL_EXAMPLES = (
    "cassandra://localhost:9042",
    "cassandra://nilometer:secret@one.example,two.example?include=shop.*&tls=true&ca=/etc/nilometer/ca.pem",
    "scylla://localhost",
)
EXTRA = "cassandra"
PORT = 9042
MEBIBYTE = 1 << 20
OWN = ("system", "system_")
USAGE = "SELECT keyspace_name, table_name, mebibytes FROM system_views.disk_usage"
ESTIMATES = "SELECT keyspace_name, table_name, partitions_count, mean_partition_size FROM system.size_estimates"


@dataclass(frozen=True, slots=True)
class Options:
    """How to reach the cluster, and which tables."""

    timeout: Duration = option(Duration(10), "longest time to connect, and for an answer")  # noqa: RUF009 declares a field
    include: str = option("", INCLUDE)
    exclude: str = option("", EXCLUDE)
    tables: int = option(100_000, MOST)
    tls: bool = option(default=False, text="speak TLS")
    ca: str = option("", CA)
    cert: str = option("", CERT)
    key: str = option("", KEY)
    verify: bool = option(default=True, text=VERIFY)


class Sums:
    """What the nodes said, by table: mebibytes with replicas, partitions, and bytes of partitions."""

    def __init__(self) -> None:
        self.mebibytes: Counter[Key] = Counter()
        self.partitions: Counter[Key] = Counter()
        self.bytes: Counter[Key] = Counter()
        self.views, self.silent = True, list[str]()


class Cassandra:
    """Reads the tables of one cluster. `connect` makes the driver's cluster."""

    def __init__(self, connect: Callable[[], Any], url: str, options: Options) -> None:
        self._connect, self._url, self._options = connect, url, options
        self._cluster: Any = None
        self._session: Any = None

    def read_tables(self) -> Iterator[Table | Fault]:
        """Yield every table, followed by its indexes. Raise `Unavailable` when the cluster cannot be read."""
        sums = self._run(self._sums)
        yield from (Fault("", "", reason) for reason in sums.silent)
        wanted, number = Filter(self._options), 0
        for keyspace in sorted(self._cluster.metadata.keyspaces.values(), key=lambda each: str(each.name)):
            if keyspace.name.startswith(OWN):
                continue
            for name, table in sorted(keyspace.tables.items()):
                if not wanted(keyspace.name, name):
                    continue
                number += 1
                if number > self._options.tables:
                    return
                yield Table(
                    keyspace.name, name, status="active", figures=_figures(sums, (keyspace.name, name), _copies(keyspace))
                )
                yield from (Table(keyspace.name, name, index, "active") for index in sorted(table.indexes))

    def _sums(self) -> Sums:
        """Ask every node."""
        found = Sums()
        hosts = [host for host in self._cluster.metadata.all_hosts() if host.is_up is not False]
        found.silent += [
            f"the node {host.address} is down" for host in self._cluster.metadata.all_hosts() if host.is_up is False
        ]
        for host in hosts:
            self._add_usage(found, host)
            for row in self._ask(ESTIMATES, host):
                key = (row.keyspace_name, row.table_name)
                found.partitions[key] += row.partitions_count
                found.bytes[key] += row.partitions_count * row.mean_partition_size
        return found

    def _add_usage(self, found: Sums, host: Any) -> None:  # noqa: ANN401 the driver has no types
        from cassandra import InvalidRequest  # type: ignore[import-untyped] # noqa: PLC0415 a driver is imported where it is used

        if not found.views:
            return
        try:
            for row in self._ask(USAGE, host):
                found.mebibytes[row.keyspace_name, row.table_name] += row.mebibytes
        except InvalidRequest:
            found.views = False  # it has no such table

    def _ask(self, statement: str, host: Any) -> Any:  # noqa: ANN401 the driver has no types
        from cassandra.query import SimpleStatement  # type: ignore[import-untyped] # noqa: PLC0415 a driver is imported where it is used

        return self._session.execute(SimpleStatement(statement), timeout=self._options.timeout, host=host)

    def _run(self, work: Callable[[], Any]) -> Any:  # noqa: ANN401 what the work returns
        from cassandra import DriverException, RequestExecutionException  # noqa: PLC0415 a driver is imported where it is used
        from cassandra.cluster import NoHostAvailable  # type: ignore[import-untyped] # noqa: PLC0415 see above

        try:
            if self._session is None:
                self._cluster = self._connect()
                self._session = self._cluster.connect()
            return work()
        except (DriverException, RequestExecutionException, NoHostAvailable, OSError) as error:
            self.close()
            message = f"{self._url}: {shown(error)[:300]}"
            raise Unavailable(message) from error

    def check(self) -> str:
        """Return the cluster's name and version. Raise `Unavailable`."""
        row = self._run(lambda: self._session.execute("SELECT cluster_name, release_version FROM system.local").one())
        return f"Cassandra {shown(row.release_version)}, cluster {shown(row.cluster_name)}"

    def close(self) -> None:
        """Hang up."""
        cluster, self._cluster, self._session = self._cluster, None, None
        if cluster is not None:
            cluster.shutdown()


def _copies(keyspace: Any) -> float:  # noqa: ANN401 the driver has no types
    """Return how many copies the cluster keeps, over all data centres; 1 where the strategy does not say."""
    strategy = keyspace.replication_strategy
    factor = getattr(strategy, "replication_factor", None)
    if isinstance(factor, int):
        return max(factor, 1)
    factors = getattr(strategy, "dc_replication_factors", None)
    return max(sum(int(str(each)) for each in factors.values()), 1) if isinstance(factors, dict) else 1


def _figures(sums: Sums, key: Key, copies: float) -> dict[str, Figure]:
    found: dict[str, Figure] = {}
    if sums.silent:
        return found
    if sums.views and key in sums.mebibytes:
        found[SIZE] = Figure(sums.mebibytes[key] * MEBIBYTE / copies, Quality.ESTIMATE)
    elif key in sums.bytes:
        found[SIZE] = Figure(float(sums.bytes[key]), Quality.ESTIMATE)
    if key in sums.partitions:
        found[ITEMS] = Figure(float(sums.partitions[key]), Quality.ESTIMATE)
    return found


def open(url: Url) -> Cassandra:  # noqa: A001 each backend has this name
    """Open ``cassandra://HOST``. Raise `UrlError` for a wrong part. Connect on first use, not here."""
    import cassandra  # noqa: F401, PLC0415 a driver is imported where it is used; missing, it is missed here

    options = url.options(Options)
    at_least(url, "timeout", options.timeout, 0.001)
    at_least(url, "tables", options.tables, 1)
    context = tls_context(url, options, wanted=options.tls, cure="add tls=true")
    if not url.host:
        raise refuse(url, f"names no host; write {url.scheme}://localhost:{PORT}")
    if url.path.strip("/"):
        raise refuse(url, f"takes no path, found {url.path!r}; name a keyspace by include={url.path.strip('/')}.*")
    if len({host.port for host in url.hosts}) > 1:
        raise refuse(url, "has hosts with different ports; a cluster has one")
    return Cassandra(lambda: _cluster(url, options, context), str(url), options)


def _cluster(url: Url, options: Options, context: ssl.SSLContext | None) -> Any:  # noqa: ANN401 the driver has no types
    from cassandra.auth import PlainTextAuthProvider  # type: ignore[import-untyped] # noqa: PLC0415 a driver is imported where it is used
    from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile  # noqa: PLC0415 see above
    from cassandra.policies import RoundRobinPolicy  # type: ignore[import-untyped] # noqa: PLC0415 see above

    logging.getLogger("cassandra").setLevel(logging.ERROR)  # what goes wrong is raised where it matters
    login = {"auth_provider": PlainTextAuthProvider(url.user, url.password or "")} if url.user is not None else {}
    profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy(), request_timeout=options.timeout)
    return Cluster(
        [host.name for host in url.hosts],
        port=PORT if url.port is None else url.port,
        connect_timeout=options.timeout,
        control_connection_timeout=options.timeout,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        ssl_context=context,
        ssl_options={"server_hostname": url.host} if context is not None else None,
        **login,
    )
