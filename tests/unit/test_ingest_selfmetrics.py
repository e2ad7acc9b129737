"""The server's metrics about itself: every one of the list is sent, none besides, with the right values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from nilometer.core.event_status import EventsStatus, KeepStatus, WayStatus
from nilometer.core.losses import Losses
from nilometer.core.pipe import Status
from nilometer.core.record import Block, Kind, Window
from nilometer.core.statistics import FillStatus, Inbox, Progress, State, StatisticsStatus
from nilometer.core.trace_status import TracesStatus
from nilometer.ingest.kernel import Tally
from nilometer.ingest.relay.relay import TargetStatus
from nilometer.ingest.selfmetrics import METRICS, Moment, OwnMetrics, StatsdMetrics, label

if TYPE_CHECKING:
    from collections.abc import Callable

TALLY = Tally(packets=3, bytes=90, lines=9, bad_lines=2, kernel_drops=4, series=6, pause_ns=1_500_000)
WINDOW = Window(1000.0, 1010.0, 10.0)
MOMENT = Moment(WINDOW, TALLY, 10.0, 12.5, 3.25)


def status(*, written: int = 7, dropped: int = 1, error: str = "", last: float | None = 1004.0) -> Status:
    return Status("graphite://db:2003", last, error, None, None, 0, 2, 512, written, 70, dropped)


STATISTICS = StatisticsStatus(
    (WayStatus("amqp://db:5672", 90, 60, 20, 10, 0, 0.5),),
    (FillStatus("https://db/raw", 30.0, 60.0, new=5, known=6, bad=7, error="503"),),
    KeepStatus("sqlite:///y"),
    Inbox(50, 1, 90),
    (Progress("by-x-1d@a", offset=80), Progress("by-x-1m", offset=90, state=State.STOPPED)),
)


def own(
    losses: Losses | None = None, statuses: list[Status] | None = None, skipped: Callable[[], int] = lambda: 0
) -> OwnMetrics:
    return OwnMetrics(
        "nilometer",
        losses or Losses(),
        sinks=lambda: [status()] if statuses is None else statuses,
        buffers=lambda: {"udp://:8125?threads=2": 4096},
        connections=lambda: 5,
        skipped=skipped,
        events=lambda: EventsStatus(
            (WayStatus("nats://db:4222", 9, 6, 2, 1, 4, 1.25),), KeepStatus("sqlite:///x", "the disk is full", 1000.0)
        ),
        statistics=lambda: STATISTICS,
        traces=lambda: TracesStatus(
            (WayStatus("nats://db:4222", 9, 6, 2, 1, 4, 1.25),),
            status(),
            (status(),),
            taken=3,
            traces=dict.fromkeys(REASONS, 1),
        ),
        relay=lambda: [TargetStatus("udp://10.0.0.1:8125", up=True, sent=7, bytes=70, lost=2, error="", node="10.0.0.1:8125")],
    )


REASONS = ("error", "slow", "chance", "part", "rate")


def test_bytes_that_the_kernel_was_not_fed_are_counted_too() -> None:
    totals = iter([10, 10, 25])
    metrics = own(skipped=lambda: next(totals))
    assert [values(metrics)["bytes"] for _ in range(3)] == [100, 90, 105]


def rows(blocks: list[Block], statistic: str) -> dict[str, tuple[Kind, float]]:
    return {
        key: (block.kind, value)
        for block in blocks
        for column in block.columns
        if column.name == statistic
        for key, value in zip(block.keys(), column.values, strict=True)
    }


def values(metrics: OwnMetrics, moment: Moment = MOMENT) -> dict[str, float]:
    blocks = metrics.blocks(moment)[1]
    found = {**rows(blocks, "count"), **rows(blocks, "value")}
    return {key.removeprefix("nilometer."): value for key, (_, value) in found.items()}


def test_every_metric_of_the_list_is_sent_and_none_besides() -> None:
    first, last = own().blocks(MOMENT)
    sent = {key: kind for key, (kind, _) in {**rows(last, "count"), **rows(last, "value")}.items()}
    places = {"<sink>": "graphite_db_2003", "<listener>": "udp_8125", "<target>": "udp_10_0_0_1_8125"}
    places |= {"<source>": "nats_db_4222", "<bus>": "amqp_db_5672", "<archive>": "https_db_raw"}
    of_each = [places | {"<ident>": ident} for ident in ("by-x-1d_a", "by-x-1m")]
    named = [(re.sub("<.*>", lambda found: each[found[0]], metric.name), metric) for metric in METRICS for each in of_each]  # noqa: B023 called at once
    listed = {f"nilometer.{name}": metric.kind for name, metric in named}

    assert first == []
    assert sent == listed


def test_the_values_are_those_of_the_window() -> None:
    found = values(own())

    expected = {
        "lines": 9,
        "bad_lines": 2,
        "packets": 3,
        "bytes": 90,
        "kernel_drops": 4,
        "series": 6,
        "flush.duration": 12.5,
        "flush.lateness": 3.25,
        "flush.pause": 1.5,
        "connections": 5,
        "listener.udp_8125.buffer": 4096,
        "sink.graphite_db_2003.age": 6,
        "events.nats_db_4222.received": 9,
        "events.nats_db_4222.stored": 6,
        "events.nats_db_4222.duplicates": 2,
        "events.nats_db_4222.bad": 1,
        "events.nats_db_4222.waiting": 4,
        "events.nats_db_4222.lag": 1.25,
        "events.nats_db_4222.up": 1,
        "events.store.up": 0,
        "statistics.bus.amqp_db_5672.received": 90,
        "statistics.bus.amqp_db_5672.stored": 60,
        "statistics.bus.amqp_db_5672.duplicates": 20,
        "statistics.bus.amqp_db_5672.bad": 10,
        "statistics.bus.amqp_db_5672.waiting": 0,
        "statistics.bus.amqp_db_5672.lag": 0.5,
        "statistics.bus.amqp_db_5672.up": 1,
        "statistics.archive.https_db_raw.new": 5,
        "statistics.archive.https_db_raw.known": 6,
        "statistics.archive.https_db_raw.bad": 7,
        "statistics.archive.https_db_raw.missing": 30,
        "statistics.archive.https_db_raw.up": 0,
        "statistics.inbox.messages": 50,
        "statistics.store.up": 1,
        "statistics.plugin.by-x-1d_a.behind": 10,
        "statistics.plugin.by-x-1d_a.running": 1,
        "statistics.plugin.by-x-1m.behind": 0,
        "statistics.plugin.by-x-1m.running": 0,
        "sink.graphite_db_2003.failing": 0,
        "sink.graphite_db_2003.written": 7,
        "sink.graphite_db_2003.dropped": 1,
        "sink.graphite_db_2003.spool.flushes": 2,
        "sink.graphite_db_2003.spool.size": 512,
    }
    assert {name: found[name] for name in expected} == expected
    assert found["process.memory"] > 1_000_000


def test_counters_have_their_rates() -> None:
    assert rows(own().blocks(MOMENT)[1], "rate")["nilometer.lines"] == (Kind.COUNTER, 0.9)


def test_totals_become_what_was_added_since_the_flush_before() -> None:
    losses, statuses = Losses(), [status(written=7)]
    metrics = own(losses, statuses)
    losses.count("spool", "size", 3)
    assert values(metrics)["lost.spool.size"] == 3

    losses.count("spool", "size", 2)
    statuses[0] = status(written=8)
    found = values(metrics)
    assert found["lost.spool.size"] == 2
    assert found["sink.graphite_db_2003.written"] == 1
    assert found["sink.graphite_db_2003.dropped"] == 0
    assert values(metrics)["lost.spool.size"] == 0


def test_a_sink_that_fails_shows_it_and_one_that_never_worked_has_no_age() -> None:
    found = values(own(statuses=[status(error="connection refused", last=None)]))

    assert found["sink.graphite_db_2003.failing"] == 1
    assert "sink.graphite_db_2003.age" not in found


def test_a_sink_that_came_again_does_not_count_backwards() -> None:
    statuses = [status(written=7)]
    metrics = own(statuses=statuses)
    values(metrics)
    statuses[0] = status(written=1)

    assert values(metrics)["sink.graphite_db_2003.written"] == 0


def test_no_prefix_leaves_the_names_bare() -> None:
    metrics = OwnMetrics("", Losses(), sinks=list, buffers=dict, connections=lambda: 0, skipped=lambda: 0)

    assert "lines" in rows(metrics.blocks(MOMENT)[1], "count")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("graphite://db.example:2003?prefix=x", "graphite_db_example_2003"),
        ("sqlite:///var/lib/nilometer.db", "sqlite_var_lib_nilometer_db"),
        ("graphite://u:***@[::1]:2003", "graphite_u_1_2003"),
        ("console://", "console"),
    ],
)
def test_a_url_becomes_one_part_of_a_name(url: str, name: str) -> None:
    assert label(url) == name
    assert re.fullmatch(r"[A-Za-z0-9_-]+", label(url))


def test_statsd_counters_go_first_and_the_lag_comes_with_the_second_flush() -> None:
    metrics = StatsdMetrics("statsd")
    first, last = metrics.blocks(MOMENT)

    assert rows(first, "count") == {
        "statsd.bad_lines_seen": (Kind.COUNTER, 2),
        "statsd.packets_received": (Kind.COUNTER, 3),
        "statsd.metrics_received": (Kind.COUNTER, 9),
    }
    assert [column.name for column in first[0].columns] == ["rate", "count"]
    assert last == []


@pytest.mark.parametrize(("end", "lag"), [(1020.0, 0.0), (1023.0, 3.0), (1040.4, 20.0)])
def test_the_lag_is_what_the_timestamp_missed_the_interval_by(end: float, lag: float) -> None:
    metrics = StatsdMetrics("statsd")
    metrics.blocks(MOMENT)
    _, last = metrics.blocks(MOMENT._replace(window=Window(1010.0, end, 10.0)))

    assert rows(last, "value") == {"statsd.timestamp_lag": (Kind.GAUGE, lag)}
