"""Driver metrics: what the libraries themselves count, read by the poller; without their servers where that will do."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections import Counter
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from cassandra.cluster import Cluster  # type: ignore[import-untyped]  # it has no types
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.pool import QueuePool

from nilometer.emit.drivers import Poller, cassandra, sqlalchemy
from nilometer.emit.drivers.sample import Sample, Totals
from nilometer.testing.recorder import Recorder
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def kept() -> Recorder:
    return Recorder()


def values(kept: Recorder) -> dict[str, float]:
    """Return the last value of each name."""
    return {line.stat: line.value for line in kept.lines}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = sa.create_engine(f"sqlite:///{tmp_path}/a.db", poolclass=QueuePool, pool_size=2, max_overflow=1)
    yield made
    made.dispose()


def test_the_poller_reads_every_source_on_its_timer(kept: Recorder) -> None:
    poller = Poller(kept, seconds=0.01, tags=(("host", "a"),))

    def broken() -> Iterator[Sample]:
        raise OSError
        yield  # a generator

    poller.add(broken)
    poller.add(lambda: [Sample("g", "pool.used", 3)])
    until(lambda: len(kept.lines) >= 2 and poller.failures >= 2, "two readings")
    poller.close()
    assert [line for line in kept.lines if line != ("g", "pool.used", 3, 1.0, {"host": "a"})] == []


def test_a_poller_that_is_thrown_away_ends_its_thread(kept: Recorder) -> None:
    poller = Poller(kept, seconds=0.01)
    poller.add(tuple)
    thread = poller._thread
    assert thread is not None
    del poller
    gc.collect()
    until(lambda: not thread.is_alive(), "the thread's end")


def test_a_forked_child_polls_by_itself(kept: Recorder) -> None:
    reading, writing = os.pipe()
    poller = Poller(kept, seconds=0.01)
    parent = os.getpid()

    def source() -> list[Sample]:
        if os.getpid() != parent:
            os.write(writing, b"x")
        return []

    poller.add(source)
    child = os.fork()
    if not child:
        threading.Event().wait(30)
        os._exit(0)
    try:
        assert os.read(reading, 1) == b"x"
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
        poller.close()
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_poller_needs_time_between_readings(kept: Recorder, seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds"):
        Poller(kept, seconds=seconds)


@given(st.lists(st.integers(min_value=0, max_value=1000)))
def test_totals_become_what_was_added(added: list[int]) -> None:
    totals, total, sent = Totals(), 0, 0.0
    for each in added:
        total += each
        sent += totals.added("n", total).value
    assert sent == total


def test_a_total_that_shrank_began_anew() -> None:
    totals = Totals()
    assert [totals.added("n", total).value for total in (5, 7, 2)] == [5, 2, 2]


@pytest.mark.filterwarnings("ignore::SyntaxWarning")  # scales compares with a literal by `is`
def test_a_cluster_s_own_counts_are_sent_as_what_was_added(kept: Recorder) -> None:
    cluster = Cluster(metrics_enabled=True)  # not connected: its counters move without a server
    poller = Poller(kept)
    poller.add(cassandra.source(cluster, name="db.{metric}"))
    for _ in range(3):
        cluster.metrics.on_connection_error()
    cluster.metrics.on_retry()
    for seconds in (0.010, 0.020, 0.030):
        cluster.metrics.request_timer.addValue(seconds)
    poller.read()
    first = values(kept)
    assert (first["db.connection_errors"], first["db.retries"], first["db.read_timeouts"]) == (3, 1, 0)
    assert (first["db.requests"], first["db.open_connections"]) == (3, 0)
    assert first["db.request_ms.median"] == pytest.approx(15)  # the driver looked when it had two
    assert first["db.request_ms.max"] == pytest.approx(20)
    kept.clear()
    cluster.metrics.on_read_timeout()
    poller.read()
    assert (values(kept)["db.connection_errors"], values(kept)["db.read_timeouts"]) == (0, 1)
    assert {kind for kind, stat, *_ in kept.lines if "request_ms" in stat or "connections" in stat} == {"g"}
    poller.close()
    cluster.shutdown()


def test_a_cluster_without_metrics_is_refused_with_the_cure() -> None:
    with pytest.raises(ValueError, match="metrics_enabled=True"):
        cassandra.source(Cluster())


def test_statements_are_measured_by_their_verb(kept: Recorder, engine: sa.Engine) -> None:
    stop = sqlalchemy.statements(engine, kept, name="db.{metric}")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE t (a int)"))
        connection.execute(sa.text("insert into t values (:a)"), [{"a": 1}, {"a": 2}])
        assert connection.execute(sa.text("  SELECT a FROM t")).scalars().all() == [1, 2]
    with pytest.raises(sa.exc.OperationalError), engine.connect() as connection:
        connection.execute(sa.text("select secret from nowhere"))
    with engine.connect() as connection:
        connection.execute(sa.text("select 1"))
        connection.invalidate()
    stop()
    with engine.connect() as connection:
        connection.execute(sa.text("select 1"))
    assert Counter(kept.stats()) == {
        "db.create.timing": 1,
        "db.insert.timing": 1,
        "db.select.timing": 2,
        "db.select.errors": 1,
        "db.connects": 1,
        "db.invalidations": 1,
        "db.held.timing": 3,
    }
    assert all(value >= 0 for value in values(kept).values())


def test_statements_of_threads_are_told_apart(kept: Recorder, engine: sa.Engine) -> None:
    stop = sqlalchemy.statements(engine, kept)

    def work() -> None:
        for _ in range(20):
            with engine.connect() as connection:
                connection.execute(sa.text("select 1"))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stop()
    assert (Counter(kept.stats())["sqlalchemy.select.timing"], Counter(kept.stats())["sqlalchemy.held.timing"]) == (60, 60)


def test_a_client_that_raises_does_not_hurt_a_statement(engine: sa.Engine) -> None:
    stop = sqlalchemy.statements(engine, None)  # type: ignore[arg-type]  # has no `emit`
    with engine.connect() as connection:
        assert connection.execute(sa.text("select 7")).scalar() == 7
    stop()


@pytest.mark.parametrize(
    ("statement", "verb"),
    [
        ("SELECT 1", "select"),
        ("\n (select 1)", "select"),
        ("COMMIT;", "commit"),
        ("drop\ttable x", "other"),
        ("", "other"),
        ("x" * 99, "other"),
    ],
)
def test_a_verb_is_the_first_word_or_other(statement: str, verb: str) -> None:
    assert sqlalchemy.verb(statement) == verb


def test_an_engine_s_pool_is_read(kept: Recorder, engine: sa.Engine) -> None:
    poller = Poller(kept)
    poller.add(sqlalchemy.pool(engine))
    with engine.connect(), engine.connect(), engine.connect():
        poller.read()
    assert values(kept) == {
        f"sqlalchemy.pool.{name}": value for name, value in {"used": 3, "idle": 0, "overflow": 1, "size": 2}.items()
    }
    poller.read()
    assert values(kept)["sqlalchemy.pool.idle"] == 2
    poller.close()


def test_a_pool_without_numbers_sends_none(kept: Recorder) -> None:
    poller = Poller(kept)
    poller.add(sqlalchemy.pool(sa.create_engine("sqlite://")))
    poller.read()
    assert (kept.lines, poller.failures) == ([], 0)
    poller.close()


def test_an_asynchronous_engine_is_heard_through_its_sync_one(kept: Recorder, engine: sa.Engine) -> None:
    class Asynchronous:
        sync_engine = engine

    async def main() -> None:
        with engine.connect() as connection:
            connection.execute(sa.text("select 1"))

    stop = sqlalchemy.statements(Asynchronous(), kept)
    asyncio.run(main())
    stop()
    assert Counter(kept.stats())["sqlalchemy.select.timing"] == 1
