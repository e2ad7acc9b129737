from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from nilometer.core.errors import StoreError
from nilometer.core.losses import Losses
from nilometer.core.record import Block, Column, Flush, Kind, Window, block
from nilometer.core.spool import KEPT_CORRUPT, Spool
from nilometer.core.wire.flushes import encode
from nilometer.testing.clock import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

START = 1_000_000_000


def flush(number: int, series: int = 1) -> Flush:
    """Build a flush that is told from others by its start."""
    names = [f"a{index}" for index in range(series)]
    return Flush(Window(number, number + 10, 10), (block(Kind.COUNTER, {"count": [number] * series}, names),))


ONE = max(len(encode(flush(number))) for number in range(20))
"""Bytes of a small flush: three fit into 3 * ONE, four do not."""


class Hall:
    """A directory, a clock and the losses, and the spools that are opened in them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "spool"
        self.clock = ManualClock(START)
        self.losses = Losses()

    def open(self, *, size: int = 1 << 20, age: float = 1000) -> Spool:
        return Spool(self.directory, size=size, age=age, losses=self.losses, clock=self.clock)

    def reopen(self, spool: Spool) -> Spool:
        spool.close()
        return self.open()

    def lost(self) -> dict[str, int]:
        """Return the losses of the spool that are not zero."""
        return {reason: number for (stage, reason), number in self.losses.totals().items() if stage == "spool" and number}

    def files(self) -> list[str]:
        return sorted(path.name for path in self.directory.iterdir() if path.name != "lock")


@pytest.fixture
def hall(tmp_path: Path) -> Hall:
    return Hall(tmp_path)


def drain(spool: Spool) -> list[float]:
    """Take everything out and return the flushes' starts."""
    starts = []
    while (found := spool.first()) is not None:
        starts.append(found[1].window.start)
        spool.remove(found[0])
    return starts


def test_an_empty_spool(hall: Hall) -> None:
    spool = hall.open()
    assert spool.first() is None
    assert (spool.items, spool.stored_bytes, spool.dropped) == (0, 0, 0)


def test_first_in_first_out(hall: Hall) -> None:
    spool = hall.open()
    assert [spool.append(flush(number)) for number in (5, 3, 9)] == [1, 2, 3]
    assert spool.items == 3
    assert spool.stored_bytes == sum(path.stat().st_size for path in hall.directory.iterdir())
    assert drain(spool) == [5, 3, 9]
    assert (spool.items, spool.stored_bytes, hall.files()) == (0, 0, [])


def test_a_flush_stays_until_it_is_removed(hall: Hall) -> None:
    spool = hall.open()
    spool.append(flush(1))
    assert spool.first() == spool.first() != None  # noqa: E711 both are the same flush, not None
    spool.remove(99)
    assert spool.items == 1


def test_it_survives_a_restart_in_order(hall: Hall) -> None:
    spool = hall.open()
    for number in range(12):
        spool.append(flush(number))
    spool.remove(1)
    spool = hall.reopen(spool)
    assert spool.append(flush(12)) == 13
    assert spool.stored_bytes == sum(path.stat().st_size for path in hall.directory.iterdir())
    assert drain(spool) == list(range(1, 13))
    assert hall.lost() == {}


def test_the_oldest_goes_first_when_it_is_full(hall: Hall) -> None:
    spool = hall.open(size=3 * ONE)
    for number in range(5):
        spool.append(flush(number))
        assert spool.stored_bytes <= 3 * ONE
    assert len(hall.files()) == 3
    assert drain(spool) == [2, 3, 4]
    assert hall.lost() == {"size": 2}
    assert spool.dropped == 2


def test_a_flush_larger_than_the_bound_is_refused_and_drops_no_other(hall: Hall) -> None:
    spool = hall.open(size=2 * ONE)
    spool.append(flush(1))
    assert spool.append(flush(2, series=5000)) is None
    assert drain(spool) == [1]
    assert hall.lost() == {"size": 1}


def test_what_is_too_old_is_dropped_when_the_spool_is_used(hall: Hall) -> None:
    spool = hall.open(age=60)
    spool.append(flush(1))
    hall.clock.advance(40)
    spool.append(flush(2))
    hall.clock.advance(21)
    assert drain(spool) == [2]
    assert hall.lost() == {"age": 1}


def test_age_counts_over_a_restart(hall: Hall) -> None:
    spool = hall.open()
    spool.append(flush(1))
    hall.clock.advance(1001)
    assert hall.reopen(spool).first() is None
    assert hall.lost() == {"age": 1}


def test_new_bounds_count_at_once(hall: Hall) -> None:
    spool = hall.open()
    for number in range(4):
        spool.append(flush(number))
    spool.resize(size=2 * ONE, age=1000)
    assert drain(spool) == [2, 3]


@pytest.mark.parametrize("content", [b"", b"NILF", encode(flush(1))[:-1], b"\0" * ONE])
def test_a_broken_file_is_set_aside_and_counted(hall: Hall, content: bytes) -> None:
    spool = hall.open()
    for number in range(3):
        spool.append(flush(number))
    (hall.directory / hall.files()[1]).write_bytes(content)
    spool = hall.reopen(spool)
    assert drain(spool) == [0, 2]
    assert hall.lost() == {"corrupt": 1}
    assert [name.rpartition(".")[2] for name in hall.files()] == ["corrupt"]


