# ruff: noqa: RUF009, FBT003  `option` makes a dataclass field; the first argument is its default
"""Traces: where spans come from, which are kept, where and for how long, and the metrics that they become."""

from __future__ import annotations

from dataclasses import dataclass

from nilometer.core.quantity import Duration
from nilometer.core.sections import checks
from nilometer.core.setting import option
from nilometer.core.url import Url, parse

DAY = 86_400


@dataclass(frozen=True, slots=True)
class TracesSection:
    """Traces: where spans come from, which are kept, where and for how long, and the metrics that they become."""

    sources: tuple[Url, ...] = option(
        (), "Buses to take OSProfiler's notifications from, such as amqp://localhost?topics=profiler; any number."
    )
    store: Url = option(
        parse("sqlite"), "The store that keeps traces; sqlite alone is traces.db in server.state, none keeps none."
    )
    sinks: tuple[Url, ...] = option((), "Where spans that are kept go, too, any number of URLs that take spans.")
    retention: Duration = option(Duration(7 * DAY), "How long traces are kept; 0 keeps them for ever.")
    queue: int = option(50_000, "Spans that may wait for the store in memory.", minimum=100, maximum=10_000_000)
    ratio: float = option(1.0, "The part of traces that is kept, by chance; 1 keeps all.", minimum=0, maximum=1)
    rate: float = option(0.0, "Traces a second that chance may keep; 0 is no limit.", minimum=0, maximum=1_000_000)
    errors: bool = option(True, "Traces with an error are always kept.")
    slower: Duration = option(Duration(0), "Traces that take as long are always kept; 0: only others' reasons count.")
    sampling: tuple[str, ...] = option(
        (),
        "The part that is kept of certain traces, as SERVICE/NAME=PART with globs over their root, such as "
        "shop/*health=0; the first that fits counts in place of traces.ratio.",
        check=checks.sampling,
    )
    wait: Duration = option(
        Duration(10),
        "For how long spans of a trace are awaited before it is decided upon, where not all traces are kept.",
        minimum=0.1,
        maximum=3600,
    )
    undecided: int = option(
        20_000, "Traces that may wait for that; beyond, the oldest are decided upon at once.", minimum=1, maximum=10_000_000
    )
    metrics: tuple[str, ...] = option(
        (),
        "Spans that become metrics, as KIND:SERVICE/NAME=SERIES with globs, such as "
        "server:*/*=requests.{service}.{name}: a timer in ms, and a counter for each status. "
        "Attributes may stand in the name, too: {http.route}.",
        check=checks.span_metric,
    )
    leads: tuple[str, ...] = option(
        (),
        "Series that others make and that are to lead to slow traces, too, written as in traces.metrics, such as "
        "server:*/*=mdb.req.timing.{name}.",
        check=checks.span_metric,
    )
    exemplars: int = option(1000, "Series of these metrics for which slow requests are remembered.", minimum=0, maximum=100_000)
