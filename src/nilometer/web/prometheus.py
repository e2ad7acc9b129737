"""``/metrics``: what the last flush held, for Prometheus: counters since the start, gauges, timers as summaries and histograms.

Rules:

* A counter is ``NAME_total``. A set is the gauge ``NAME_unique``. A timer is the summary ``NAME``: its percentiles of the last
  flush as quantiles, ``_sum`` and ``_count`` since the start; with bins it is a histogram besides, ``NAME_histogram``.
* Values keep the unit that clients send, as a rule milliseconds.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from nilometer.core.record import Kind
from nilometer.core.wire.exposition import OPEN_METRICS, TEXT, Families, Sample, labelled, named, number
from nilometer.web.cumulative import BINS
from nilometer.web.reply import HEADERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.core.record import Block
    from nilometer.web.cumulative import Cumulative, Totals
    from nilometer.web.parts import Parts

UPPER = re.compile(r"upper_(\d+(?:_\d+)?)")


def router(parts: Parts) -> APIRouter:
    """Return the route."""
    found = APIRouter(include_in_schema=False)

    def metrics(request: Request) -> Response:
        """Tell the last flush."""
        wanted = "application/openmetrics-text" in request.headers.get("accept", "")
        with parts.exposition.cumulative() as sums:
            text = exposed(sums).text(open_metrics=wanted).encode("utf-8", "replace")
        return Response(text, headers=HEADERS | {"content-type": OPEN_METRICS if wanted else TEXT})

    found.get("/metrics")(metrics)
    return found


def exposed(cumulative: Cumulative) -> Families:
    """Return families of all series of the last flush."""
    families = Families()
    for _, totals in cumulative.totals(Kind.COUNTER):
        for key, value in zip(totals.keys, totals.columns["count"], strict=True):
            name, labels = named(key)
            families.of(name.removesuffix("_total"), "counter").add(Sample("", labels, value, summed=True))
    for block, totals in cumulative.totals(Kind.TIMER):
        _timers(families, block, totals)
    for block in cumulative.flush.blocks if cumulative.flush else ():
        if block.kind in (Kind.GAUGE, Kind.SET):
            _values(families, block)
    return families


def _values(families: Families, block: Block) -> None:
    """Add gauges, and how many members sets have."""
    after = "_unique" if block.kind is Kind.SET else ""
    for key, value in zip(block.keys(), block.columns[0].values, strict=True):
        name, labels = named(key)
        families.of(name + after, "gauge").add(Sample("", labels, value))


def _timers(families: Families, block: Block, totals: Totals) -> None:
    quantiles = [(_fraction(found[1]), column) for column in block.columns if (found := UPPER.fullmatch(column.name))]
    bins = sorted((_bound(name), name) for name in totals.columns if name.startswith(BINS))
    for place, key in enumerate(totals.keys):
        name, labels = named(key)
        summary = families.of(name, "summary")
        for fraction, column in quantiles:
            if column.present is None or column.present[place]:
                summary.add(Sample("", labelled(labels, "quantile", number(fraction)), column.values[place]))
        for statistic in ("sum", "count"):
            summary.add(Sample(f"_{statistic}", labels, totals.columns[statistic][place], summed=True))
        counts = [(bound, each, totals.columns[each][place]) for bound, each in bins]
        if any(count for _, _, count in counts):
            histogram = families.of(f"{name}_histogram", "histogram")
            for sample in _buckets(counts, labels, totals, place):
                histogram.add(sample)


def _fraction(percent: str) -> float:
    return round(float(percent.replace("_", ".")) / 100, 12)


def _bound(name: str) -> float:
    text = name.rpartition("_")[2] if name.endswith("inf") else re.sub(r"^histogram\.(bin|le)_", "", name)
    return math.inf if text == "inf" else float(text.replace("_", "."))


def _buckets(counts: list[tuple[float, str, float]], labels: str, totals: Totals, place: int) -> Iterator[Sample]:
    """Yield a series' buckets, each with all below it, and its sum and count."""
    below = 0.0
    for bound, name, count in counts:
        below = count if name.startswith(BINS[1]) else below + count
        if bound != math.inf:
            yield Sample("_bucket", labelled(labels, "le", number(bound)), below, summed=True)
    total = totals.columns["count"][place]
    yield Sample("_bucket", labelled(labels, "le", "+Inf"), total, summed=True)
    yield Sample("_sum", labels, totals.columns["sum"][place], summed=True)
    yield Sample("_count", labels, total, summed=True)
