"""Events in SQLite and on servers: faults of files, versions of the tables, bounds, URLs."""

from __future__ import annotations

import dataclasses
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nilometer.backends import registry
from nilometer.backends._parts.sql import database, queries, tables
from nilometer.core.errors import InputError, StoreError, TooSlow, Unavailable, UrlError
from nilometer.core.event_query import EventQuery
from nilometer.core.record import Event
from nilometer.testing.event_examples import START, any_event, several
from nilometer.testing.event_store import newest_first, opened, pages
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import sqlalchemy as sa
    from _pytest.tmpdir import TempPathFactory

WRITER = """
import sys
from nilometer.backends import registry
from nilometer.core.record import Event
store = registry.open(sys.argv[1], registry.EVENT_STORE)
for batch in range(1_000_000):
    store.write_events([Event(f"{batch}-{number}", float(batch), "kept", payload={"text": "x" * 500}) for number in range(50)])
    print(batch, flush=True)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.db"


@settings(max_examples=25)
@given(st.lists(any_event(), max_size=5, unique_by=lambda event: event.id))
def test_whatever_an_event_holds_comes_back(tmp_path_factory: TempPathFactory, events: list[Event]) -> None:
    with opened(f"sqlite:///{tmp_path_factory.mktemp('any')}/x.db") as store:
        store.write_events(events)
        assert pages(store, EventQuery(), 2) == newest_first(events)


# -- files -------------------------------------------------------------------------------------------------------------


def test_looking_makes_no_file(file: Path) -> None:
    with opened(f"sqlite:///{file}") as store:
        assert store.find_events(EventQuery()) == ([], "")
        assert "no events yet" in store.check()  # type: ignore[attr-defined]  # every store of ours has it
    assert not file.exists()


def test_a_file_of_series_is_shared(file: Path) -> None:
    assert registry.open(f"sqlite:///{file}", registry.HEALTH).check()
    with sqlite3.connect(file) as link:
        link.execute("CREATE TABLE other (x)")
    link.close()
    with opened(f"sqlite:///{file}") as store:
        assert store.find_events(EventQuery()) == ([], "")
        store.write_events(several(2))
        assert len(store.find_events(EventQuery()).events) == 2


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/none/x.db") as store:
        for action in (lambda: store.write_events(several(1)), lambda: store.find_events(EventQuery())):
            with pytest.raises(Unavailable, match=r"x\.db: .*there is no directory .*none: create it"):
                action()


def test_a_file_that_is_no_database_is_a_store_error(file: Path) -> None:
    file.write_bytes(b"not a database at all" * 1000)
    with opened(f"sqlite:///{file}") as store:
        for action in (lambda: store.write_events(several(1)), lambda: store.find_events(EventQuery())):
            with pytest.raises(StoreError, match=r"events\.db: .*no SQLite database: set it aside"):
                action()


def test_a_damaged_file_is_a_store_error(file: Path) -> None:
    with opened(f"sqlite:///{file}") as store:
        store.write_events([event for kind in ("a", "b", "c") for event in several(300, kind)])
    data = bytearray(file.read_bytes())
    data[8192:] = os.urandom(len(data) - 8192)
    file.write_bytes(data)
    with opened(f"sqlite:///{file}") as store, pytest.raises(StoreError, match=r"events\.db: .*damaged: set it aside"):
        store.find_events(EventQuery(), 1000)


def test_a_locked_file_is_unavailable_and_writable_again(file: Path) -> None:
    with opened(f"sqlite:///{file}?timeout=200ms") as store:
        store.write_events(several(1))
        link = sqlite3.connect(file, isolation_level=None)
        link.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="another program holds the file locked"):
            store.write_events(several(2))
        assert len(store.find_events(EventQuery()).events) == 1  # reading waits for no writer
        link.execute("ROLLBACK")
        link.close()
        store.write_events(several(2))
        assert len(store.find_events(EventQuery()).events) == 2


@pytest.mark.parametrize("replace", [lambda _: None, lambda file: file.write_bytes(b"")], ids=["gone", "empty"])
def test_a_file_that_was_set_aside_is_made_anew(file: Path, replace: Callable[[Path], object]) -> None:
    with opened(f"sqlite:///{file}") as store:
        store.write_events(several(1))
        for each in file.parent.glob("events.db*"):
            each.unlink()
        replace(file)
        store.write_events(several(3, "new"))
        assert [event.type for event in store.find_events(EventQuery()).events] == ["new"] * 3


@pytest.mark.slow
def test_a_killed_writer_loses_nothing_that_it_was_told_is_stored(file: Path) -> None:
    url = f"sqlite:///{file}"
    for least in (0, 3, 10):
        process = subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE)
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(least + 1)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.readlines()
        process.stdout.close()
        process.wait()
        last = int([line for line in told if line.endswith(b"\n")][-1])
        with opened(url) as store:
            found = pages(store, EventQuery(since=0, until=last + 1), 1000)
            assert len(found) == 50 * (last + 1)
            whole = pages(store, EventQuery(), 1000)
            assert len(whole) % 50 == 0  # of a batch all or none
            while store.drop_events(1e9):
                pass


# -- versions ----------------------------------------------------------------------------------------------------------


def set_version(file: Path, number: int) -> None:
    link = sqlite3.connect(file)
    link.execute("UPDATE nilometer_events_meta SET value = ?", (number,))
    link.commit()
    link.close()


def test_tables_of_a_newer_program_are_left_alone(file: Path) -> None:
    with opened(f"sqlite:///{file}") as store:
        store.write_events(several(1))
    set_version(file, tables.VERSION + 1)
    with opened(f"sqlite:///{file}") as store:
        for action in (lambda: store.write_events(several(1)), lambda: store.find_events(EventQuery())):
            with pytest.raises(StoreError, match="have version 2, this program knows 1; update nilometer"):
                action()


def test_older_tables_are_brought_up_to_date_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(f"sqlite:///{file}") as store:
        store.write_events(several(1))
    monkeypatch.setattr(tables, "LAYOUT", dataclasses.replace(tables.LAYOUT, version=2))
    done = []

    def upgrade(connection: sa.Connection) -> None:
        connection.exec_driver_sql("ALTER TABLE nilometer_events ADD COLUMN more TEXT")
        done.append(1)

    monkeypatch.setitem(tables.UPGRADES, 1, upgrade)
    for _ in range(2):
        with opened(f"sqlite:///{file}") as store:
            store.write_events(several(2))
            assert len(store.find_events(EventQuery()).events) == 2
    assert done == [1]


def test_several_make_the_tables_at_once(file: Path) -> None:
    faults: list[BaseException] = []
    ready = threading.Barrier(6)

    def write(number: int) -> None:
        with opened(f"sqlite:///{file}") as store:
            ready.wait()
            try:
                store.write_events(several(5, f"kind{number}"))
            except BaseException as error:  # noqa: BLE001 told below
                faults.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert faults == []
    with opened(f"sqlite:///{file}") as store:
        assert len(store.find_events(EventQuery()).events) == 30


# -- bounds ------------------------------------------------------------------------------------------------------------


def test_a_question_that_takes_too_long_is_given_up(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(f"sqlite:///{file}") as store:
        store.write_events(several(3000))
    monkeypatch.setattr(database, "STEPS", 10)
    with opened(f"sqlite:///{file}?timeout=100ms") as store:
        store.known_events([])  # the connection is there
        monkeypatch.setattr(time, "monotonic", iter(range(1_000_000)).__next__)
        with pytest.raises(TooSlow, match=r"events\.db: it takes longer than 0\.1 s; ask for a shorter time"):
            store.find_events(EventQuery(text="nowhere"))
        monkeypatch.undo()
        assert len(store.find_events(EventQuery()).events) == 100


def test_more_types_than_are_tried_are_compared_by_the_database(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MOST_TYPES", 12)
    events = [Event(f"{number}", START + number, f"kind.{number}.end") for number in range(50)]
    with opened(f"sqlite:///{file}") as store:
        store.write_events([*events, Event("other", START, "Kind.1.end")])
        assert store.find_events(EventQuery(type="kind.*.end"), 100).events == newest_first(events)
        assert store.find_events(EventQuery(type="*.1*.end"), 100).events == newest_first(
            [event for event in [*events, Event("other", START, "Kind.1.end")] if ".1" in event.type]
        )
        assert sum(each.count for each in store.count_events(EventQuery(type="kind.*"), 60, "type", 3)) == 50
        with pytest.raises(InputError, match="more than 12 types; write it with"):
            store.find_events(EventQuery(type="kind.?.end"))
        assert len(store.find_events(EventQuery(type="kind.1?.end")).events) == 10


def test_counting_has_a_bound(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MOST_COUNTS", 10)
    with opened(f"sqlite:///{file}") as store:
        store.write_events(several(11))
        with pytest.raises(InputError, match="more than 10 numbers; take a longer one"):
            store.count_events(EventQuery(), 1, "type")
        assert store.count_events(EventQuery(), 100, "type")[0].count == 11


def test_a_large_batch_is_sent_in_parts(file: Path) -> None:
    events = [dataclasses.replace(event, payload={"text": "x" * 400_000}) for event in several(6)]
    with opened(f"sqlite:///{file}") as store:
        store.write_events(events)
        assert store.find_events(EventQuery()).events == newest_first(events)


def test_dropping_goes_in_parts(file: Path) -> None:
    with opened(f"sqlite:///{file}") as store:
        store.write_events(several(queries.TOGETHER + 5))
        assert [store.drop_events(START + 1e6) for _ in range(3)] == [queries.TOGETHER, 5, 0]


# -- URLs --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://localhost", "names no database"),
        ("mysql://root@localhost/a/b", "names no database"),
        ("postgresql:///events", "names one server"),
        ("mysql://one,two/events", "names one server"),
        ("postgresql://u:s3cr3t@localhost/events?timeout=10ms", "timeout: 0.01 is below 0.1"),
        ("postgresql://u:s3cr3t@localhost/events?ca=/x", "option ca is for TLS; add tls=true"),
        ("mysql://u:s3cr3t@localhost/events?tls=true&ca=/none", "cannot use ca"),
        ("sqlite://host/x.db", "takes no host"),
        ("sqlite:///x.db?tls=true", "unknown option 'tls'"),
    ],
)
def test_a_wrong_url_is_refused(url: str, reason: str) -> None:
    with pytest.raises(UrlError) as caught:
        registry.open(url, registry.EVENT_STORE)
    assert reason in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_server_that_is_away_is_unavailable_and_no_secret_is_told(scheme: str) -> None:
    with opened(f"{scheme}://me:s3cr3t@127.0.0.1:1/events?timeout=1s") as store:
        with pytest.raises(Unavailable, match=rf"{scheme}://me:\*\*\*@127\.0\.0\.1:1/events") as caught:
            store.write_events(several(1))
        assert "s3cr3t" not in str(caught.value)
        assert "\n" not in str(caught.value)


def test_the_wait_for_a_slow_question_is_the_writers_too(file: Path) -> None:
    with opened(f"sqlite:///{file}") as store:
        store.write_events(several(1))
        link = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        link.execute("BEGIN IMMEDIATE")
        written = threading.Thread(target=store.write_events, args=(several(2),))
        written.start()
        until(written.is_alive, "the writer waits")
        link.execute("COMMIT")
        link.close()
        written.join()
        assert len(store.find_events(EventQuery()).events) == 2
