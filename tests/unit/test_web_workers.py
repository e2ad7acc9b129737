"""Queries run in processes of their own: bounded in number and time, whatever one of them does."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import registry
from nilometer.core import url as urls
from nilometer.core.errors import Rejected, TooSlow
from nilometer.testing import flushes
from nilometer.testing.waiting import until
from nilometer.web import workers
from nilometer.web.workers import Broken, Busy, Workers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HERE = "nilometer.testing.queries:"
END = 1_700_000_010.0


@pytest.fixture
def store(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/test.db"
    sink = registry.open(url, "metrics")
    sink.write(flushes.marked(END))
    sink.close()
    return url


@pytest.fixture
def pool(store: str) -> Iterator[Workers]:
    made = Workers(urls.parse(store), most=1)
    yield made
    made.close()


def test_a_function_is_called_on_the_reader_in_another_process(pool: Workers) -> None:
    paths, process = pool.call(HERE + "paths", "*", seconds=30)

    assert paths
    assert process != os.getpid()
    assert pool.call(HERE + "paths", "none", seconds=30) == ([], process)


def test_what_was_made_ready_answers_the_first_call(pool: Workers) -> None:
    pool.warm("nilometer.web.worker:prepare")
    until(lambda: pool.free, "a worker is free")
    (ready,) = pool.free
    pool.warm("nilometer.web.worker:prepare")
    paths, process = pool.call(HERE + "paths", "*", seconds=30)

    assert paths
    assert process == ready


def test_an_error_on_purpose_comes_through_and_the_worker_stays(pool: Workers) -> None:
    process = pool.call(HERE + "paths", "*", seconds=30)[1]
    with pytest.raises(Rejected, match="not this"):
        pool.call(HERE + "refuse", "not this", seconds=30)
    assert pool.call(HERE + "paths", "*", seconds=30)[1] == process


def test_a_fault_is_logged_and_not_shown(pool: Workers, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Broken, match="its log tells more"):
        pool.call(HERE + "divide", 0, seconds=30)
    assert "ZeroDivisionError" in caplog.text


def test_what_takes_too_long_is_ended_and_the_next_call_has_a_new_worker(pool: Workers) -> None:
    process = pool.call(HERE + "paths", "*", seconds=30)[1]
    with pytest.raises(TooSlow, match=r"longer than 0\.1 s"):
        pool.call(HERE + "rest", 60, seconds=0.1)
    assert pool.call(HERE + "paths", "*", seconds=30)[1] != process
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_worker_that_dies_is_a_fault_and_the_next_call_has_a_new_one(pool: Workers) -> None:
    with pytest.raises(Broken):
        pool.call(HERE + "die", seconds=30)
    assert pool.call(HERE + "paths", "*", seconds=30)


def test_more_calls_than_may_wait_are_refused_at_once(pool: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "WAITING", 1)
    pool.call(HERE + "paths", "*", seconds=30)
    threads = [threading.Thread(target=lambda: pool.call(HERE + "rest", 1, seconds=30)) for _ in range(2)]
    for thread in threads:
        thread.start()
    until(lambda: pool.waiting == 1, "one runs, one waits")
    with pytest.raises(Busy, match="1 queries wait"):
        pool.call(HERE + "rest", 1, seconds=30)
    for thread in threads:
        thread.join()


def test_workers_end_when_they_are_idle_and_start_again(store: str) -> None:
    pool = Workers(urls.parse(store), idle=0.05)
    process = pool.call(HERE + "paths", "*", seconds=30)[1]
    until(lambda: not alive(process), "the idle worker ends")
    assert pool.call(HERE + "paths", "*", seconds=30)[1] != process
    pool.close()
    with pytest.raises(Busy, match="the server ends"):
        pool.call(HERE + "paths", "*", seconds=30)


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
