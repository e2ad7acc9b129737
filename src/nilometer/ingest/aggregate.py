"""A kernel's finished window becomes a `Flush`: its losses are counted, the server's own series join the clients'."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core.record import Flush

if TYPE_CHECKING:
    from nilometer.core.losses import Losses
    from nilometer.ingest.kernel import Aggregates, Tally
    from nilometer.ingest.selfmetrics import Moment, SelfMetrics


def assemble(aggregates: Aggregates, moment: Moment, metrics: SelfMetrics) -> Flush:
    """Return the record of a window, the server's own series included."""
    first, last = metrics.blocks(moment)
    return Flush(moment.window, (*first, *aggregates.blocks, *last), moment.duration_ms)


def count_losses(tally: Tally, losses: Losses) -> None:
    """Count what the kernel refused and what the operating system dropped."""
    losses.count("kernel", "bad_line", tally.bad_lines)
    losses.count("kernel", "series_limit", tally.series_over_limit)
    losses.count("kernel", "sample_limit", tally.samples_over_limit)
    losses.count("kernel", "set_member_limit", tally.members_over_limit)
    losses.count("socket", "kernel_drop", tally.kernel_drops)