def test_only_few_broken_files_are_kept(hall: Hall) -> None:
    spool = hall.open()
    for number in range(10):
        spool.append(flush(number))
    for name in hall.files():
        (hall.directory / name).write_bytes(b"?")
    assert spool.first() is None
    assert len(hall.files()) == KEPT_CORRUPT
    assert hall.lost() == {"corrupt": 10}
    assert spool.stored_bytes == 0


def test_files_of_others_are_left_alone(hall: Hall) -> None:
    hall.directory.mkdir()
    others = ["README", "1.flush", "000000000001-1.flush.bak", "notes.txt"]
    for name in others:
        (hall.directory / name).write_text("mine")
    (hall.directory / "000000000007-5.flush").mkdir()
    spool = hall.open()
    assert (spool.items, spool.first()) == (0, None)
    assert hall.files() == sorted([*others, "000000000007-5.flush"])


def test_what_a_killed_process_left_half_written_is_removed(hall: Hall) -> None:
    hall.open().close()
    (hall.directory / "next.tmp").write_bytes(b"NILF")
    hall.open()
    assert hall.files() == []


def test_a_file_that_vanished_is_counted(hall: Hall) -> None:
    spool = hall.open()
    spool.append(flush(1))
    spool.append(flush(2))
    (hall.directory / hall.files()[0]).unlink()
    assert drain(spool) == [2]
    assert hall.lost() == {"disk": 1}


def test_a_disk_that_takes_nothing_is_a_store_error(hall: Hall) -> None:
    spool = hall.open()
    spool.append(flush(1))
    (hall.directory / "next.tmp").mkdir()
    with pytest.raises(StoreError, match="a flush cannot be kept"):
        spool.append(flush(2))
    (hall.directory / "next.tmp").rmdir()
    spool.append(flush(3))
    assert drain(spool) == [1, 3]
    assert hall.lost() == {}


def test_a_full_disk_leaves_no_half_file(hall: Hall) -> None:
    spool = hall.open()
    (hall.directory / "next.tmp").symlink_to("/dev/full")
    with pytest.raises(StoreError, match="No space left on device"):
        spool.append(flush(1))
    assert (spool.items, spool.stored_bytes, hall.files()) == (0, 0, [])


def test_a_flush_that_cannot_be_encoded_is_a_store_error(hall: Hall) -> None:
    broken = Flush(Window(0, 10, 10), (Block(Kind.SET, b"a", 1, (Column("count", ()),)),))
    with pytest.raises(StoreError, match="cannot be encoded"):
        hall.open().append(broken)


def test_two_never_share_a_directory(hall: Hall) -> None:
    spool = hall.open()
    with pytest.raises(StoreError, match="another process uses this spool"):
        hall.open()
    spool.close()
    spool.close()
    hall.open()


def test_a_place_that_cannot_be_a_directory_says_so(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file")
    with pytest.raises(StoreError, match=r"cannot be made a spool: File exists; set server\.state"):
        Hall(tmp_path).open()


def test_a_closed_spool_changes_nothing(hall: Hall) -> None:
    spool = hall.open()
    number = spool.append(flush(1))
    spool.close()
    assert number is not None
    spool.remove(number)
    assert spool.first() is None
    with pytest.raises(StoreError, match="closed"):
        spool.append(flush(2))
    assert drain(hall.open()) == [1]


WRITER = """
import sys
from pathlib import Path
from nilometer.core.losses import Losses
from nilometer.core.record import Flush, Kind, Window, block
from nilometer.core.spool import Spool

spool = Spool(Path(sys.argv[1]), size=1 << 30, age=1e9, losses=Losses())
for number in range(int(sys.argv[2]), 1 << 30):
    names = [f"series{index}" for index in range(300)]
    spool.append(Flush(Window(number, number + 10, 10), (block(Kind.COUNTER, {"count": [number] * 300}, names),)))
    print(number, flush=True)
"""


def write_until_killed(directory: Path, first: int, acknowledged: int) -> int:
    """Let a process write flushes from `first` on, kill it after some, return the last number that it acknowledged."""
    with subprocess.Popen([sys.executable, "-c", WRITER, directory, str(first)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(acknowledged)]
        process.kill()
        lines += process.stdout.readlines()
    assert process.returncode == -signal.SIGKILL
    return int([line for line in lines if line.endswith(b"\n")][-1])


def test_kill_9_loses_nothing_that_was_acknowledged(hall: Hall) -> None:
    for round_ in range(5):
        first = 100_000 * round_
        last = write_until_killed(hall.directory, first, acknowledged=3 + 7 * round_)
        spool = Spool(hall.directory, size=1 << 30, age=1e9, losses=hall.losses)
        starts = drain(spool)
        spool.close()
        expected = [float(number) for number in range(first, last + 1)]
        assert starts[: len(expected)] == expected
        assert starts[len(expected) :] in ([], [last + 1.0])
    assert hall.lost() == {}


def test_what_several_killed_processes_wrote_is_in_order(hall: Hall) -> None:
    lasts = [write_until_killed(hall.directory, 100_000 * round_, acknowledged=5) for round_ in range(3)]
    spool = Spool(hall.directory, size=1 << 30, age=1e9, losses=hall.losses)
    starts = drain(spool)
    assert starts == sorted(starts)
    assert {float(number) for round_, last in enumerate(lasts) for number in range(100_000 * round_, last + 1)} <= set(starts)
    assert hall.lost() == {}
