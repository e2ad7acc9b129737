"""`nilometer demo` as a real program: what it shows over HTTP, and that nothing is left whatever ends it."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest

from nilometer.core.errors import Unavailable
from nilometer.demo.process import Process
from nilometer.testing.demonstration import Demonstration
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMERS = (
    "req.timing",
    "req.timing.acme",
    *(f"req.timing.{endpoint}" for endpoint in ("put_item", "get_item", "query", "scan", "all_projects_usage_details")),
    "req.timing.query.globex",
    "req.timing.error.404.get_item",
    "req.receive_timing.put_item",
    "req.dispatch_timing.scan",
    "req.table_create_task.timing",
    "req.table_delete_task.timing",
    "sql.select.timing",
    "usage.timing",
)
COUNTERS = ("req.errors.put_item", "req.size_bytes.put_item", "req.resp_size_bytes.scan", "req.receive_errors", "items.written")
GAUGES = ("tables.ACTIVE", "sql.pool.size")
SERIES = {
    *(f"stats.timers.demo.mdb.{name}.upper_99" for name in TIMERS),
    *(f"stats.counters.demo.mdb.{name}.rate" for name in COUNTERS),
    *(f"stats.gauges.demo.mdb.{name}" for name in GAUGES),
    *(f"stats.gauges.demo.tables.tables.items.{name}" for name in ("size_bytes", "item_count")),
}
"""A series of every instrument, and of most kinds of request."""


STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("child", child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def demo(request: pytest.FixtureRequest) -> Iterator[Demonstration]:
    running = Demonstration(*getattr(request, "param", ()))
    yield running
    running.kill()


@pytest.mark.slow
def test_every_instrument_shows_and_a_part_that_dies_ends_all_with_its_name(demo: Demonstration) -> None:
    assert demo.url.startswith("http://127.0.0.1:")
    assert demo.lacking(SERIES, 60) == set()
    running = demo.running()
    service = next(pid for pid, command in running.items() if "-m tableservice " in command)
    os.kill(service, signal.SIGKILL)
    assert demo.wait() == 1
    assert "nilometer: the table service was ended by SIGKILL" in demo.said
    assert len(running) >= 3
    assert demo.left() == []


def test_a_terminal_that_is_closed_while_it_starts_leaves_nothing(demo: Demonstration) -> None:
    until(demo.running, "something has been started")
    demo.signal_group(signal.SIGHUP)
    assert demo.wait() == 0
    assert demo.left() == []


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        demo = Demonstration("--port", str(taken.getsockname()[1]))
        try:
            assert demo.wait() == 1
        finally:
            demo.kill()
    assert "the server ended with exit code" in demo.said
    assert "already in use" in demo.said


def test_a_process_that_does_not_end_is_made_to_with_all_that_it_has_started(tmp_path: Path) -> None:
    process = Process("the mule", ("-c", STUBBORN), os.environ, tmp_path)
    child = int(process.wait_for(r"child (\d+)", 30, Event()))
    process.end(0.1, Event())
    assert process.ended
    until(
        lambda: not Path(f"/proc/{child}/cmdline").exists() or not Path(f"/proc/{child}/cmdline").read_bytes(), "it ended too"
    )


def test_a_process_that_fails_to_start_is_named_with_what_it_said(tmp_path: Path) -> None:
    process = Process("the mule", ("-c", "raise SystemExit('no oats')"), os.environ, tmp_path)
    with pytest.raises(Unavailable, match=r"the mule ended with exit code 1; the last that it printed:\n  no oats"):
        process.wait_for("(never)", 30, Event())
    process.end(1, Event())
    slow = Process("the mule", ("-c", "import time; time.sleep(600)"), os.environ, tmp_path)
    with pytest.raises(Unavailable, match=r"the mule did not start within 0\.1 s"):
        slow.wait_for("(never)", 0.1, Event())
    hurry = Event()
    hurry.set()
    slow.end(60, hurry)
    assert slow.ended
