"""Reads what sources say of their tables, several sources side by side, and makes gauges of it.

Rules:

* A source that fails as a whole, hangs, or yields a table that is wrong, spoils nothing for the other tables and sources. Its
  `Reading` says what was wrong.
* What was read is handed over and forgotten. A figure that is missing makes no gauge: missing is never zero.
* Two tables never share a series: the second one is a fault, told with what helps.
* Everything that a source can make grow is bounded: `Bounds`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from nilometer.collect.crew import Crew
from nilometer.collect.names import joined, number, part
from nilometer.collect.sample import COUNTER, GAUGE, Sample
from nilometer.core.errors import NilometerError
from nilometer.core.table import Fault, Quality, Table
from nilometer.core.template import template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from threading import Event

    from nilometer.collect.sample import Pairs
    from nilometer.core.capability import TableSource

NAME = "tables.{project}.{table}"
"""The usual name of a table; index and figure follow."""
RUNS = "collect"
"""What the names of figures about the reading itself begin with."""
ACTIVE = "active"
MOST_FAULTS = 1000
LATE = "it was not at its end when the time was up"


class Bounds(NamedTuple):
    """Sources read at once, seconds that a run may take, tables (and indexes) that are taken of one source."""

    at_once: int = 4
    seconds: float = 60.0
    tables: int = 100_000


@dataclass(slots=True)
class Reading:
    """What one source said in one run. `error`: why it could not be read to its end; `seconds`: how long it took.

    Of the faults the first `MOST_FAULTS` are kept, `faulty` counts all.
    """

    source: str
    tables: list[Table] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    faulty: int = 0
    error: str = ""
    seconds: float = 0.0

    def fault(self, fault: Fault) -> None:
        """Add a fault."""
        self.faulty += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(fault)


class Reader:
    """Reads sources, by name. Each is opened once, and belongs to this from then on."""

    def __init__(self, sources: Mapping[str, TableSource], bounds: Bounds = Bounds()) -> None:  # noqa: B008 it is frozen
        self._sources, self._bounds = dict(sources), bounds
        self._crew = Crew(bounds.at_once)

    def run(self, stop: Event, told: Callable[[Reading], None] = lambda _: None) -> list[Reading]:
        """Read every source once, and return what each said, in their order. `told` hears of each table, on its thread."""
        readings = {name: Reading(name) for name in self._sources}
        over = _Over(stop)
        jobs = {name: _job(source, readings[name], self._bounds.tables, over, told) for name, source in self._sources.items()}
        late = self._crew.run(jobs, self._bounds.seconds, stop)
        over.now = True
        return [_left(reading, self._bounds) if reading.source in late else reading for reading in readings.values()]

    def close(self) -> None:
        """Close the sources."""
        for source in self._sources.values():
            source.close()


class _Over:
    """Whether a run is over for those who still read."""

    def __init__(self, stop: Event) -> None:
        self._stop, self.now = stop, False

    def __bool__(self) -> bool:
        return self.now or self._stop.is_set()


def _job(source: TableSource, reading: Reading, most: int, over: _Over, told: Callable[[Reading], None]) -> Callable[[], None]:
    def read() -> None:
        began = time.monotonic()
        try:
            for found in source.read_tables():
                if over:
                    reading.error = reading.error or LATE
                    return
                if len(reading.tables) >= most:
                    reading.fault(Fault("", "", f"it has more than {most:,} tables; the others are left out"))
                    return
                _take(found, reading)
                told(reading)
        except NilometerError as error:
            reading.error = str(error)
        except Exception as error:  # noqa: BLE001 a source that does what it should not spoils nothing for the others
            reading.error = f"{type(error).__name__}: {error}"
        finally:
            reading.seconds = time.monotonic() - began

    return read


def _take(found: object, reading: Reading) -> None:
    if isinstance(found, Table):
        reading.tables.append(found)
    elif isinstance(found, Fault):
        reading.fault(found)
    else:
        reading.fault(Fault("", "", f"the source yields {type(found).__name__}, no table"))


def _left(reading: Reading, bounds: Bounds) -> Reading:
    """Return what a source had said when the time was up, apart from what it says from now on."""
    kept = Reading(reading.source, list(reading.tables), list(reading.faults), reading.faulty)
    kept.error, kept.seconds = reading.error or f"{LATE} ({bounds.seconds:g} s)", bounds.seconds
    return kept


# -- gauges --------------------------------------------------------------------------------------------------------------


class Naming:
    """What series are called: below `prefix`, by the template `name` with ``source``, ``project`` and ``table``.

    With `tags` the names are ``tables.FIGURE``, and tags say whose figure it is and what it is worth. Raises ValueError for a
    wrong template.
    """

    def __init__(self, prefix: str = "", name: str = NAME, *, tags: bool = False) -> None:
        self.prefix, self.tags = prefix.strip("."), tags
        self._name = template("name", name, "source", "project", "table")

    def base(self, source: str, table: Table) -> str:
        """Return what the names of a table's series begin with."""
        parts = {"source": source, "project": part(table.project), "table": part(table.name)}
        return joined(self.prefix, self._name(**parts), part(table.index) if table.index else "")

    def samples(self, source: str, table: Table) -> Iterator[Sample]:
        """Yield the gauges of a table: its figures, whether it is active, and whether a figure is stale."""
        for figure, value in _values(table):
            quality = table.figures[figure].quality if figure in table.figures else None
            if self.tags:
                yield Sample(GAUGE, joined(self.prefix, "tables", part(figure)), value, _tags(source, table, quality))
            else:
                yield Sample(GAUGE, joined(self.base(source, table), part(figure)), value)


