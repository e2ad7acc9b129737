"""The store and other processes: killed while it writes, read while it writes."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import TYPE_CHECKING

from nilometer.core import url
from nilometer.history import store
from nilometer.testing.history import BEGIN, Diary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

PATHS = [f"path.{number}" for number in range(300)]
WRITER = """
import sys
from pathlib import Path
from nilometer.testing.history import Diary

folder, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
diary = Diary(folder, "retention=3h&rollups=1m:1d", first)
for turn in range(count):
    end = first + turn * 60
    diary.write(end, {f"path.{number}": float(end) for number in range(300)}, 60)
    print(end, flush=True)
diary.close()
"""
RESTARTS = 8


def writer(folder: Path, first: int, count: int) -> AbstractContextManager[subprocess.Popen[str]]:
    """Start a process that writes a window a minute, from `first` on, and prints the end of each once it is stored."""
    command = [sys.executable, "-c", WRITER, str(folder), str(first), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def printed(process: subprocess.Popen[str], lines: int) -> Iterator[int]:
    assert process.stdout is not None
    for _ in range(lines):
        line = process.stdout.readline()
        assert line, "the writer ended early"
        yield int(line)


def times_of(folder: Path, first: int, last: int) -> list[int]:
    """Return the times that the store holds; every path must have each of them, with its value."""
    diary = Diary(folder, "", last)
    found = diary.store.read(PATHS, first, last)
    diary.close()
    times = list(found[0].times)
    for series in found:
        assert list(series.times) == times
        assert list(series.values) == times
    return times


def test_a_writer_killed_at_any_moment_leaves_whole_flushes(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311 not a secret
    first = BEGIN
    for _ in range(RESTARTS):
        with writer(tmp_path, first, 100_000) as process:
            stored = list(printed(process, chance.randint(1, 150)))
            process.kill()
            stored += [int(line) for line in process.stdout or [] if line.endswith("\n")]
        times = times_of(tmp_path, first, 10**10)
        assert times[: len(stored)] == stored
        assert len(times) - len(stored) <= 1
        first = times[-1] + 60
    recent = first - 2 * 3600
    assert times_of(tmp_path, recent, first) == list(range(recent, first, 60))


def test_another_process_reads_whole_flushes_while_one_writes(tmp_path: Path) -> None:
    count = 200
    seen: list[int] = []
    with writer(tmp_path, BEGIN, count) as process:
        next(printed(process, 1))
        reader = store.open_reader(url.parse(f"sqlite:///{tmp_path}/history.db"))
        while process.poll() is None:
            found = reader.read(PATHS, 0, 1e10)
            assert {tuple(series.times) for series in found} == {tuple(found[0].times)}
            assert len(reader.find("path.*")) == len(PATHS)
            seen.append(found[0].times[-1])
    assert process.returncode == 0
    assert seen
    assert seen == sorted(seen)
    assert reader.read(PATHS[:1], 0, 1e10)[0].times[-1] == BEGIN + (count - 1) * 60
    reader.close()
