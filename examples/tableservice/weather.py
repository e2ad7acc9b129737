"""Bad weather, for demonstrations: a database that is far away, slow now and then, and fails once in a while.

Off unless asked for: a service on one machine with SQLite is too quick and too healthy to look at.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from tableservice.errors import BackendInteractionException

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

TYPICAL, SPREAD = 0.0015, 1.3
"""The median of a statement's delay in seconds, and how far its logarithm spreads: 99 % stay below 31 ms."""
STORM, CALM = 0.008, 1.2
"""Which part of the statements that only read meets a storm, and the shape of the Pareto distribution of its length."""
LONGEST = 2.0
FAILURE = 0.002
"""Which part of the statements fails."""


def install(engine: Engine) -> None:
    """Let the statements of an engine have weather."""
    chance = random.Random()  # noqa: S311 it is weather, nothing secret

    @event.listens_for(engine, "before_cursor_execute")
    def weather(link: Connection, *_: Any) -> None:  # noqa: ANN401 SQLAlchemy hands over more than is needed
        time.sleep(_delay(chance, reading="begin" not in link.get_execution_options()))
        if chance.random() < FAILURE:
            message = "the storage did not answer"
            raise BackendInteractionException(message)


def _delay(chance: random.Random, *, reading: bool) -> float:
    """Return the seconds for which a statement is late."""
    late = TYPICAL * chance.lognormvariate(0, SPREAD)
    if reading and chance.random() < STORM:
        late += 0.2 * chance.paretovariate(CALM)
    return min(late, LONGEST)
