"""Values that came with their own time become flushes of their own."""

from __future__ import annotations

from nilometer.core.record import Kind
from nilometer.ingest.kernel import MAX_TIMESTAMPS, Timed
from nilometer.ingest.timed import flushes


def test_a_flush_for_each_time_in_order() -> None:
    timed = [
        Timed(30, Kind.COUNTER, "a;k=v", 4.0),
        Timed(20, Kind.GAUGE, "g", 1.0),
        Timed(30, Kind.COUNTER, "a;k=v", 6.0),
        Timed(20, Kind.GAUGE, "g", -7.0),
        Timed(20, Kind.COUNTER, "g", 5.0),
    ]
    made, lost = flushes(timed, 10.0)
    assert lost == 0
    assert [(flush.window.start, flush.window.timestamp, list(flush.rows())) for flush in made] == [
        (10, 20, [(Kind.COUNTER, "g", "rate", 0.5), (Kind.COUNTER, "g", "count", 5.0), (Kind.GAUGE, "g", "value", -7.0)]),
        (20, 30, [(Kind.COUNTER, "a;k=v", "rate", 1.0), (Kind.COUNTER, "a;k=v", "count", 10.0)]),
    ]


def test_there_are_so_many_times_and_no_more() -> None:
    timed = [Timed(second, Kind.GAUGE, "g", 1.0) for second in range(1, MAX_TIMESTAMPS + 3)]
    made, lost = flushes([*timed, timed[0]], 10.0)
    assert (len(made), lost) == (MAX_TIMESTAMPS, 2)


def test_nothing_makes_nothing() -> None:
    assert flushes((), 10.0) == ([], 0)
