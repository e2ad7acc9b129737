"""What visitors ask for: a weight for each kind of request, and what it sends. Some are wrong on purpose."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tableservice.traffic.client import Client

PROJECTS = {"acme": 6, "globex": 3, "initech": 1}
"""The customers, and how busy each is."""
TABLE = {
    "table_name": "orders",
    "attribute_definitions": [
        {"attribute_name": "customer", "attribute_type": "S"},
        {"attribute_name": "number", "attribute_type": "N"},
    ],
    "key_schema": [
        {"attribute_name": "customer", "key_type": "HASH"},
        {"attribute_name": "number", "key_type": "RANGE"},
    ],
}
CUSTOMERS, NUMBERS = 20, 200
WORDS = ("amber", "basalt", "cobalt", "delta", "ember", "flint", "granite", "harbour")


@dataclass(slots=True)
class Visitor:
    """Somebody with a connection, who works for one customer at a time."""

    client: Client
    chance: random.Random = field(default_factory=random.Random)
    project: str = "acme"

    def visit(self) -> None:
        """Make one request of some kind."""
        self.project = self.chance.choices(list(PROJECTS), list(PROJECTS.values()))[0]
        self.chance.choices(list(KINDS), list(KINDS.values()))[0](self)

    def tour(self) -> None:
        """Make one request of every kind."""
        for kind in KINDS:
            kind(self)

    def ask(self, action: str, body: object, **options: bool) -> int:
        """Ask something of the table ``orders``, and return the status."""
        return self.client.ask("POST", self.path(action), body, **options).status

    def path(self, rest: str) -> str:
        """Return an address below the table ``orders``."""
        return f"/v1/data/{self.project}/tables/orders{rest}"

    def key(self) -> dict[str, Any]:
        """Return the key of an item, most often one of a few."""
        customer = min(int(self.chance.paretovariate(0.9)), CUSTOMERS)
        return {"customer": {"S": f"c{customer}"}, "number": {"N": str(self.chance.randrange(NUMBERS))}}

    def item(self, words: int = 8) -> dict[str, Any]:
        """Return an item."""
        text = " ".join(self.chance.choices(WORDS, k=words))
        return {**self.key(), "text": {"S": text}, "total": {"N": str(self.chance.randrange(1, 10**4))}}


def get_item(visitor: Visitor) -> None:
    """Read one."""
    visitor.ask("/get_item", {"key": visitor.key()})


def put_item(visitor: Visitor) -> None:
    """Write one."""
    visitor.ask("/put_item", {"item": visitor.item()})


def put_slowly(visitor: Visitor) -> None:
    """Write a large one over a slow line."""
    visitor.ask("/put_item", {"item": visitor.item(words=4000)}, slowly=True)


def put_again(visitor: Visitor) -> None:
    """Write one that must not be there, but often is: 400."""
    visitor.ask("/put_item", {"item": visitor.item(), "expected": {"customer": {"exists": False}}})


def update_item(visitor: Visitor) -> None:
    """Count something up."""
    update = {"views": {"action": "ADD", "value": {"N": "1"}}}
    visitor.ask("/update_item", {"key": visitor.key(), "attribute_updates": update, "return_values": "UPDATED_NEW"})


def delete_item(visitor: Visitor) -> None:
    """Remove one."""
    visitor.ask("/delete_item", {"key": visitor.key()})


def query(visitor: Visitor) -> None:
    """Read all of one customer."""
    equal = {"comparison_operator": "EQ", "attribute_value_list": [visitor.key()["customer"]]}
    visitor.ask("/query", {"key_conditions": {"customer": equal}, "limit": 50, "scan_index_forward": False})


def scan(visitor: Visitor) -> None:
    """Look through everything for large orders."""
    large = {"comparison_operator": "GT", "attribute_value_list": [{"N": "9000"}]}
    visitor.ask("/scan", {"scan_filter": {"total": large}})


def list_tables(visitor: Visitor) -> None:
    """Ask which tables there are."""
    visitor.client.ask("GET", f"/v1/data/{visitor.project}/tables")


def describe_table(visitor: Visitor) -> None:
    """Ask about one."""
    visitor.client.ask("GET", visitor.path(""))


def monitor(visitor: Visitor) -> None:
    """Ask what all tables use."""
    visitor.client.ask("GET", "/v1/monitoring/projects?limit=100")


def check_health(visitor: Visitor) -> None:
    """Ask how the service is."""
    visitor.client.ask("GET", "/healthcheck?fullcheck=true")


def mistake_table(visitor: Visitor) -> None:
    """Ask for a table that is not there: 404."""
    visitor.client.ask("POST", f"/v1/data/{visitor.project}/tables/order/get_item", {"key": visitor.key()})


def mistake_type(visitor: Visitor) -> None:
    """Send a key of the wrong type: 400."""
    visitor.ask("/get_item", {"key": {**visitor.key(), "number": {"S": "one"}}})


def mistake_address(visitor: Visitor) -> None:
    """Ask for an address that nobody answers at: 404."""
    visitor.client.ask("GET", f"/v2/{visitor.project}/{visitor.chance.randrange(10**6)}")


def leave(visitor: Visitor) -> None:
    """Go in the middle of a request."""
    visitor.client.leave(visitor.path("/put_item"), {"item": visitor.item(words=100)})


KINDS: dict[Callable[[Visitor], None], int] = {
    get_item: 44,
    put_item: 18,
    update_item: 10,
    query: 10,
    delete_item: 3,
    scan: 3,
    put_again: 3,
    describe_table: 2,
    list_tables: 1,
    put_slowly: 1,
    monitor: 1,
    check_health: 1,
    mistake_table: 1,
    mistake_type: 1,
    mistake_address: 1,
    leave: 1,
}
"""Every kind of request, and how many there are of it in a hundred."""
