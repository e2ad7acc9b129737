"""What the table service measures of itself reaches StatsD."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nilometer.testing.apps.catcher import Catcher
from nilometer.testing.asgi import Asker
from nilometer.testing.waiting import until
from tableservice.app import application
from tableservice.service import Service
from tableservice.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

TABLE = {
    "table_name": "t",
    "attribute_definitions": [{"attribute_name": "id", "attribute_type": "S"}],
    "key_schema": [{"attribute_name": "id", "key_type": "HASH"}],
}
LINES = (
    ("n1.mdb.req.timing", "ms"),
    ("n1.mdb.req.timing.put_item", "ms"),
    ("n1.mdb.req.timing.acme", "ms"),
    ("n1.mdb.req.timing.put_item.acme", "ms"),
    ("n1.mdb.req.timing.error.404.get_item.acme", "ms"),
    ("n1.mdb.req.errors.get_item", "c"),
    ("n1.mdb.req.size_bytes.put_item", "c"),
    ("n1.mdb.req.dispatch_timing.put_item", "ms"),
    ("n1.mdb.req.table_create_task.timing", "ms"),
    ("n1.mdb.req.table_delete_task.timing", "ms"),
    ("n1.mdb.sql.insert.timing", "ms"),
    ("n1.mdb.sql.pool.used", "g"),
    ("n1.mdb.items.written", "c"),
    ("n1.mdb.items.removed", "c"),
    ("n1.mdb.usage.timing", "ms"),
    ("n1.mdb.tables.ACTIVE", "g"),
)


def test_every_instrument_sends_what_it_measures(tmp_path: Path) -> None:
    catcher = Catcher()
    service = Service(Settings(f"sqlite:///{tmp_path}/tables.db", catcher.url, "n1"))
    asker = Asker(application(service))

    def ask(path: str, body: object = None, method: str = "POST") -> int:
        data = b"" if body is None else json.dumps(body).encode()
        return asker.ask(f"/v1/data/acme/tables{path}", method, {"content-type": "application/json"}, data).status

    try:
        assert ask("", TABLE) == 200
        until(lambda: ask("/t/put_item", {"item": {"id": {"S": "a"}}}) == 200, "the table is there")
        assert ask("/none/get_item", {"key": {"id": {"S": "a"}}}) == 404
        assert ask("/t/delete_item", {"key": {"id": {"S": "a"}}}) == 200
        assert ask("/t", method="GET") == 200
        assert ask("/t", method="DELETE") == 200
        until(lambda: ask("/t", method="GET") == 404, "the table is gone")
        service.close()
        until(lambda: not missing(catcher), "all arrived", told=lambda: str(missing(catcher)))
    finally:
        service.close()
        catcher.close()


def missing(catcher: Catcher) -> set[tuple[str, str]]:
    return set(LINES) - {(line.name, line.kind) for line in catcher.lines()}
