"""The way of spans to who keeps them: nothing that was taken over is lost, and nobody waits for a store."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from nilometer.core.errors import Unavailable
from nilometer.core.intake.spans import Full
from nilometer.core.losses import Losses
from nilometer.core.spans import SPANS, SpanWorker
from nilometer.core.spool import SpoolOf
from nilometer.core.traces.rules import Measured
from nilometer.core.traces.span import Span
from nilometer.testing.clock import ManualClock
from nilometer.testing.trace_examples import MS, START, number, request, several
from nilometer.testing.waiting import until
from nilometer.traces.exemplars import AGE, EACH, Exemplars
from nilometer.traces.journal import Journal
from nilometer.traces.keeping import Bounds, Keeping
from nilometer.traces.measuring import Measuring
from nilometer.traces.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class Store:
    """Takes spans, unless it is away or frozen."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.away = False
        self.thawed = threading.Event()
        self.thawed.set()

    def write_spans(self, spans: Sequence[Span]) -> None:
        self.thawed.wait(30)
        if self.away:
            message = "away"
            raise Unavailable(message)
        self.spans += spans

    def close(self) -> None:
        self.thawed.set()


class House:
    """A journal, a worker to a store, and what stands before them; `killed` leaves all as a killed process does."""

    def __init__(self, path: Path, bounds: Bounds) -> None:
        self.path, self.bounds, self.store, self.losses = path, bounds, Store(), Losses()
        self.told: list[Span] = []
        self.gone: list[str] = []
        self.begin()

    def begin(self) -> None:
        self.journal = Journal(self.path / "journal", 1 << 20, self.losses)
        self.worker = SpanWorker("store", self.store, self.losses, spool=self._spool, most=self.bounds.queue)
        told = (self.told.extend,)
        self.keeping = Keeping(self.journal, [self.worker], self.bounds, told=told, dropped=self.gone.extend)
        self.keeping.start()

    def _spool(self) -> SpoolOf[tuple[Span, ...]]:
        return SpoolOf(self.path / "spool", SPANS, size=1 << 20, age=1e6, losses=self.losses)

    def files(self) -> int:
        return len(list((self.path / "journal").glob("*.spans")))

    def end(self) -> None:
        self.keeping.end()
        self.worker.close(1)
        self.keeping.close()

    def killed(self) -> None:
        """Let go of the locks, as the end of a process does, and of nothing else."""
        self.keeping._stop.set()
        self.keeping._wake.set()
        self.journal.close()
        self.worker.abandon()
        self.store = Store()


@pytest.fixture
def bounds() -> Bounds:
    return Bounds()


@pytest.fixture
def house(tmp_path: Path, bounds: Bounds) -> Iterator[House]:
    found = House(tmp_path, bounds)
    yield found
    found.store.thawed.set()
    found.end()


def spans(traces: list[list[Span]]) -> list[Span]:
    return [span for trace in traces for span in trace]


def test_spans_are_stored_and_then_nothing_is_written_down_any_more(house: House) -> None:
    for trace in several(10):
        house.keeping.offer(trace)
    until(lambda: len(house.store.spans) == 30, "all are stored")
    until(lambda: not house.files(), "the journal is empty")
    assert house.store.spans == house.told == spans(several(10))
    assert (house.keeping.taken, house.keeping.kept, house.keeping.waiting) == (30, 30, 0)


def test_what_was_taken_outlives_a_process_that_is_killed_while_the_store_hangs(house: House) -> None:
    house.store.thawed.clear()
    for trace in several(20):
        house.keeping.offer(trace)
    hung = house.store
    house.killed()
    house.begin()
    until(lambda: len(house.store.spans) >= 60, "all are stored by the next process")
    assert sorted(house.store.spans) == sorted(spans(several(20)))
    until(lambda: not house.files(), "the journal is empty")
    assert len(house.told) == 60, "nothing is told twice"
    hung.thawed.set()


