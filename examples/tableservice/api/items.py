"""Items: put, get, update, delete, query, scan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter

from tableservice.api import bodies
from tableservice.api.bodies import Project, TableName
from tableservice.storage.items import NOTHING, Change

if TYPE_CHECKING:
    from tableservice.service import Service
    from tableservice.storage.reading import Page
    from tableservice.values import Item

Json = dict[str, Any]


def router(service: Service) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/v1/data/{project_id}/tables/{table_name}")

    @routes.post("/put_item")
    def put_item(project_id: Project, table_name: TableName, body: bodies.PutItem) -> Json:
        """Write an item."""
        with service.events.item("putitem", project_id, table_name) as activity:
            change = service.items.put(project_id, table_name, body.item, body.expectations())
            activity.update(rows_impacted=int(change != NOTHING))
        service.metrics.changed(change)
        return _attributes(change.old if body.return_values == "ALL_OLD" else None)

    @routes.post("/get_item")
    def get_item(project_id: Project, table_name: TableName, body: bodies.GetItem) -> Json:
        """Return an item, or nothing."""
        with service.events.item("getitem", project_id, table_name) as activity:
            item = service.items.get(project_id, table_name, body.key)
            activity.update(rows_impacted=int(item is not None))
        return {} if item is None else {"item": bodies.chosen(item, body.attributes_to_get)}

    @routes.post("/update_item")
    def update_item(project_id: Project, table_name: TableName, body: bodies.UpdateItem) -> Json:
        """Change some attributes of an item."""
        with service.events.item("updateitem", project_id, table_name) as activity:
            change = service.items.update(project_id, table_name, body.key, body.updates(), body.expectations())
            activity.update(rows_impacted=int(change != NOTHING))
        service.metrics.changed(change)
        return _attributes(_returned(change, body.return_values, list(body.attribute_updates)))

    @routes.post("/delete_item")
    def delete_item(project_id: Project, table_name: TableName, body: bodies.DeleteItem) -> Json:
        """Remove an item."""
        with service.events.item("deleteitem", project_id, table_name) as activity:
            change = service.items.delete(project_id, table_name, body.key, body.expectations())
            activity.update(rows_impacted=int(change != NOTHING))
        service.metrics.changed(change)
        return _attributes(change.old if body.return_values == "ALL_OLD" else None)

    @routes.post("/query")
    def query(project_id: Project, table_name: TableName, body: bodies.QueryItems) -> Json:
        """Return items of one hash key, in order."""
        conditions = bodies.conditions(body.key_conditions)
        with service.events.items("query", project_id, table_name) as activity:
            page = service.reading.query(project_id, table_name, conditions, body.index_name, body.wish())
            activity.update(rows_impacted=len(page.items))
        return _many(page, body)

    @routes.post("/scan")
    def scan(project_id: Project, table_name: TableName, body: bodies.ScanItems) -> Json:
        """Return items of the whole table."""
        with service.events.items("scan", project_id, table_name) as activity:
            page = service.reading.scan(project_id, table_name, body.wish())
            activity.update(rows_impacted=page.scanned)
        return {**_many(page, body), "scanned_count": page.scanned}

    return routes


def _attributes(item: Item | None) -> Json:
    return {} if item is None else {"attributes": item}


def _returned(change: Change, wish: str, names: list[str]) -> Item | None:
    """Return what an update is to answer with: all attributes or those changed, as they were or as they are."""
    item = change.old if wish.endswith("OLD") else change.new
    if wish == "NONE" or item is None:
        return None
    return item if wish.startswith("ALL") else bodies.chosen(item, names)


def _many(page: Page, body: bodies.Many) -> Json:
    answer: Json = {"count": len(page.items)}
    if body.select != "COUNT":
        answer["items"] = [bodies.chosen(item, body.attributes_to_get) for item in page.items]
    if page.last is not None:
        answer["last_evaluated_key"] = page.last
    return answer
