"""The metrics that the Cassandra driver keeps: ``Cluster(metrics_enabled=True)``.

    poller.add(cassandra.source(cluster))

========================  ======  =================================================================================
metric                    kind    what it is
========================  ======  =================================================================================
``requests``              c       requests answered, since the time before
``request_ms.STATISTIC``  g       their time in milliseconds: ``mean``, ``median``, ``min``, ``max``, ``stddev``,
                                  ``p75``, ``p95``, ``p98``, ``p99``, ``p999``; of the driver's own sample, which it
                                  looks at every 20 s: they cannot be averaged over nodes
``connection_errors`` …   c       ``connection_errors``, ``write_timeouts``, ``read_timeouts``, ``unavailables``,
                                  ``other_errors``, ``retries``, ``ignores``
``known_hosts`` …         g       ``known_hosts``, ``connected_to``, ``open_connections``
========================  ======  =================================================================================

Source: the driver's ``cassandra.metrics``, kept with the library scales.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nilometer.core.template import template
from nilometer.emit.drivers.sample import Sample, Totals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nilometer.emit.drivers.sample import Source

MS = 1000
COUNTERS = ("connection_errors", "write_timeouts", "read_timeouts", "unavailables", "other_errors", "retries", "ignores")
GAUGES = ("known_hosts", "connected_to", "open_connections")
TIMES = {
    "mean": "mean",
    "median": "median",
    "min": "min",
    "max": "max",
    "stddev": "stddev",
    "75percentile": "p75",
    "95percentile": "p95",
    "98percentile": "p98",
    "99percentile": "p99",
    "999percentile": "p999",
}
"""The driver's word for a statistic, and ours."""


def source(cluster: Any, *, name: str = "cassandra.{metric}") -> Source:  # noqa: ANN401 the driver's Cluster
    """Return a source of a cluster's metrics. Raises ValueError for a cluster that keeps none, or a wrong template."""
    metrics = cluster.metrics
    if metrics is None:
        message = "the cluster keeps no metrics; make it with Cluster(metrics_enabled=True), which needs the package scales"
        raise ValueError(message)
    named, totals = template("name", name, "metric"), Totals()

    def read() -> Iterator[Sample]:
        yield from samples(metrics.get_stats(), named, totals)

    return read


def samples(stats: Mapping[str, Any], named: Callable[..., str], totals: Totals) -> Iterator[Sample]:
    """Make samples of what the driver's metrics say."""
    timer = stats["request_timer"]
    yield totals.added(named(metric="requests"), timer["count"])
    for metric in COUNTERS:
        yield totals.added(named(metric=metric), stats[metric])
    for metric in GAUGES:
        gauge = stats[metric]
        yield Sample("g", named(metric=metric), gauge() if callable(gauge) else gauge)
    for word, statistic in TIMES.items():
        if word in timer:  # it says 0 for what it does not know
            yield Sample("g", named(metric=f"request_ms.{statistic}"), float(timer[word]) * MS)