def _values(table: Table) -> Iterator[tuple[str, float]]:
    for name, figure in table.figures.items():
        value = number(figure.value)
        if value is not None:
            yield name, value
    if table.status:
        yield ACTIVE, int(table.status == ACTIVE)
    if table.figures:
        yield "stale", int(any(figure.quality is Quality.STALE for figure in table.figures.values()))


def _tags(source: str, table: Table, quality: Quality | None) -> Pairs:
    found = {"source": source, "project": table.project, "table": table.name, "index": table.index}
    found["quality"] = str(quality or "")
    return tuple((name, value) for name, value in found.items() if value)


def samples(readings: Iterable[Reading], naming: Naming) -> Iterator[Sample]:
    """Yield the gauges of all tables, then, last of each reading, those about the reading itself.

    Tables whose names another has taken are added to the readings' faults.
    """
    owners: dict[tuple[str, Pairs], tuple[str, str, str, str]] = {}
    for reading in readings:
        for table in reading.tables:
            owner = (reading.source, table.project, table.name, table.index)
            made = list(naming.samples(reading.source, table))
            taken = next((owners[key] for each in made if owners.get(key := (each.stat, each.tags), owner) != owner), None)
            if taken is None:
                owners.update(((each.stat, each.tags), owner) for each in made)
                yield from made
            else:
                reading.fault(Fault(table.project, table.name, _taken(naming, owner, taken)))
        yield from _about(reading, naming)


def _taken(naming: Naming, owner: tuple[str, str, str, str], taken: tuple[str, str, str, str]) -> str:
    other = joined(*taken[1:])
    if owner[0] != taken[0]:
        return f"its series would have the names of {other} in {taken[0]}; put {{source}} into the template of names"
    return f"its series would have the names of {other}" + ("" if naming.tags else "; tell them apart by tags")


def _about(reading: Reading, naming: Naming) -> Iterator[Sample]:
    """Yield figures about a reading."""
    figures: dict[str, float] = {
        "up": int(not reading.error),
        "tables": sum(not table.index for table in reading.tables),
        "faults": reading.faulty,
        "duration_ms": round(reading.seconds * 1000, 1),
    }
    for name, value in figures.items():
        if naming.tags:
            yield Sample(GAUGE, joined(naming.prefix, RUNS, name), value, (("source", reading.source),))
        else:
            yield Sample(GAUGE, joined(naming.prefix, RUNS, reading.source, name), value)


def skipped(number_of: int, naming: Naming) -> Sample:
    """Return the counter of runs that were skipped because the one before still went on."""
    return Sample(COUNTER, joined(naming.prefix, RUNS, "skipped"), number_of)
