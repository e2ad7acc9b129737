"""What goes wrong with files: each error names the file and the cure, and nothing that was stored is lost."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from nilometer.core import url
from nilometer.core.errors import NilometerError, StoreError, Unavailable
from nilometer.core.sqlite import guarded, translated
from nilometer.history import damage, layout, store
from nilometer.history.block import Damaged
from nilometer.history.layout import block_key
from nilometer.testing.history import BEGIN, Diary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOUR = 3600


@pytest.fixture
def diary(tmp_path: Path) -> Iterator[Diary]:
    made = Diary(tmp_path, "group=4")
    yield made
    made.close()


def change(diary: Diary, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(diary.file)) as db, db:
        db.execute(statement, values)


def test_a_second_writer_is_refused_and_may_read(diary: Diary, tmp_path: Path) -> None:
    diary.write(BEGIN, {"a": 1.0})
    other = Diary(tmp_path)
    with pytest.raises(Unavailable, match=f"process {os.getpid()} writes it already; end that one"):
        other.write(BEGIN + 10, {"a": 2.0})
    assert other.read("a") == {BEGIN: 1.0}
    diary.close()
    other.write(BEGIN + 10, {"a": 2.0})
    assert other.read("a") == {BEGIN: 1.0, BEGIN + 10: 2.0}
    other.close()


def test_a_file_that_another_program_holds_is_unavailable(diary: Diary, monkeypatch: pytest.MonkeyPatch) -> None:
    diary.write(BEGIN, {"a": 1.0})
    diary.close()
    monkeypatch.setattr(layout, "BUSY_SECONDS", 0.01)
    with closing(sqlite3.connect(diary.file, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="another program holds the file locked"):
            diary.write(BEGIN + 10, {"a": 2.0})
        assert diary.read("a") == {BEGIN: 1.0}
    diary.write(BEGIN + 10, {"a": 2.0})
    assert diary.read("a") == {BEGIN: 1.0, BEGIN + 10: 2.0}


def test_a_full_disk_is_unavailable_and_the_same_flush_can_be_written_later(diary: Diary) -> None:
    diary.write(BEGIN, {"a": 1.0})
    database = diary.store.writer()._db
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"PRAGMA max_page_count={pages}")
    large = {f"a long path that takes some room on a page of the file {number}": 1.0 for number in range(2000)}
    with pytest.raises(Unavailable, match=r"history.db: .*full: free some space"):
        diary.write(BEGIN + 10, large)
    assert diary.store.find("a long*") == []
    diary.write(BEGIN + 10, large)
    assert len(diary.store.find("a long*")) == 2000


def test_a_missing_directory_is_unavailable_until_it_is_there(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "one/two")
    for failing in (lambda: diary.write(BEGIN, {"a": 1.0}), diary.store.find, diary.store.check):
        with pytest.raises(Unavailable, match=r"there is no directory .*/one/two: create it"):
            failing()
    (tmp_path / "one").mkdir()
    diary.write(BEGIN, {"a": 1.0})
    assert diary.read("a") == {BEGIN: 1.0}
    diary.close()


def test_a_directory_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "history.db").mkdir()
    diary = Diary(tmp_path)
    with pytest.raises(NilometerError, match="it is a directory"):
        diary.write(BEGIN, {"a": 1.0})


def test_a_parent_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    diary = Diary(tmp_path / "file")
    with pytest.raises(Unavailable, match="no directory"):
        diary.write(BEGIN, {"a": 1.0})


def test_a_file_of_something_else_is_a_store_error(tmp_path: Path) -> None:
    diary = Diary(tmp_path)
    diary.file.write_bytes(b"something else entirely, and long enough for a header of SQLite" * 40)
    for failing in (lambda: diary.write(BEGIN, {"a": 1.0}), diary.store.find, diary.store.check):
        with pytest.raises(StoreError, match=r"history.db: .*no SQLite database: set it aside"):
            failing()
    assert diary.file.read_bytes().startswith(b"something else")


def test_a_newer_layout_is_refused_and_left_alone(diary: Diary) -> None:
    diary.write(BEGIN, {"a": 1.0})
    diary.close()
    change(diary, f"PRAGMA user_version={layout.VERSION + 1}")
    for failing in (lambda: diary.write(BEGIN + 10, {"a": 1.0}), diary.store.find):
        with pytest.raises(StoreError, match="version 2, this program knows 1; update nilometer"):
            failing()


def test_tables_that_are_not_ours_are_named(diary: Diary) -> None:
    diary.write(BEGIN, {"a": 1.0})
    diary.close()
    change(diary, "DROP TABLE history_levels")
    with pytest.raises(StoreError, match=r"no such table.*not as this program made them"):
        diary.write(BEGIN + 10, {"a": 1.0})


def test_tables_of_others_in_the_same_file_are_left_alone(tmp_path: Path) -> None:
    diary = Diary(tmp_path)
    change(diary, "CREATE TABLE events (id)")
    assert diary.store.find() == []
    assert diary.read("a") == {}
    diary.write(BEGIN, {"a": 1.0})
    change(diary, "INSERT INTO events VALUES (1)")
    assert diary.read("a") == {BEGIN: 1.0}
    diary.close()


@pytest.mark.parametrize("files", ["history.db", "history.db*"])
@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_removed_under_us_is_made_anew(diary: Diary, files: str, *, replaced: bool) -> None:
    diary.write(BEGIN, {"a": 1.0, "b": 1.0})
    assert diary.store.find() == ["a", "b"]
    for file in diary.file.parent.glob(files):
        file.unlink()
    if replaced:
        change(diary, "CREATE TABLE events (id)")
    diary.write(BEGIN + 10, {"b": 2.0})
    assert diary.store.find() == ["b"]
    assert diary.read("b") == {BEGIN + 10: 2.0}


def damaged_block(diary: Diary, hour: int) -> None:
    (level, begin) = (0, BEGIN // HOUR + hour)
    keys = (block_key(level, begin), block_key(level, begin + 1))
    change(diary, "UPDATE history_blocks SET data = X'0102' WHERE key >= ? AND key < ?", *keys)


def test_a_damaged_block_is_left_out_told_once_and_counted(diary: Diary, caplog: pytest.LogCaptureFixture) -> None:
    for minute in range(150):
        diary.write(BEGIN + minute * 60, {"a": float(minute)}, 60)
    diary.settle()
    damaged_block(diary, 0)
    for _ in range(3):
        assert diary.read("a") == {BEGIN + minute * 60: float(minute) for minute in range(60, 150)}
    assert caplog.text.count("is damaged: its checksum is wrong; its points are left out") == 1
    assert str(diary.file) in caplog.text
    assert diary.store.left_out() == {("store", "damaged"): 1}
    assert diary.store.left_out() == {("store", "damaged"): 0}
    diary.write(BEGIN + 30, {"a": 7.0})
    diary.settle()
    assert diary.read("a", 0, BEGIN + HOUR - 1) == {BEGIN + 30: 7.0}


def test_damage_does_not_hold_up_roll_ups(diary: Diary, caplog: pytest.LogCaptureFixture) -> None:
    for minute in range(60):
        diary.write(BEGIN + minute * 60, {"a": 1.0}, 60)
    change(diary, "UPDATE history_hot SET data = X'01' WHERE key >> 24 = ?", BEGIN + 60)
    diary.write(BEGIN + HOUR, {"a": 1.0})
    diary.settle()
    assert "row of values" in caplog.text
    assert len(diary.read("a", 0, BEGIN + HOUR - 1)) == 59
    change(diary, "INSERT INTO history_todo VALUES (1, ?)", BEGIN // HOUR)
    damaged_block(diary, 0)
    diary.settle()
    assert "checksum" in caplog.text
    with closing(sqlite3.connect(diary.file)) as db:
        assert db.execute("SELECT count(*) FROM history_todo WHERE level = 1").fetchone() == (0,)


def test_a_damaged_row_is_left_out_told_once_and_counted(diary: Diary, caplog: pytest.LogCaptureFixture) -> None:
    diary.write(BEGIN, {"a": 1.0})
    diary.write(BEGIN + 10, {"a": 2.0})
    change(diary, "UPDATE history_hot SET data = X'01' WHERE key >> 24 = ?", BEGIN)
    for _ in range(2):
        assert diary.read("a") == {BEGIN + 10: 2.0}
    assert caplog.text.count("a row of values from 1000000800 is damaged; its points are left out") == 1
    assert diary.store.left_out() == {("store", "damaged"): 1}


def test_a_damaged_row_is_replaced_by_a_late_write(diary: Diary) -> None:
    diary.write(BEGIN, {"a": 1.0, "b": 1.0})
    change(diary, "UPDATE history_hot SET data = X'01'")
    diary.write(BEGIN, {"b": 3.0})
    assert (diary.read("a"), diary.read("b")) == ({}, {BEGIN: 3.0})
    assert diary.store.left_out() == {("store", "damaged"): 1}


def test_damage_that_is_alike_is_told_once_and_never_fills_memory(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(damage, "MOST", 5)
    met = damage.Damage("here")
    for series in range(12):
        met.note((0, 1, series), Damaged("a block is damaged"))
    assert caplog.text.count("here: a block is damaged") == 3
    assert met.taken() == 12
    assert len(met._known) <= 5


@pytest.mark.parametrize(
    ("name", "kind", "cure"),
    [
        ("SQLITE_READONLY_DIRECTORY", Unavailable, "the right to write"),
        ("SQLITE_PERM", Unavailable, "the right to write"),
        ("SQLITE_IOERR_WRITE", Unavailable, "the system's log"),
        ("SQLITE_LOCKED", Unavailable, "end its transaction"),
        ("SQLITE_CORRUPT_INDEX", StoreError, "set it aside"),
        ("SQLITE_CANTOPEN", Unavailable, "needs the right to write"),
        ("SQLITE_ERROR", StoreError, "name another file"),
    ],
)
def test_each_fault_of_sqlite_has_its_cure(tmp_path: Path, name: str, kind: type[NilometerError], cure: str) -> None:
    error = sqlite3.OperationalError("what SQLite says")
    error.sqlite_errorname = name
    found = translated(error, tmp_path / "x.db")
    assert type(found) is kind
    assert all(part in str(found) for part in (str(tmp_path / "x.db"), "what SQLite says", cure))


def test_a_fault_of_the_file_system_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"x.db: Permission denied: this user needs the right"), guarded(tmp_path / "x.db"):
        raise PermissionError(13, "Permission denied")


def test_an_error_while_opening_frees_the_lock(tmp_path: Path) -> None:
    diary = Diary(tmp_path)
    diary.file.write_bytes(b"no database" * 100)
    with pytest.raises(StoreError):
        diary.write(BEGIN, {"a": 1.0})
    diary.file.unlink()
    store.open(url.parse(f"sqlite:///{diary.file}")).close()
    diary.write(BEGIN, {"a": 1.0})
    assert diary.read("a") == {BEGIN: 1.0}
    diary.close()
