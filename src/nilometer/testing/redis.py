"""A real Redis for tests, on a free loopback port; it keeps nothing on disk."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from typing import TYPE_CHECKING

from nilometer.testing.missing import Missing
from nilometer.testing.ports import free_port
from nilometer.testing.servers import START, accepts, stop
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

OPTIONS = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no")


@contextlib.contextmanager
def redis() -> Iterator[str]:
    """Run a server, and give its URL. Raise `Missing` where it is not installed."""
    program = shutil.which("redis-server")
    if program is None:
        message = "redis-server is not installed; type: apt-get install redis-server"
        raise Missing(message, "redis")
    port = free_port()
    process = subprocess.Popen([program, "--port", str(port), *OPTIONS], stdout=subprocess.DEVNULL)  # noqa: S603 ours
    try:
        until(lambda: accepts(port), "Redis accepts", START)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        stop(process)
