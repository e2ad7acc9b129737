"""Spans become metrics: by rules, a timer in ms and a counter for each status.

    requests.shop.GET_cart:12.5|ms
    requests.shop.GET_cart.ok:1|c

Rules:

* Every span counts that comes in, whatever sampling makes of its trace; a span in two parts when the second one is there.
* Names are bounded, `MOST` services and as many things that they do; the rest counts as ``other``.
* Where a series' name holds the status, the counter is called as the timer is.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from nilometer.core.bounded import Bounded
from nilometer.core.event_types.lines import UNNAMED, safe_name
from nilometer.core.traces.rules import ASKED, FIELDS
from nilometer.core.traces.span import merge
from nilometer.core.wire.number import to_text

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator, Sequence

    from nilometer.core.traces.rules import Measured
    from nilometer.core.traces.span import Span
    from nilometer.traces.exemplars import Exemplars

MOST = 1000
PARTS = 20_000
"""Spans of which the second part is awaited."""
MS = 1e6
STATUS = "{status}"


class Measuring:
    """Feeds the lines of spans, all in one text. Any thread may tell.

    `rules` make metrics; `leads` name series that others make, which are to lead to traces, too. Both may be exchanged at
    any time.
    """

    def __init__(
        self,
        rules: Sequence[Measured],
        feed: Callable[[bytes], None],
        exemplars: Exemplars,
        *,
        leads: Sequence[Measured] = (),
    ) -> None:
        self.rules, self.leads, self._feed, self._exemplars = rules, leads, feed, exemplars
        self._clean = Bounded(MOST, safe_name)
        self._name = Bounded(MOST, safe_name)
        self._parts: OrderedDict[tuple[str, str], Span] = OrderedDict()
        self._lock = threading.Lock()

    def tell(self, spans: Sequence[Span]) -> None:
        """Count these spans."""
        if self.rules or self.leads:
            lines = [line for span in self._whole(spans) for line in self._lines(span)]
            if lines:
                self._feed("\n".join(lines).encode())

    def _whole(self, spans: Sequence[Span]) -> Iterator[Span]:
        for span in spans:
            if span.part == "whole":
                yield span
                continue
            with self._lock:
                other = self._parts.pop(span[:2], None)
                if other is None or other.part == span.part:
                    self._parts[span[:2]] = span
                    while len(self._parts) > PARTS:
                        self._parts.popitem(last=False)
                    continue
            yield from merge((other, span))

    def _lines(self, span: Span) -> Iterator[str]:
        status = "error" if span.failed else "ok"
        for rule in self.leads:
            if rule.fits(span):
                self._exemplars.note(self._series(rule.template, span, status), span)
        for rule in self.rules:
            if rule.fits(span):
                series = self._series(rule.template, span, status)
                self._exemplars.note(series, span)
                yield f"{series}:{to_text(span.duration / MS)}|ms"
                yield f"{series if STATUS in rule.template else f'{series}.{status}'}:1|c"

    def _series(self, template: str, span: Span, status: str) -> str:
        def filled(asked: re.Match[str]) -> str:
            field = asked[1]
            if field == "status":
                return status
            value = str(getattr(span, field) if field in FIELDS else span.attributes.get(field, ""))
            return (self._name if field == "name" else self._clean)(value) if value else UNNAMED

        return ASKED.sub(filled, template)