@pytest.mark.parametrize("bounds", [Bounds(Policy(part=0), wait=60)])
def test_what_is_undecided_outlives_the_end(house: House) -> None:
    house.keeping.offer(request(1))
    house.end()
    assert house.files() == 1
    house.begin()
    assert house.keeping.undecided == 1
    house.keeping.offer([Span(number(1, 32), "late", "", "n", START, START, status="error")])
    until(lambda: len(house.store.spans) == 4, "the trace is kept for an error that came after the restart")


@pytest.mark.parametrize("bounds", [Bounds(queue=40)])
def test_a_store_that_hangs_holds_nobody_up_and_nothing_is_lost(house: House) -> None:
    house.store.thawed.clear()
    taken = []
    for trace in several(100):
        try:
            house.keeping.offer(trace)
        except Full:
            until(lambda: house.worker.held < 20, "the spool takes what waits")
            house.keeping.offer(trace)
        taken += trace
    house.store.thawed.set()
    until(lambda: len(house.store.spans) >= 300, "all are stored")
    assert sorted(house.store.spans) == sorted(taken)
    assert not sum(house.losses.totals().values())


def test_while_the_store_is_away_spans_lie_in_its_spool(house: House) -> None:
    house.store.away = True
    house.keeping.offer(request())
    until(lambda: house.worker.status().spool_items == 1, "they are in the spool")
    until(lambda: not house.files(), "and not in the journal any more")
    house.store.away = False
    until(lambda: len(house.store.spans) == 3, "they are stored")


@pytest.mark.parametrize("bounds", [Bounds(Policy(part=0, errors=False), wait=0.1)])
def test_traces_that_are_dropped_leave_the_journal(house: House) -> None:
    house.keeping.offer(request())
    until(lambda: not house.files(), "the journal is empty")
    assert (house.keeping.sampled, house.store.spans, house.gone) == (3, [], [number(0, 32)])
    assert house.told == request()


def test_a_full_journal_refuses_and_loses_nothing(house: House) -> None:
    house.store.thawed.clear()
    house.journal.size = 1
    house.keeping.offer(request(0))
    with pytest.raises(Full, match="bytes of spans wait"):
        house.keeping.offer(request(1))
    house.store.thawed.set()
    until(lambda: house.store.spans == request(0), "what was taken is stored")
    until(lambda: not house.files(), "the journal is empty")
    house.keeping.offer(request(2))


def test_nothing_is_taken_after_the_end(house: House) -> None:
    house.keeping.end()
    with pytest.raises(Full, match="the server ends"):
        house.keeping.offer(request())


def test_a_broken_file_of_the_journal_is_set_aside_and_hides_no_other(tmp_path: Path) -> None:
    losses = Losses()
    journal = Journal(tmp_path, 1 << 20, losses)
    for nr in range(3):
        journal.append(request(nr))
    journal.close()
    sorted(tmp_path.glob("*.spans"))[1].write_bytes(b"rubbish")
    journal = Journal(tmp_path, 1 << 20, losses)
    assert list(journal.left()) == [tuple(request(0)), tuple(request(2))]
    assert losses.totals()["span", "corrupt"] == 3
    assert not list(tmp_path.glob("*.spans"))


def test_entries_leave_the_journal_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 1 << 20, Losses())
    first, second = journal.append(request(0)), journal.append(request(1))
    journal.done({second: 3})
    assert len(list(tmp_path.glob("*.spans"))) == 2
    journal.done({first: 2})
    journal.done({first: 1})
    assert not list(tmp_path.glob("*.spans"))


# -- metrics and exemplars ---------------------------------------------------------------------------------------------


def measuring(*rules: str) -> tuple[Measuring, list[bytes], Exemplars]:
    fed: list[bytes] = []
    exemplars = Exemplars(10)
    return Measuring([Measured.read(rule) for rule in rules], fed.append, exemplars), fed, exemplars


