"""Tables: create, delete, list, describe. The two that change something are answered before it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request

from tableservice.api.bodies import NAME, CreateTable, Project, TableName
from tableservice.storage.tables import Described, Usage

if TYPE_CHECKING:
    from tableservice.schema import Index
    from tableservice.service import Service

MOST = 1000
Json = dict[str, Any]


def router(service: Service) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/v1/data/{project_id}/tables")

    @routes.post("")
    def create_table(project_id: Project, body: CreateTable, request: Request) -> Json:
        """Begin to create a table."""
        table = service.tables.create(project_id, body.table_name, body.described())
        service.jobs.create(table)
        return {"table_description": description(table, Usage(), f"{request.url}/{table.name}")}

    @routes.get("")
    def list_tables(
        project_id: Project,
        request: Request,
        limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
        exclusive_start_table_name: Annotated[str | None, Query(pattern=NAME)] = None,
    ) -> Json:
        """Name a project's tables."""
        names = service.tables.names(project_id, exclusive_start_table_name, limit + 1)
        here = request.url.replace(query="")
        answer: Json = {"tables": [{"rel": "self", "href": f"{here}/{name}"} for name in names[:limit]]}
        return answer if len(names) <= limit else {**answer, "last_evaluated_table_name": names[limit - 1]}

    @routes.get("/{table_name}")
    def describe_table(project_id: Project, table_name: TableName, request: Request) -> Json:
        """Tell all about a table."""
        table = service.tables.find(project_id, table_name)
        return {"table": description(table, service.usage([table])[table.id], str(request.url))}

    @routes.delete("/{table_name}")
    def delete_table(project_id: Project, table_name: TableName, request: Request) -> Json:
        """Begin to delete a table."""
        table = service.tables.begin_deletion(project_id, table_name)
        service.jobs.delete(table)
        return {"table_description": description(table, Usage(), str(request.url))}

    return routes


def description(table: Described, usage: Usage, link: str) -> Json:
    """Return what a client is told about a table."""
    schema = table.schema
    return {
        "table_id": table.id,
        "table_name": table.name,
        "table_status": table.status,
        "creation_date_time": table.created,
        "item_count": usage.item_count,
        "table_size_bytes": usage.size,
        "attribute_definitions": [{"attribute_name": name, "attribute_type": kind} for name, kind in schema.types.items()],
        "key_schema": _key_schema(*schema.keys),
        "local_secondary_indexes": [_index(schema.hash, index) for index in schema.indexes],
        "links": [{"href": link, "rel": "self"}, {"href": link, "rel": "bookmark"}],
    }


def _key_schema(*names: str) -> list[Json]:
    return [{"attribute_name": name, "key_type": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=False)]


def _index(hash_key: str, index: Index) -> Json:
    projection: Json = {"projection_type": index.projection}
    if index.projection == "INCLUDE":
        projection["non_key_attributes"] = list(index.attributes)
    return {
        "index_name": index.name,
        "key_schema": _key_schema(hash_key, index.attribute),
        "projection": projection,
        "item_count": 0,
        "index_size_bytes": 0,
    }
