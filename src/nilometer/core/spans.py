"""The pipe of spans to one sink; its rules are those of `batches`.

A sink that takes whole spans only (`WholeSpans`) gets no parts: they are left out of what is written, and not counted as lost,
for whoever makes spans sends the whole one, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.core.batches import BatchWorker
from nilometer.core.capability import WholeSpans
from nilometer.core.spool import Codec, SpoolOf
from nilometer.core.traces.span import Span
from nilometer.core.wire import span_batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nilometer.core.capability import SpanSink

GATHERED = 0.05
"""Seconds for which spans are gathered before they are written: to wake up for each would cost whoever makes them."""
Batch = tuple[Span, ...]
SpanSpool = SpoolOf[Batch]
SPANS: Codec[Batch] = Codec("batch of spans", "spans", "span", span_batch.encode, span_batch.decode, len)
"""How batches lie in a spool."""


class SpanWorker(BatchWorker[Span]):
    """Writes spans to one sink, in order."""

    noun = "spans"
    stage = "span"
    _sink: SpanSink

    def _gather(self) -> None:
        self._clock.wait(self._stopping, GATHERED)

    def _store(self, items: Sequence[Span]) -> None:
        if isinstance(self._sink, WholeSpans) and self._sink.whole_spans:
            items = [span for span in items if span.part == "whole"]
        if items:
            self._sink.write_spans(items)

    def _told(self, item: Span) -> str:
        return f"a span {item.name} of the trace {item.trace}"
