"""What is covered of each source: intervals without overlaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from nilometer.backends._parts.sql.statistics.tables import COVERED
from nilometer.core.statistics import Covered
from nilometer.core.statistics.coverage import union

if TYPE_CHECKING:
    from collections.abc import Sequence

C = COVERED.c


def read(connection: sa.Connection, source: str) -> list[Covered]:
    """Return what is covered of a source, in order."""
    asked = sa.select(C.begin, C.end, C.noted).where(C.source == source).order_by(C.begin)
    return [Covered(*row) for row in connection.execute(asked)]


def sources(connection: sa.Connection) -> list[str]:
    """Return the sources of which anything is covered, in order."""
    return sorted(connection.scalars(sa.select(C.source).distinct()))


def add(connection: sa.Connection, source: str, more: Sequence[Covered]) -> None:
    """Note more, under the lock of writers."""
    held = read(connection, source)
    merged = union([*held, *more])
    if merged == held:
        return
    connection.execute(sa.delete(COVERED).where(C.source == source))
    connection.execute(sa.insert(COVERED), [{"source": source, **each._asdict()} for each in merged])