def test_spans_become_timers_and_counters_by_rule() -> None:
    found, fed, _ = measuring("server:*/*=requests.{service}.{name}", "storage/*={kind}.{host}.{status}")
    found.tell(request(error=True))
    assert fed[0].decode().split("\n") == [
        "requests.tables.GET_v1_tables:30|ms",
        "requests.tables.GET_v1_tables.ok:1|c",
        "client.unnamed.error:2|ms",
        "client.unnamed.error:1|c",
    ]


def test_attributes_name_series_too() -> None:
    found, fed, _ = measuring("server:*/*=r.{http.response.status_code}.{url.path}.{no.such}")
    found.tell(request())
    assert fed == [b"r.200._v1_tables_0.unnamed:30|ms\nr.200._v1_tables_0.unnamed.ok:1|c".replace(b"_v1", b"v1")]


def test_series_of_others_lead_to_traces_and_no_lines_are_made_of_them() -> None:
    found, fed, exemplars = measuring()
    found.leads = (Measured.read("server:*/*=mdb.req.timing.{name}"),)
    found.tell(request())
    assert not fed
    assert [each.trace for each in exemplars.of("stats.timers.mdb.req.timing.GET_v1_tables.upper_90").popitem()[1]] == [
        number(0, 32)
    ]


def test_spans_in_two_parts_count_once_both_are_there() -> None:
    found, fed, _ = measuring("*/*=all")
    whole = request()[0]
    found.tell([whole._replace(part="start", end=whole.start)])
    assert not fed
    found.tell([whole._replace(part="stop", start=whole.end)])
    assert fed == [b"all:30|ms\nall.ok:1|c"]


def test_hostile_names_make_no_lines_of_their_own() -> None:
    found, fed, _ = measuring("*/*=x.{service}.{name}")
    found.tell([request()[0]._replace(name="a:1|c\nb:2|c\n#", service="e\u0301|x" * 100)])
    assert fed[0].count(b"\n") == 1
    assert fed[0].count(b":") == fed[0].count(b"|") == 2


def test_names_are_bounded() -> None:
    found, fed, _ = measuring("*/*=x.{name}")
    found.tell([request()[0]._replace(name=f"n{nr}x") for nr in range(1500)])
    series = {line.partition(b":")[0] for line in fed[0].split(b"\n")}
    assert len(series) == 2 * 1001


def test_the_slowest_requests_of_a_series_are_remembered() -> None:
    found, _, exemplars = measuring("server:*/*=requests.{name}")
    for trace in several(20):
        found.tell(trace)
    series = "requests.GET_v1_tables"
    told = exemplars.of(f"stats.timers.{series}.upper_90")
    assert [(each.trace, each.duration) for each in told[series]] == [
        (number(nr, 32), (10 + nr) * MS) for nr in range(19, 19 - EACH, -1)
    ]
    assert exemplars.of("stats.timers.requests.GET_v1_tables2.upper") == exemplars.of("requests") == {}


def test_traces_that_are_not_kept_are_no_exemplars() -> None:
    exemplars = Exemplars(10)
    for nr in range(3):
        exemplars.note("a", request(nr)[0])
        exemplars.note("b", request(nr)[0])
    exemplars.forget([number(1, 32), "unknown"])
    assert {name: [each.trace for each in found] for name, found in exemplars.all(5).items()} == {
        name: [number(nr, 32) for nr in (2, 0)] for name in ("b", "a")
    }


def test_exemplars_are_bounded_and_grow_old() -> None:
    clock = ManualClock()
    exemplars = Exemplars(3, clock)
    for nr in range(50):
        exemplars.note(f"series{nr % 5}", request(nr)[0])
    assert list(exemplars.all(10)) == ["series4", "series3", "series2"]
    assert len(exemplars._traces) <= 3 * EACH
    clock.advance(AGE + 1)
    assert exemplars.all(10) == {}
    exemplars.note("series4", request(99)[0])
    assert len(exemplars.of("series4")["series4"]) == 1
    assert len(exemplars._traces) <= 1 + 2 * EACH
