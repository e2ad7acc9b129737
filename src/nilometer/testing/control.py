"""A `Control` over a kernel, without a server around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core.losses import Losses
from nilometer.core.pipe import Status
from nilometer.core.settings import Settings
from nilometer.ingest.admin.control import Control, Sources
from nilometer.ingest.selfmetrics import StatsdMetrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nilometer.core.statistics import StatisticsStatus
    from nilometer.ingest.kernel import Kernel
    from nilometer.ingest.relay.relay import TargetStatus
    from nilometer.ingest.statsd.mode import StatsdMode


def control(  # noqa: PLR0913 what a server is made of
    kernel: Kernel,
    statsd: StatsdMode | None = None,
    sinks: Iterable[Status] = (),
    settings: Settings | None = None,
    relay: Iterable[TargetStatus] = (),
    *,
    statistics: Callable[[], StatisticsStatus | None] = lambda: None,
) -> Control:
    """Return what may be asked of a server of that kernel, in statsd's place or not."""
    metrics = StatsdMetrics("statsd")
    sources = Sources(
        kernel=kernel,
        losses=Losses(),
        settings=lambda: settings or Settings(),
        sinks=lambda: list(sinks),
        standing=metrics.standing if statsd is not None else lambda *_: {},
        connections=lambda: 3,
        relay=lambda: list(relay),
        statsd=lambda: statsd,
        statistics=statistics,
    )
    return Control(sources)


def status(name: str, **changes: object) -> Status:
    """Return how a sink of that name is doing, well but for `changes`."""
    values: dict[str, object] = {
        "last_success": None,
        "last_error": "",
        "last_error_time": None,
        "retry_in": None,
        "queued": 0,
        "spool_items": 0,
        "spool_bytes": 0,
        "written": 0,
        "written_series": 0,
        "dropped": 0,
    }
    return Status(name, **(values | changes))  # type: ignore[arg-type]  # the fields of Status
