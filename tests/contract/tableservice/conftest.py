"""The table service of the examples over each database, asked without a socket. PostgreSQL is for `make test-slow`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from nilometer.testing.asgi import Answer, Asker
from nilometer.testing.postgresql import postgresql
from nilometer.testing.waiting import until
from tableservice.app import application
from tableservice.service import Service
from tableservice.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

NOWHERE = "statsd://127.0.0.1:9"
"""Where nobody listens."""
THREADS: dict[str, Any] = {
    "table_name": "Thread",
    "attribute_definitions": [
        {"attribute_name": "Forum", "attribute_type": "S"},
        {"attribute_name": "Nr", "attribute_type": "N"},
        {"attribute_name": "Last", "attribute_type": "S"},
    ],
    "key_schema": [{"attribute_name": "Forum", "key_type": "HASH"}, {"attribute_name": "Nr", "key_type": "RANGE"}],
    "local_secondary_indexes": [
        {
            "index_name": "ByLast",
            "key_schema": [{"attribute_name": "Forum", "key_type": "HASH"}, {"attribute_name": "Last", "key_type": "RANGE"}],
            "projection": {"projection_type": "KEYS_ONLY"},
        }
    ],
}


@dataclass
class Client:
    """Asks the service in the name of one project."""

    service: Service
    asker: Asker
    project: str

    def ask(self, path: str, body: object = None, method: str = "") -> Answer:
        """Return the answer to GET, or to POST where there is a body."""
        data = b"" if body is None else json.dumps(body).encode()
        method = method or ("GET" if body is None else "POST")
        return self.asker.ask(path, method, {"content-type": "application/json"}, data)

    def data(self, path: str, body: object = None, method: str = "") -> Answer:
        """Ask below the project's tables."""
        return self.ask(f"/v1/data/{self.project}/tables{path}", body, method)

    def item(self, action: str, body: object) -> Any:  # noqa: ANN401 whatever JSON can hold
        """Return what an action on the table ``Thread`` answers, which has to succeed."""
        answer = self.data(f"/Thread/{action}", body)
        assert answer.status == 200, answer.body
        return answer.json

    def status(self, table: str = "Thread") -> str:
        """Return a table's state."""
        found = self.data(f"/{table}")
        return str(found.json["table"]["table_status"]) if found.status == 200 else "gone"

    def create(self, table: str = "Thread") -> None:
        """Create a table, and wait until it can be used."""
        assert self.data("", {**THREADS, "table_name": table}).status == 200
        until(lambda: self.status(table) == "ACTIVE", f"{table} is created")


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with postgresql() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('tables')}/tables.db"
    return str(request.getfixturevalue("server"))


@pytest.fixture
def client(database: str) -> Iterator[Client]:
    """A client whose project nobody else uses."""
    service = Service(Settings(database, NOWHERE))
    yield Client(service, Asker(application(service)), f"p{uuid4().hex[:8]}")
    service.close()


@pytest.fixture
def threads(client: Client) -> Client:
    """A client with a table."""
    client.create()
    return client
