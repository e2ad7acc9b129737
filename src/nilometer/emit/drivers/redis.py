"""The connections of a redis-py client, sync or asyncio.

    poller.add(redis.source(client))

====================  ====  ==============================================================
metric                kind  what it is
====================  ====  ==============================================================
``pool.used``         g     connections that commands use now
``pool.idle``         g     connections that wait for one
``pool.most``         g     the pool's bound
====================  ====  ==============================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nilometer.core.template import template
from nilometer.emit.drivers.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.emit.drivers.sample import Source

STATE = "db.client.connection.state"


def source(client: Any, *, name: str = "redis.{metric}") -> Source:  # noqa: ANN401 redis-py's Redis, of either kind
    """Return a source of a client's connections. Raises ValueError for a wrong template."""
    pool, named = client.connection_pool, template("name", name, "metric")

    def read() -> Iterator[Sample]:
        for metric, value in connections(pool).items():
            yield Sample("g", named(metric=metric), value)

    return read


def connections(pool: Any) -> dict[str, int]:  # noqa: ANN401 redis-py's pool
    """Return how many connections a pool has, by state."""
    if hasattr(pool, "get_connection_count"):  # since 7.2
        counts = {str(attributes[STATE]): count for count, attributes in pool.get_connection_count()}
    else:
        counts = {"used": len(pool._in_use_connections), "idle": len(pool._available_connections)}  # noqa: SLF001 it tells no other way
    return {"pool.used": counts["used"], "pool.idle": counts["idle"], "pool.most": pool.max_connections}
