"""A real MariaDB for tests, on a free loopback port, in a folder of its own that goes with it."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nilometer.testing.missing import Missing
from nilometer.testing.ports import free_port
from nilometer.testing.servers import START, accepts, stop
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER, INSTALL = "mariadbd", "mariadb-install-db"
USER, DATABASE = "root", "nilometer"
OPTIONS = ("--bind-address=127.0.0.1", "--skip-log-bin", "--innodb-flush-log-at-trx-commit=2", "--character-set-server=utf8mb4")
ACCOUNT = ("--auth-root-authentication-method=normal", "--skip-test-db")


def programs() -> tuple[str, str]:
    """Return the server and the program that lays out its folder. Raise `Missing`."""
    place = "/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin"
    found = shutil.which(SERVER, path=place), shutil.which(INSTALL, path=place)
    if found[0] is None or found[1] is None:
        message = f"there is no {SERVER}; type: apt-get install mariadb-server"
        raise Missing(message, "mariadb")
    return found[0], found[1]


@contextlib.contextmanager
def mariadb() -> Iterator[str]:
    """Run a server with an empty database, and give its URL as SQLAlchemy and PyMySQL write it. Raise `Missing` without one."""
    server, install = programs()
    folder, port = Path(tempfile.mkdtemp(prefix="mariadb-")), free_port()
    quiet: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    first = folder / "first.sql"
    first.write_text(f"CREATE DATABASE IF NOT EXISTS {DATABASE};\n")
    place = ("--no-defaults", f"--user={USER}", f"--datadir={folder / 'data'}")
    process = None
    try:
        subprocess.run([install, *place, *ACCOUNT], check=True, **quiet)  # noqa: S603 ours
        command = [server, *place, f"--port={port}", f"--socket={folder / 's'}", f"--init-file={first}", *OPTIONS]
        process = subprocess.Popen(command, **quiet)  # noqa: S603 ours
        until(lambda: accepts(port), "MariaDB accepts", START)
        yield f"mysql+pymysql://{USER}@127.0.0.1:{port}/{DATABASE}"
    finally:
        stop(process)
        shutil.rmtree(folder, ignore_errors=True)
