"""Readings and health checks, as a table for people, as one JSON object a line, and as CSV.

What other systems sent is shown without control characters.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from nilometer.collect.names import number
from nilometer.core.show import printable
from nilometer.core.table import ITEMS, SIZE, Quality

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rich.console import Console, RenderableType
    from rich.table import Table as Drawn

    from nilometer.collect.health import Checked
    from nilometer.collect.tables import Reading
    from nilometer.core.table import Fault, Figure, Table

TABLE, JSON, CSV = "table", "json", "csv"
FORMS = (TABLE, JSON, CSV)
COLUMNS = 6
"""Figures that a table for people has room for; JSON and CSV have all."""
WIDTH = 120
MARKS = {Quality.EXACT: "", Quality.ESTIMATE: "~", Quality.STALE: "?"}
"""What stands before a figure that is not exact."""
LEGEND = "~ estimate   ? stale"
UP, DOWN = "up", "DOWN"


def readings(found: Sequence[Reading], form: str) -> None:
    """Show what sources said of their tables, on standard output."""
    shown: dict[str, Callable[[Sequence[Reading]], None]] = {TABLE: _readings, JSON: _readings_json, CSV: _readings_csv}
    shown[form](found)


def checks(found: Sequence[Checked], form: str) -> None:
    """Show what health checks said, on standard output."""
    shown: dict[str, Callable[[Sequence[Checked]], None]] = {TABLE: _checks, JSON: _checks_json, CSV: _checks_csv}
    shown[form](found)


def complain(found: Iterable[Reading]) -> None:
    """Say on standard error what was wrong with sources and tables."""
    for reading in found:
        if reading.error:
            say(f"{reading.source}: {reading.error}")
        for fault in reading.faults:
            where = ".".join(filter(None, (fault.project, fault.name)))
            say(f"{reading.source}: {where + ': ' if where else ''}{fault.reason}")
        if reading.faulty > len(reading.faults):
            say(f"{reading.source}: {reading.faulty - len(reading.faults):,} further faults")


def say(message: str) -> None:
    """Say something on standard error."""
    click.echo(f"nilometer: {printable(message)}", err=True)


# -- tables --------------------------------------------------------------------------------------------------------------


def _readings(found: Sequence[Reading]) -> None:
    tables = [(reading.source, table) for reading in found for table in reading.tables]
    names = dict.fromkeys([SIZE, ITEMS])
    for _, table in tables:
        names.update(dict.fromkeys(table.figures))
    columns = [name for name in names if any(name in table.figures for _, table in tables)][:COLUMNS]
    several, indexes = len(found) > 1, any(table.index for _, table in tables)
    head = [*(["source"] if several else []), "project", "table", *(["index"] if indexes else []), "status"]
    drawn = _drawn(head, columns)
    for source, table in tables:
        words = [*([source] if several else []), table.project, table.name, *([table.index] if indexes else []), table.status]
        drawn.add_row(*_cells([*words, *(_figure(table.figures.get(name)) for name in columns)]))
    marked = any(figure.quality is not Quality.EXACT for _, table in tables for figure in table.figures.values())
    _print(drawn if tables else "no tables", *([LEGEND] if marked else []))


def _figure(figure: Figure | None) -> str:
    value = None if figure is None else number(figure.value)
    if figure is None or value is None:
        return "–"
    return MARKS[figure.quality] + (f"{value:,}" if isinstance(value, int) else f"{value:,.3f}")


def _readings_json(found: Sequence[Reading]) -> None:
    _print_json({"time": round(time.time(), 3), "sources": [_reading_json(reading) for reading in found]})


def _reading_json(reading: Reading) -> dict[str, Any]:
    return {
        "source": reading.source,
        "up": not reading.error,
        "error": reading.error,
        "seconds": round(reading.seconds, 3),
        "tables": [_table_json(table) for table in reading.tables],
        "faults": [_fault_json(fault) for fault in reading.faults],
        "faulty": reading.faulty,
    }


def _fault_json(fault: Fault) -> dict[str, str]:
    return {"project": fault.project, "name": fault.name, "reason": fault.reason}


def _table_json(table: Table) -> dict[str, Any]:
    figures = {name: {"value": number(figure.value), "quality": str(figure.quality)} for name, figure in table.figures.items()}
    return {"project": table.project, "name": table.name, "index": table.index, "status": table.status, "figures": figures}


def _readings_csv(found: Sequence[Reading]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["source", "project", "table", "index", "status", "figure", "value", "quality"])
    for reading in found:
        for table in reading.tables:
            row = [reading.source, *map(printable, (table.project, table.name, table.index, table.status))]
            for name, figure in table.figures.items():
                writer.writerow([*row, printable(name), number(figure.value), figure.quality])
            if not table.figures:
                writer.writerow([*row, "", "", ""])


# -- health checks -------------------------------------------------------------------------------------------------------


def _checks(found: Sequence[Checked]) -> None:
    drawn = _drawn(["check", "", "what it says"], [])
    for name, health in found:
        parts = [f"{'.'.join(keys)} {UP if up else DOWN}" for keys, up in health.parts.items()]
        drawn.add_row(*_cells([name, UP if health.up else DOWN, ", ".join(parts) or health.reason]))
    _print(drawn)


def _checks_json(found: Sequence[Checked]) -> None:
    told = [
        {
            "name": name,
            "up": health.up,
            "reason": health.reason,
            "parts": {".".join(keys): up for keys, up in health.parts.items()},
        }
        for name, health in found
    ]
    _print_json({"time": round(time.time(), 3), "checks": told})


def _checks_csv(found: Sequence[Checked]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["check", "part", "up"])
    for name, health in found:
        writer.writerow([name, "all", int(health.up)])
        writer.writerows([name, printable(".".join(keys)), int(up)] for keys, up in health.parts.items())


# -- printing ------------------------------------------------------------------------------------------------------------


def _drawn(words: Sequence[str], numbers: Sequence[str]) -> Drawn:
    from rich.table import Table as Drawn  # noqa: PLC0415 other forms need no rich

    drawn = Drawn(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for word in words:
        drawn.add_column(word, overflow="fold")
    for name in numbers:
        drawn.add_column(name, justify="right", no_wrap=True)
    return drawn


def _cells(words: Iterable[str]) -> list[RenderableType]:
    from rich.text import Text  # noqa: PLC0415 other forms need no rich

    return [Text(printable(word), style="red" if word == DOWN else "") for word in words]


def _print(*parts: RenderableType) -> None:
    for part in parts:
        console().print(part)


def console() -> Console:
    """Return standard output; plain and of a fixed width where it is no terminal."""
    from rich.console import Console  # noqa: PLC0415 other forms need no rich

    found = Console(file=sys.stdout)
    return found if found.is_terminal else Console(file=sys.stdout, width=WIDTH, no_color=True)


def _print_json(told: object) -> None:
    click.echo(json.dumps(told))
