"""Traces in a server of this process: which store keeps them, what a reload changes, what is refused."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from nilometer.backends import memory, registry
from nilometer.cli.plan import Plan
from nilometer.cli.tracing import FILE, JOURNAL, SPOOLS, Tracing, decode, store_url
from nilometer.core.errors import CapabilityError, InputError, Unavailable, UrlError
from nilometer.core.intake.spans import Full
from nilometer.core.losses import Losses
from nilometer.core.record import Event, Message
from nilometer.core.settings import load
from nilometer.core.traces.query import EVERYTHING
from nilometer.core.wire import notification, osprofiler
from nilometer.ingest.statsd.mode import StatsdMode
from nilometer.testing.trace_examples import number, request
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STORE = "memory://serve-traces"


def plan(statsd: StatsdMode | None = None, *, alone: bool = False, **flags: object) -> Plan:
    return Plan(load(None, {}, {f"traces.{name}": value for name, value in flags.items()}), statsd, alone=alone)


@pytest.fixture
def fed() -> list[bytes]:
    return []


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    memory.forget("serve-traces")
    memory.forget("other")


class House:
    """One server's traces."""

    def __init__(self, chosen: Plan, state: Path, fed: list[bytes]) -> None:
        self.losses = Losses()
        self.tracing = Tracing(chosen, state, self.losses, fed.append)
        self.tracing.start(self.tracing.prepare(chosen.settings))

    def end(self) -> None:
        self.tracing.stop(2)
        self.tracing.close()


def stored(url: str = STORE) -> list[str]:
    return [trace.trace for trace in registry.open(url, registry.TRACES).find_traces(EVERYTHING).traces]


def test_the_store_is_a_file_in_the_state_directory_unless_somebody_names_another(tmp_path: Path) -> None:
    assert str(store_url(plan(), tmp_path)) == f"sqlite:///{tmp_path}/{FILE}"
    assert str(store_url(plan(store=STORE), tmp_path)) == STORE
    assert store_url(plan(store="none"), tmp_path) is None


def test_in_statsds_place_and_alone_only_a_store_that_is_named_keeps_traces(tmp_path: Path) -> None:
    assert store_url(plan(StatsdMode()), tmp_path) is None
    assert store_url(plan(alone=True), tmp_path) is None
    assert str(store_url(plan(StatsdMode(), store=STORE), tmp_path)) == STORE


def test_who_has_no_spans_has_no_files_and_threads_for_them(tmp_path: Path, fed: list[bytes]) -> None:
    before = threading.active_count()
    house = House(plan(store=STORE, retention=0), tmp_path, fed)
    assert not [each for each in (JOURNAL, SPOOLS, FILE) if (tmp_path / each).exists()]
    assert threading.active_count() <= before + 1, "the one that deletes"
    house.end()


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        ({"store": "console://"}, CapabilityError),
        ({"store": "memory://x?nothing=1"}, UrlError),
        ({"sinks": ["graphite://a"]}, CapabilityError),
        ({"sources": ["null://"]}, CapabilityError),
    ],
)
def test_what_cannot_be_used_is_refused_at_the_start(
    flags: dict[str, Any], error: type[Exception], tmp_path: Path, fed: list[bytes]
) -> None:
    with pytest.raises(error):
        House(plan(**flags), tmp_path, fed)


def test_spans_are_stored_counted_and_made_metrics_of(tmp_path: Path, fed: list[bytes]) -> None:
    house = House(plan(store=STORE, metrics=["server:*/*=r.{service}"]), tmp_path, fed)
    house.tracing.offer(request(1))
    until(lambda: stored() == [number(1, 32)], "it is stored")
    assert fed == [b"r.tables:30|ms\nr.tables.ok:1|c"]
    assert [each.trace for each in house.tracing.exemplars.of("r.tables")["r.tables"]] == [number(1, 32)]
    status = house.tracing.status()
    assert (status.taken, status.kept) == (3, 3)
    assert status.store is not None
    house.end()
    with pytest.raises(Full, match="the server ends"):
        house.tracing.offer(request(2))


def test_a_reload_changes_sampling_metrics_and_sinks(tmp_path: Path, fed: list[bytes]) -> None:
    house = House(plan(store=STORE), tmp_path, fed)
    house.tracing.offer(request(1))
    other = plan(store=STORE, ratio=0, wait="100ms", sinks=["memory://other"], metrics=["*/*=all"]).settings
    house.tracing.change(house.tracing.prepare(other), other)
    house.tracing.offer(request(2))
    house.tracing.offer(request(3, error=True))
    until(lambda: stored("memory://other") == [number(3, 32)], "the sink has what is kept since")
    until(lambda: house.tracing.status().traces["part"] == 1, "the other one is dropped")
    assert sorted(stored()) == [number(1, 32), number(3, 32)]
    assert len(fed) == 2
    again = plan(store=STORE).settings
    house.tracing.change(house.tracing.prepare(again), again)
    house.tracing.offer(request(4))
    until(lambda: len(stored()) == 3, "all are kept again")
    assert stored("memory://other") == [number(3, 32)]
    house.end()


def test_where_nobody_keeps_spans_they_are_refused(tmp_path: Path, fed: list[bytes]) -> None:
    house = House(plan(store="none"), tmp_path, fed)
    with pytest.raises(Unavailable, match=r"traces\.store"):
        house.tracing.offer(request())
    house.end()


def test_a_directory_that_cannot_be_written_is_told_to_who_brings_spans(tmp_path: Path, fed: list[bytes]) -> None:
    (tmp_path / JOURNAL).write_text("in the way")
    house = House(plan(store=STORE), tmp_path, fed)
    with pytest.raises(Unavailable, match="cannot be made a spool"):
        house.tracing.offer(request())
    (tmp_path / JOURNAL).unlink()
    house.tracing.offer(request())
    house.end()


def test_what_was_left_waits_until_somebody_keeps_it(
    tmp_path: Path, fed: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    house = House(plan(store=STORE, ratio=0, wait="1h"), tmp_path, fed)
    house.tracing.offer(request(1))
    house.end()
    house = House(plan(store="none", metrics=["*/*=all"]), tmp_path, fed)
    house.tracing.offer(request(2))
    assert "holds spans, and nobody keeps any now" in caplog.text
    other = plan(store="none", sinks=[STORE]).settings
    house.tracing.change(house.tracing.prepare(other), other)
    until(lambda: stored() == [number(1, 32)], "a sink that is new gets it")
    until(lambda: house.tracing.status().written_down == 0, "nothing is left")
    house.end()


def message(event: Event) -> Message:
    return Message("profiler.info", notification.encode(event, envelope=True), 1.0)


def test_a_message_of_osprofiler_is_read_and_any_other_refused() -> None:
    note = osprofiler.notes(request()[0])[0]
    assert decode(message(Event("1", 1.0, "profiler.nova", payload=note))).payload == note
    with pytest.raises(InputError, match=r"of the type 'compute\.start', not profiler"):
        decode(message(Event("1", 1.0, "compute.start", payload=note)))
    with pytest.raises(InputError, match="a notification has no"):
        decode(message(Event("1", 1.0, "profiler.nova", payload={"name": "x"})))
    with pytest.raises(InputError):
        decode(Message("profiler.info", b"{", 1.0))
