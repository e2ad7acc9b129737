"""Tables of DynamoDB, over moto, which answers as DynamoDB does but counts at once and tells no sizes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import boto3  # type: ignore[import-untyped]  # it has no types
import pytest

from nilometer.backends import dynamodb, registry
from nilometer.core.errors import Unavailable, UrlError
from nilometer.core.table import ITEMS, SIZE, Fault, Quality
from nilometer.testing.moto import Moto, moto
from nilometer.testing.table_source import named, read

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "eu-west-1"


@pytest.fixture(scope="module")
def server() -> Iterator[Moto]:
    with moto() as found:
        client = boto3.client("dynamodb", endpoint_url=place(found), region_name=REGION)
        for number in range(105):
            client.create_table(**table(f"t{number:03}"))
        orders = table("orders")
        orders["AttributeDefinitions"].append({"AttributeName": "customer", "AttributeType": "S"})
        index = {"IndexName": "by_customer", "KeySchema": [{"AttributeName": "customer", "KeyType": "HASH"}]}
        client.create_table(**orders, GlobalSecondaryIndexes=[{**index, "Projection": {"ProjectionType": "ALL"}}])
        for number in range(20):
            client.put_item(TableName="orders", Item={"id": {"S": str(number)}, "customer": {"S": "ann"}})
        yield found


def table(name: str) -> dict[str, Any]:
    return {
        "TableName": name,
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }


def place(server: Moto) -> str:
    return f"http://127.0.0.1:{server.port}"


def url(server: Moto, options: str = "") -> str:
    return f"dynamodb://k:s@{REGION}?endpoint={place(server)}{options}"


def test_tables_of_all_pages_and_their_indexes_come_once(server: Moto) -> None:
    found = read(url(server))
    assert len({(each.name, getattr(each, "index", "")) for each in found}) == len(found) == 107
    orders = named(found, "orders")
    assert (orders.project, orders.status) == (REGION, "active")
    assert (orders.figures[ITEMS].value, orders.figures[ITEMS].quality) == (20, Quality.STALE)
    assert named(found, "orders", "by_customer").status == "active"


def test_only_what_is_wanted_is_asked_for(server: Moto) -> None:
    assert {each.name for each in read(url(server, "&include=*.orders"))} == {"orders"}
    assert len(read(url(server, "&tables=5"))) <= 6


def test_it_says_how_many_tables_there_are(server: Moto) -> None:
    source = registry.open(url(server), registry.HEALTH)
    assert re.fullmatch("DynamoDB in eu-west-1, tables: 100 or more", source.check())
    source.close()


class Answers:
    """A client whose answers are written here: what Alternator leaves out, and what fails."""

    def list_tables(self, **_: object) -> dict[str, Any]:
        return {"TableNames": ["bare", "gone", "throttled"]}

    def describe_table(self, TableName: str) -> dict[str, Any]:  # noqa: N803 the API's word
        from botocore.exceptions import ClientError  # type: ignore[import-untyped] # noqa: PLC0415 used here alone

        codes = {"gone": "ResourceNotFoundException", "throttled": "ThrottlingException"}
        if TableName in codes:
            raise ClientError({"Error": {"Code": codes[TableName], "Message": "no"}}, "DescribeTable")
        return {"Table": {"TableStatus": "ACTIVE", "TableSizeBytes": 7, "ItemCount": None}}

    def close(self) -> None:
        """Nothing to do."""


def test_what_an_answer_lacks_is_missing_and_one_table_spoils_nothing() -> None:
    source = dynamodb.DynamoDB(Answers, "dynamodb://x", "x", dynamodb.Options())
    bare, throttled = source.read_tables()
    assert getattr(bare, "figures", {}).keys() == {SIZE}
    assert isinstance(throttled, Fault)
    assert (throttled.name, "Throttling" in throttled.reason) == ("throttled", True)


def test_one_that_is_away_is_told_without_its_secret() -> None:
    with pytest.raises(Unavailable) as caught:
        read("dynamodb://k:hunter2@eu-west-1?endpoint=http://127.0.0.1:1&timeout=1s")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("wrong", ["dynamodb://", "dynamodb://eu:8000", "dynamodb://eu/path", "dynamodb://eu?profile=no-such"])
def test_a_wrong_url_is_refused(wrong: str) -> None:
    with pytest.raises(UrlError):
        registry.open(wrong, registry.TABLES)
