"""The embedded store beside a server: checked and read by other processes while it is written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nilometer.testing.serving import Serving
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

GUIDE = Path(__file__).parents[2] / "docs/start/first-metric.md"
PATIENCE = 60.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    serving = Serving(
        "--listen", "udp://127.0.0.1:0", "--flush-interval", "1s", state=tmp_path / ".local/state/nilometer", sinks=()
    )
    yield serving.ready()
    serving.kill()


def run(program: tuple[str, ...], home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *program], env={"HOME": str(home)}, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def test_a_store_is_checked_beside_its_server_and_after_it(server: Serving, tmp_path: Path) -> None:
    file = tmp_path / ".local/state/nilometer/nilometer.db"
    until(file.exists, "the store is there")
    until(
        lambda: run(("-m", "nilometer", "check", "--no-write", f"sqlite:///{file}"), tmp_path).returncode == 0, "it is readable"
    )
    done = run(("-m", "nilometer", "check", f"sqlite:///{file}"), tmp_path)
    assert (done.returncode, f"process {server.process.pid} writes it already" in done.stdout) == (1, True), done.stdout
    assert server.stop() == 0
    done = run(("-m", "nilometer", "check", f"sqlite:///{file}"), tmp_path)
    assert (done.returncode, done.stdout.count("  ok  ")) == (0, 4), done.stdout


def test_the_guide_reads_what_was_sent(server: Serving, tmp_path: Path) -> None:
    host, port = server.address("udp")
    sent = run(("-m", "nilometer", "send", "--to", f"udp://{host}:{port}", "page.views:3|c"), tmp_path)
    assert sent.returncode == 0, sent.stderr
    (code,) = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)

    def shown() -> str:
        done = run(("-c", code), tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    until(lambda: re.search(r"stats\.counters\.page\.views\.count .*, 3\.0\)", shown()), "the count is read")
    assert server.stop() == 0
