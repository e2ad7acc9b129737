"""MagnetoDB's monitoring API as the old server has it, its faults of paging included.

The server itself is Python 2 and cannot be had any more. This does what its code does: with a last table, ``name = last`` tells
that table again, ``TOKEN(tenant) > TOKEN(last)`` leaves out the rest of its project, and a ``limit`` that stays a text cannot
be made less by the number of rows. A server that pages as it should is the example service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from nilometer.backends import registry
from nilometer.core.table import Table
from nilometer.testing.answering import Reply

if TYPE_CHECKING:
    from nilometer.core.capability import TableSource
    from nilometer.core.table import Fault
    from nilometer.testing.answering import Asked

ROOT = "/v1/monitoring/projects"
USUAL = 1000
ACTIVE = "ACTIVE"


class Stored(NamedTuple):
    """A table as the server keeps it."""

    tenant: str
    name: str
    status: str = ACTIVE
    size: int = 1000
    item_count: int = 10


def token(tenant: str) -> int:
    """Return where a project stands in the ring: in no order that a client knows."""
    return crc32(tenant.encode())


class OldMagnetoDB:
    """The tables of a server, and its answers. `mends_limit` makes a number of ``limit``, as a patched one would."""

    def __init__(self, tables: list[Stored], *, mends_limit: bool = False) -> None:
        self.tables = sorted(tables, key=lambda table: (token(table.tenant), table.name))
        self._mends_limit = mends_limit

    def answer(self, asked: Asked) -> Reply:
        """Answer a request."""
        try:
            found = self._found(asked.path.removeprefix(ROOT).strip("/").split("/"), asked.query)
        except (KeyError, TypeError) as error:
            return refusal(500, type(error).__name__, str(error))
        return found if isinstance(found, Reply) else Reply(200, found)

    def _found(self, parts: list[str], query: dict[str, str]) -> Any:  # noqa: ANN401 what goes as JSON, or a reply
        metrics = query.get("metrics", "size,item_count").split(",")
        if parts == [""]:
            return [_row(table, metrics) for table in self._page(query)]
        mine = [table for table in self.tables if table.tenant == parts[0]]
        if len(parts) == 1:
            active = [table for table in mine if table.status == ACTIVE]
            return [{"table_name": table.name, "usage_detailes": _usage(table, metrics)} for table in active]
        table = next((table for table in mine if table.name == parts[2]), None)
        if table is None:
            return refusal(404, "TableNotExistsException", f"Table '{parts[2]}' does not exist")
        if table.status != ACTIVE:
            return refusal(400, "ValidationError", "Table is not ACTIVE")
        return _usage(table, metrics)

    def _page(self, query: dict[str, str]) -> list[Stored]:
        limit: Any = query.get("limit", USUAL)
        if self._mends_limit:
            limit = int(limit)
        last_project, last_table = query.get("last_evaluated_project"), query.get("last_evaluated_table")
        if last_project is None:
            return self.tables[: int(limit)]
        head = [table for table in self.tables if (table.tenant, table.name) == (last_project, last_table)]
        rest = limit - len(head)  # TypeError, as in the old server, where the limit is a text
        behind = [table for table in self.tables if token(table.tenant) > token(last_project)]
        return head + behind[:rest]


def _usage(table: Stored, metrics: list[str]) -> dict[str, int]:
    known = {"size": table.size, "item_count": table.item_count}
    return {name: known[name] for name in metrics}


def _row(table: Stored, metrics: list[str]) -> dict[str, Any]:
    details = _usage(table, metrics) if table.status == ACTIVE else {}
    return {"tenant": table.tenant, "name": table.name, "status": table.status, "usage_detailes": details}


def refusal(status: int, kind: str, message: str) -> Reply:
    """Return an error in the shape of the server's."""
    error = {"message": message, "type": kind, "traceback": None}
    return Reply(status, {"code": status, "title": kind, "explanation": message, "error": error})


def stored(*projects: tuple[str, int]) -> list[Stored]:
    """Return so many tables of each project; their sizes are their numbers."""
    return [Stored(project, f"t{number:04}", size=number) for project, count in projects for number in range(count)]


def source(address: str, options: str = "", scheme: str = "magnetodb+http") -> TableSource:
    """Open a server at ``host:port``."""
    return registry.open(f"{scheme}://{address}?timeout=2s{options}", registry.TABLES)


def read(address: str, options: str = "", scheme: str = "magnetodb+http") -> list[Table | Fault]:
    """Read all tables of a server once."""
    opened = source(address, options, scheme)
    try:
        return list(opened.read_tables())
    finally:
        opened.close()


def names(found: list[Table | Fault]) -> list[tuple[str, str]]:
    """Return project and name of the tables."""
    return [(each.project, each.name) for each in found if isinstance(each, Table)]
