"""A server that speaks MongoDB's wire protocol, for tests: SecantusDB, for mongod itself cannot be installed by a package here.

`make test-slow` installs it into an environment of its own; where it is missing, `Missing` says what to type.
"""

from __future__ import annotations

import contextlib
import subprocess
from typing import TYPE_CHECKING

from nilometer.testing.missing import Missing
from nilometer.testing.ports import free_port
from nilometer.testing.servers import CHECKOUT, START, accepts, stop
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def mongodb(folder: Path) -> Iterator[str]:
    """Run a server in a folder, and give its URL. Raise `Missing` where it is not installed."""
    program = CHECKOUT / ".cache/secantusdb/bin/secantusd-py"
    if not program.exists():
        message = f"{program} is missing; type: python tests/servers/install.py --slow"
        raise Missing(message, "secantusdb")
    port = free_port()
    command = [str(program), "--host", "127.0.0.1", "--port", str(port), "--storage-path", str(folder / "data")]
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)  # noqa: S603 ours
    try:
        until(
            lambda: accepts(port), "the server accepts", START, lambda: (folder / "output").read_text(errors="replace")[-3000:]
        )
        yield f"mongodb://127.0.0.1:{port}"
    finally:
        stop(process)
