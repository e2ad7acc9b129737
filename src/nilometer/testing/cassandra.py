"""A real Cassandra for tests: one node on free loopback ports, in a folder of its own, stopped by its process.

`make test-slow` installs it; where it is missing, `Missing` says what to type.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from typing import TYPE_CHECKING

from nilometer.testing.missing import Missing
from nilometer.testing.ports import free_ports
from nilometer.testing.servers import CHECKOUT, START, accepts, stop
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAIN = "org.apache.cassandra.service.CassandraDaemon"


def installed() -> Path:
    """Return the folder with the jars and the configuration. Raise `Missing`."""
    folder = CHECKOUT / ".cache" / "cassandra"
    if not (folder / "lib").is_dir() or shutil.which("java") is None:
        message = f"{folder} holds no Cassandra, or java is missing; type: python tests/servers/install.py --slow"
        raise Missing(message, "cassandra")
    return folder


@contextlib.contextmanager
def cassandra(folder: Path) -> Iterator[int]:
    """Run a node in a folder, and give the port for drivers. Raise `Missing` where it is not installed."""
    source, (port, storage, tls, jmx) = installed(), free_ports(4)
    filled = {"DATA": folder / "data", "CONF": folder, "PORT": port, "STORAGE": storage, "TLS": tls, "JMX": jmx}
    for name in ("cassandra.yaml", "jvm.args"):
        text = (source / name).read_text()
        for word, value in filled.items():
            text = text.replace(f"{{{word}}}", str(value))
        (folder / name).write_text(text)
    agent = next((source / "lib").glob("jamm-*.jar"))
    command = ["java", f"-javaagent:{agent}", f"@{folder}/jvm.args", "-cp", f"{folder}:{source}/lib/*", MAIN]
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)  # noqa: S603 ours
    try:
        until(
            lambda: accepts(port), "Cassandra accepts", START, lambda: (folder / "output").read_text(errors="replace")[-4000:]
        )
        yield port
    finally:
        stop(process)
