"""What tables use, for monitoring: MagnetoDB's answers to the letter, ``usage_detailes`` included.

A page of all projects begins behind ``last_evaluated_project`` and ``last_evaluated_table``: exactly there, unlike MagnetoDB's,
which tells the last table again and leaves out the rest of its project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from fastapi import APIRouter, Query

from tableservice.api.bodies import NAME, Project, TableName
from tableservice.errors import ValidationError
from tableservice.storage.tables import ACTIVE

if TYPE_CHECKING:
    from tableservice.service import Service
    from tableservice.storage.tables import Usage

METRICS = ("size", "item_count")
BOTH = ",".join(METRICS)
MOST = 1000
Json = dict[str, Any]
Metrics: TypeAlias = Annotated[str, Query(description="Which figures, joined by commas.")]
Last: TypeAlias = Annotated[str | None, Query(pattern=NAME)]


def router(service: Service) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/v1/monitoring/projects")

    @routes.get("")
    def all_projects_usage_details(
        metrics: Metrics = BOTH,
        limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
        last_evaluated_project: Last = None,
        last_evaluated_table: Last = None,
    ) -> list[Json]:
        """Tell what the tables of all projects use; of those that are not ACTIVE only the state."""
        if last_evaluated_project is None and last_evaluated_table is not None:
            message = "last_evaluated_table: it takes last_evaluated_project"
            raise ValidationError(message)
        wanted = _metrics(metrics)
        after = None if last_evaluated_project is None else (last_evaluated_project, last_evaluated_table)
        tables = service.tables.page(after, limit)
        usage = service.usage([table for table in tables if table.status == ACTIVE])
        return [
            {
                "tenant": table.project,
                "name": table.name,
                "status": table.status,
                "usage_detailes": _details(usage[table.id], wanted) if table.id in usage else {},
            }
            for table in tables
        ]

    @routes.get("/{project_id}")
    def project_usage_details(project_id: Project, metrics: Metrics = BOTH) -> list[Json]:
        """Tell what the ACTIVE tables of a project use."""
        wanted = _metrics(metrics)
        tables = [table for table in service.tables.of(project_id) if table.status == ACTIVE]
        usage = service.usage(tables)
        return [{"table_name": table.name, "usage_detailes": _details(usage[table.id], wanted)} for table in tables]

    @routes.get("/{project_id}/tables/{table_name}")
    def table_usage_details(project_id: Project, table_name: TableName, metrics: Metrics = BOTH) -> Json:
        """Tell what a table uses."""
        wanted = _metrics(metrics)
        table = service.tables.find(project_id, table_name)
        if table.status != ACTIVE:
            message = f"Table '{table_name}' is not ACTIVE, it is {table.status}"
            raise ValidationError(message)
        return _details(service.usage([table])[table.id], wanted)

    return routes


def _metrics(text: str) -> list[str]:
    names = text.split(",")
    unknown = sorted(set(names) - set(METRICS))
    if unknown:
        message = f"metrics: {', '.join(map(repr, unknown))} unknown; there are {', '.join(METRICS)}"
        raise ValidationError(message)
    return names


def _details(usage: Usage, metrics: list[str]) -> dict[str, int]:
    return {name: getattr(usage, name) for name in metrics}
