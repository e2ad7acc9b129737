"""Tables of DynamoDB, and of what speaks its API: ScyllaDB's Alternator, DynamoDB Local, moto.

Rules:

* ListTables, page by page, then DescribeTable for each; nothing else is asked. Throttling is tried again by the driver.
* Sizes and counts are stale: the service counts about every six hours. What an answer lacks is missing, as Alternator's counts.
* Indexes, global and local, are rows of their own. The project is the region.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nilometer.backends._parts.http import shown
from nilometer.backends._parts.table_filter import EXCLUDE, INCLUDE, MOST, Filter
from nilometer.core.errors import Unavailable
from nilometer.core.options import at_least, option, refuse
from nilometer.core.quantity import Duration
from nilometer.core.table import ITEMS, SIZE, Fault, Figure, Quality, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nilometer.core.url import Url

SCHEMES = ("dynamodb",)
URL_EXAMPLES = (
    "dynamodb://eu-west-1",
    "dynamodb://eu-west-1?profile=billing&include=*.orders",
    "dynamodb://us-east-1?endpoint=http://localhost:8000",
)
EXTRA = "dynamodb"
ATTEMPTS = 4
PAGE = 100
"""Tables in an answer of ListTables, the most that it gives."""
GONE = "ResourceNotFoundException"
FIGURES = {"TableSizeBytes": SIZE, "IndexSizeBytes": SIZE, "ItemCount": ITEMS}
INDEXES = ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")


@dataclass(frozen=True, slots=True)
class Options:
    """Where DynamoDB is, and which tables."""

    endpoint: str = option("", "URL of another endpoint, such as Alternator's or a VPC's; the region's when empty")
    profile: str = option("", "profile of AWS' configuration files; the usual chain of credentials when empty")
    timeout: Duration = option(Duration(10), "longest time to connect, and for an answer")  # noqa: RUF009 declares a field
    include: str = option("", INCLUDE)
    exclude: str = option("", EXCLUDE)
    tables: int = option(100_000, MOST)


class DynamoDB:
    """Reads the tables of one region. `connect` makes the driver's client."""

    def __init__(self, connect: Callable[[], Any], url: str, region: str, options: Options) -> None:
        self._connect, self._url, self._region, self._options = connect, url, region, options
        self._client: Any = None

    def read_tables(self) -> Iterator[Table | Fault]:
        """Yield every table, followed by its indexes. Raise `Unavailable` when not even their list can be had."""
        wanted = Filter(self._options)
        for number, name in enumerate(self._names()):
            if number >= self._options.tables:
                return
            if wanted(self._region, name):
                yield from self._table(name)

    def _names(self) -> Iterator[str]:
        last: dict[str, str] = {}
        while True:
            answer = self._call("list_tables", Limit=PAGE, **last)
            yield from answer.get("TableNames", ())
            following = answer.get("LastEvaluatedTableName")
            if not following or {"ExclusiveStartTableName": following} == last:
                return
            last = {"ExclusiveStartTableName": following}

    def _table(self, name: str) -> Iterator[Table | Fault]:
        try:
            told = self._call("describe_table", TableName=name).get("Table", {})
        except Unavailable as error:
            if GONE not in str(error):
                yield Fault(self._region, name, str(error))
            return
        yield Table(self._region, name, status=_status(told, "TableStatus"), figures=_figures(told))
        for kind in INDEXES:
            for index in told.get(kind) or ():
                label, status = str(index.get("IndexName", "")), _status(index, "IndexStatus") or "active"
                yield Table(self._region, name, label, status, _figures(index))

    def _call(self, what: str, **arguments: object) -> Any:  # noqa: ANN401 boto3 has no types
        from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped] # noqa: PLC0415 a driver is imported where it is used

        try:
            if self._client is None:
                self._client = self._connect()
            return getattr(self._client, what)(**arguments)
        except (BotoCoreError, ClientError, ValueError) as error:
            message = f"{self._url}: {shown(error)}"
            raise Unavailable(message) from error

    def check(self) -> str:
        """Return that the region answers. Raise `Unavailable`."""
        some = len(self._call("list_tables", Limit=PAGE).get("TableNames", ()))
        return f"DynamoDB in {self._region}, tables: {some}{' or more' if some == PAGE else ''}"

    def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            self._client.close()
            self._client = None


def _status(told: Mapping[str, Any], name: str) -> str:
    return str(told.get(name) or "").lower()


def _figures(told: Mapping[str, Any]) -> dict[str, Figure]:
    return {
        ours: Figure(float(value), Quality.STALE)
        for theirs, ours in FIGURES.items()
        if isinstance(value := told.get(theirs), int) and value >= 0
    }


def open(url: Url) -> DynamoDB:  # noqa: A001 each backend has this name
    """Open ``dynamodb://REGION``. Raise `UrlError` for a wrong part. Connect on first use, not here."""
    import boto3  # type: ignore[import-untyped] # noqa: PLC0415 a driver is imported where it is used
    from botocore.config import Config  # type: ignore[import-untyped] # noqa: PLC0415 a driver is imported where it is used
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 a driver is imported where it is used

    options = url.options(Options)
    at_least(url, "timeout", options.timeout, 0.001)
    at_least(url, "tables", options.tables, 1)
    if len(url.hosts) != 1 or url.port is not None or url.path.strip("/"):
        raise refuse(url, "names a region; write dynamodb://eu-west-1, and another place as ?endpoint=http://localhost:8000")
    for name in ("boto3", "botocore"):
        logging.getLogger(name).setLevel(logging.WARNING)  # they tell of credentials found, and requests whole
    login = {"aws_access_key_id": url.user, "aws_secret_access_key": url.password} if url.user is not None else {}
    try:
        session = boto3.Session(profile_name=options.profile or None, region_name=url.host, **login)
    except BotoCoreError as error:
        raise refuse(url, str(error)) from error
    retries = {"mode": "standard", "total_max_attempts": ATTEMPTS}
    settings = Config(connect_timeout=options.timeout, read_timeout=options.timeout, retries=retries)
    return DynamoDB(
        lambda: session.client("dynamodb", endpoint_url=options.endpoint or None, config=settings), str(url), url.host, options
    )
