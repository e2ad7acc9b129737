"""MagnetoDB's list of all tables, page by page, through the faults of its pages: every table comes once.

What the old server does with ``last_evaluated_project`` and ``last_evaluated_table``, and what is done about it:

* It tells the last table again: what was told is not told twice.
* It leaves out the rest of that table's project: when a page brings nothing new of that project, its own URL is asked.
* It answers 500 when ``limit`` stands there too: a limit of 1000, which is its default, is not sent; with another one, or when
  it fails all the same, a larger first page is asked for, ten times as large each time.
* Whatever it does, a page that brings nothing new is the last one. What may be missing then is a `Fault`.

Source: magnetodb/storage/driver/cassandra, ``get_all_table_statistics`` and what it calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode

from nilometer.core.errors import Unavailable
from nilometer.core.table import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Get = Callable[[str], list[Any]]
    """Returns the list below the URL of all projects. Raises `Unavailable`."""

USUAL_LIMIT = 1000
LARGER = 10
ACTIVE = "active"
LONGEST_NAME = 255
CURE = "name the projects with the option projects"


class Row(NamedTuple):
    """A table as a list tells of it: `status` in small letters, `details` whatever stands there."""

    project: str
    name: str
    status: str
    details: Any


def name_fault(name: object) -> str:
    """Return what is wrong with a name that the server told, or the empty string."""
    if not isinstance(name, str):
        return f"its name is no text but {type(name).__name__}"
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        return f"its name is empty, longer than {LONGEST_NAME} or not printable"
    return ""


class Listing:
    """One reading of all tables.

    `get` gives answers, `metrics` are asked for, `limit` a page, `most` tables are taken; `over` says that the time is up.
    """

    def __init__(self, get: Get, metrics: str, *, limit: int, most: int, over: Callable[[], bool]) -> None:
        self._get, self._metrics, self._limit, self._most, self._over = get, metrics, limit, most, over
        self._seen: set[tuple[str, str]] = set()
        self._left_out = 0

    def rows(self) -> Iterator[Row | Fault]:
        """Yield every table of all projects once. Raise `Unavailable` when not even the first page can be had."""
        page = self._page(self._limit)
        yield from self._new(page)
        while len(page) >= self._limit and not self._left_out:
            last, before = _last(page), len(self._seen)
            if last is None:
                yield self._unfinished("the last row of a page has no name")
                return
            try:
                page = self._page(self._limit, last)
            except Unavailable as error:
                yield from self._at_once(str(error))
                return
            yield from self._following(page, last[0])
            if len(page) >= self._limit and len(self._seen) == before:
                yield from self._at_once("a page brings nothing new")
                return
        yield from self._too_many()

    def _following(self, page: list[Any], project: str) -> Iterator[Row | Fault]:
        """Yield what a page brings, and of the project in which it begins what it leaves out."""
        found = list(self._new(page))
        yield from found
        if not any(isinstance(row, Row) and row.project == project for row in found):
            yield from self._project(project)

    def named(self, projects: Iterable[str]) -> Iterator[Row | Fault]:
        """Yield the tables of some projects once. Raise `Unavailable` when none of them can be had."""
        faults, asked = list[Fault](), 0
        for project in projects:
            asked += 1
            for row in self._project(project):
                if isinstance(row, Row):
                    yield row
                else:
                    faults.append(row)
        if faults and not self._seen and sum(not fault.name for fault in faults) >= asked:
            raise Unavailable(faults[0].reason)
        yield from faults
        yield from self._too_many()

    def _project(self, project: str) -> Iterator[Row | Fault]:
        """Yield the tables of one project that were not told yet; those that are not ACTIVE the server leaves out."""
        try:
            found = self._get(f"/{quote(project, safe='')}?{urlencode({'metrics': self._metrics})}")
        except Unavailable as error:
            yield Fault(project, "", str(error))
            return
        made = [{"tenant": project, "name": row.get("table_name"), "status": ACTIVE, **_details(row)} for row in _dicts(found)]
        yield from self._new(made)

    def _page(self, limit: int, after: tuple[str, str] | None = None) -> list[Any]:
        query = {"metrics": self._metrics}
        if limit != USUAL_LIMIT:
            query["limit"] = str(limit)
        if after is not None:
            query |= {"last_evaluated_project": after[0], "last_evaluated_table": after[1]}
        return self._get(f"?{urlencode(query)}")

    def _new(self, page: list[Any]) -> Iterator[Row | Fault]:
        """Yield what was not told before, up to the bound."""
        for each in page:
            row = _row(each)
            if isinstance(row, Fault):
                yield row
            elif (key := (row.project, row.name)) in self._seen:
                continue
            elif len(self._seen) < self._most:
                self._seen.add(key)
                yield row
            else:
                self._left_out += 1

    def _at_once(self, reason: str) -> Iterator[Row | Fault]:
        """Yield what is left, by a larger first page; project by project what then may be missing."""
        limit = self._limit
        while (limit := limit * LARGER) <= max(self._most * LARGER, USUAL_LIMIT) and not self._over():
            before = len(self._seen)
            try:
                page = self._page(limit)
            except Unavailable:
                break
            yield from self._new(page)
            if self._left_out or len(self._seen) == before:
                break
            if len(page) < limit:
                return
        for project in sorted({project for project, _ in self._seen}):
            if not self._over():
                yield from self._project(project)
        yield from self._too_many()
        yield self._unfinished(reason)

    def _too_many(self) -> Iterator[Fault]:
        if self._left_out:
            yield Fault("", "", f"it has more tables than are taken, {self._most:,}; raise the option tables")

    def _unfinished(self, reason: str) -> Fault:
        return Fault("", "", f"tables may be missing behind the {len(self._seen):,} that were told: {reason}; {CURE}")


def _last(page: list[Any]) -> tuple[str, str] | None:
    row = _row(page[-1])
    return None if isinstance(row, Fault) else (row.project, row.name)


def _dicts(rows: list[Any]) -> Iterator[dict[str, Any]]:
    return (row if isinstance(row, dict) else {} for row in rows)


def _details(row: dict[str, Any]) -> dict[str, Any]:
    return {"usage_detailes": row.get("usage_detailes")}


def _row(each: Any) -> Row | Fault:  # noqa: ANN401 whatever JSON the other side sends
    """Return a row, or what is wrong with it."""
    if not isinstance(each, dict):
        return Fault("", "", f"a table's row is no object but {type(each).__name__}")
    project, name, status = each.get("tenant"), each.get("name"), each.get("status")
    for value in (project, name):
        if fault := name_fault(value):
            shown = project if isinstance(project, str) and not name_fault(project) else ""
            return Fault(shown, "", f"a table's row: {fault}")
    return Row(
        str(project), str(name), status.lower()[:LONGEST_NAME] if isinstance(status, str) else "", each.get("usage_detailes")
    )
