"""The pipe of spans: what is its own. What it shares with that of events is tested there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nilometer.backends import memory, registry
from nilometer.core.errors import Rejected, Unavailable
from nilometer.core.losses import Losses
from nilometer.core.spans import SPANS, SpanSpool, SpanWorker
from nilometer.testing.trace_examples import request
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from nilometer.core.traces.span import Span


class Sink:
    """A sink that is away while `away`, and refuses spans of the name `refused`."""

    def __init__(self, *, whole: bool = False) -> None:
        self.whole_spans, self.away, self.refused = whole, False, ""
        self.spans: list[Span] = []

    def write_spans(self, spans: Sequence[Span]) -> None:
        if self.away:
            message = "away"
            raise Unavailable(message)
        if any(span.name == self.refused for span in spans):
            message = "no"
            raise Rejected(message)
        self.spans.extend(spans)

    def close(self) -> None:
        pass


@pytest.fixture
def losses() -> Losses:
    return Losses()


@pytest.fixture
def name() -> Iterator[str]:
    yield "pipe-of-spans"
    memory.forget("pipe-of-spans")


def test_spans_arrive(name: str, losses: Losses) -> None:
    worker = SpanWorker("memory", registry.open(f"memory://{name}", registry.SPANS), losses)
    worker.put(request())
    until(lambda: worker.idle, "it has written")
    assert worker.close(5)
    assert registry.open(f"memory://{name}", registry.TRACES).read_trace(request()[0].trace) == request()


@pytest.mark.parametrize("whole", [True, False])
def test_parts_are_for_those_who_take_them(whole: bool, losses: Losses) -> None:  # noqa: FBT001 one of two
    sink = Sink(whole=whole)
    worker = SpanWorker("fake", sink, losses)
    first = request()[0]
    worker.put([first._replace(end=first.start, part="start"), first])
    until(lambda: worker.idle, "it has written")
    assert worker.close(5)
    assert [span.part for span in sink.spans] == (["whole"] if whole else ["start", "whole"])
    assert not any(losses.totals().values())


def test_one_that_is_refused_takes_no_other_with_it(losses: Losses, caplog: pytest.LogCaptureFixture) -> None:
    sink = Sink()
    sink.refused = "list"
    worker = SpanWorker("fake", sink, losses)
    worker.put(request())
    until(lambda: worker.idle, "it has written")
    assert worker.close(5)
    assert [span.name for span in sink.spans] == ["GET /v1/tables", "SELECT"]
    assert losses.totals()["span", "rejected"] == 1
    assert "refused a span list of the trace" in caplog.text


def test_a_spool_keeps_them_while_the_sink_is_away_and_over_a_restart(tmp_path: Path, losses: Losses) -> None:
    def spool() -> SpanSpool:
        return SpanSpool(tmp_path / "spool", SPANS, size=1 << 20, age=1e6, losses=losses)

    sink = Sink()
    sink.away = True
    worker = SpanWorker("fake", sink, losses, spool=spool)
    worker.put(request())
    until(lambda: worker.status().spool_items, "they lie on disk")
    assert worker.close(1)
    sink.away = False
    worker = SpanWorker("fake", sink, losses, spool=spool)
    until(lambda: len(sink.spans) == 3, "they arrive after a restart")
    assert worker.close(5)
    assert sink.spans == request()
    assert not any(losses.totals().values())
