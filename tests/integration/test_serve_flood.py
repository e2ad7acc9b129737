"""A client that makes up names: the process lives on within its memory, other series are unharmed, sums stay right."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from nilometer.testing.serving import Serving

if TYPE_CHECKING:
    from pathlib import Path

BATCH = b"".join(b"flood.@.%d:1|c\n" % number for number in range(1000))
"""A thousand lines; the number of the batch takes the place of @, so that no name comes twice."""
MIB = 1 << 20


def flood(server: Serving, names: int) -> None:
    """Send as many distinct names over TCP, which loses none, and a value of a usual series with each thousand."""
    with socket.create_connection(server.address("tcp")) as client:
        client.sendall(b"usual:1|c\n")
        for batch in range(names // 1000):
            client.sendall(BATCH.replace(b"@", b"%d" % batch) + b"usual:1|c\n")
        client.shutdown(socket.SHUT_WR)
        client.recv(1)  # comes to an end when the server has read all


def hold(tmp_path: Path, names: int, series: int, interval: str) -> int:
    """Flood a server, look at what it flushed, and return the most memory that it had, in bytes."""
    limits = (f"--limits-series={series}", "--idle-delete-counters=true", f"--flush-interval={interval}")
    server = Serving("--listen=tcp://127.0.0.1:0", *limits, state=tmp_path / "state", kernel="native").ready()
    try:
        flood(server, names)
        memory = server.memory()
        assert server.stop() == 0
    finally:
        server.kill()
    own = sum(float(line["count"]) for flush in server.flushes for line in flush["series"] if line["key"].startswith("flood."))
    assert own + server.total("nilometer.overflow") == names
    assert server.total("usual") == names // 1000 + 1
    assert server.total("nilometer.lost.kernel.series_limit") == server.total("nilometer.overflow") > 0
    assert server.said("no series for counter flood.")
    return memory


def test_made_up_names_go_to_the_overflow_series(tmp_path: Path) -> None:
    hold(tmp_path, 50_000, 1000, "1h")


@pytest.mark.slow
def test_ten_million_names_leave_the_process_alive_within_its_memory(tmp_path: Path) -> None:
    memory = hold(tmp_path, 10_000_000, 200_000, "10s")
    assert memory < 400 * MIB
