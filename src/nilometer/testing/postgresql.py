"""A real PostgreSQL for tests, on a free loopback port, in a folder of its own that goes with it.

The server refuses to run as root, so root runs it as the user ``postgres``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from signal import SIGINT
from typing import TYPE_CHECKING, Any

from nilometer.testing.missing import Missing
from nilometer.testing.ports import free_port
from nilometer.testing.servers import START, stop
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "postgres"
OPTIONS = ("-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "log_min_messages=warning")


def programs() -> Path:
    """Return the folder of PostgreSQL's programs, as Debian has them. Raise `Missing`."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        message = "/usr/lib/postgresql holds no server; type: apt-get install postgresql"
        raise Missing(message, "postgresql")
    return found[-1].parent


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """Run a server, and give its URL as SQLAlchemy and psycopg write it. Raise `Missing` where it is not installed."""
    folder, port = Path(tempfile.mkdtemp(prefix="postgresql-")), free_port()
    identity: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if os.geteuid() == 0:
        shutil.chown(folder, USER, USER)
        identity |= {"user": USER, "group": USER}
    process = None
    try:
        data = str(folder / "data")
        bin_ = programs()
        subprocess.run([bin_ / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "-N"], check=True, **identity)  # noqa: S603 ours
        process = subprocess.Popen([bin_ / "postgres", "-D", data, "-p", str(port), "-k", folder, *OPTIONS], **identity)  # noqa: S603 ours
        asked: list[str | Path] = [bin_ / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
        until(lambda: subprocess.run(asked, check=False).returncode == 0, "PostgreSQL is ready", START)  # noqa: S603 ours
        yield f"postgresql+psycopg://{USER}@127.0.0.1:{port}/postgres"
    finally:
        stop(process, SIGINT)
        shutil.rmtree(folder, ignore_errors=True)
