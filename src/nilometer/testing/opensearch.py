"""A real OpenSearch for tests: one node on free loopback ports, in a folder of its own, stopped by its process.

`make test-slow` installs it; where it is missing, `Missing` says what to type.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import urllib.request
from typing import TYPE_CHECKING, Any

from nilometer.testing.elasticsearch import lacks, sketches
from nilometer.testing.missing import Missing
from nilometer.testing.ports import free_ports
from nilometer.testing.servers import CHECKOUT, START, STOP, accepts, stop
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nilometer.core.record import Flush
    from nilometer.testing.peers import Runs

FOLDER = "NILOMETER_OPENSEARCH"
MEMORY = "-Xmx512m"
MOST = 20_000
"""Documents that a look at a data stream shows, at most."""


def jars() -> str:
    """Return the class path: below ``$NILOMETER_OPENSEARCH``, else below the checkout's ``.cache``. Raise `Missing`."""
    folder = os.environ.get(FOLDER) or str(CHECKOUT / ".cache" / "opensearch")
    if not os.path.exists(f"{folder}/classes/Main.class") or shutil.which("java") is None:  # noqa: PTH110 a text is wanted
        message = f"{folder} holds no OpenSearch, or java is missing; type: python tests/servers/install.py --slow"
        raise Missing(message, "opensearch")
    return f"{folder}/classes:{folder}/lib/*"


class OpenSearch:
    """A node, and what tests ask of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self._transport = free_ports(2)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the node, and return when it answers."""
        arguments = ("Main", str(self.folder / "data"), str(self.port), str(self._transport))
        with (self.folder / "output").open("ab") as output:
            command = ["java", MEMORY, "-cp", jars(), *arguments]
            self._process = subprocess.Popen(command, cwd=self.folder, stdout=output, stderr=output)  # noqa: S603 ours
        until(self._ready, "OpenSearch is ready", START, self.log)

    def _ready(self) -> bool:
        return b"READY" in (self.folder / "output").read_bytes() and accepts(self.port)

    def stop(self) -> None:
        """Stop the node; what it holds stays in its folder."""
        stop(self._process)
        self._process = None
        (self.folder / "output").unlink(missing_ok=True)

    def log(self) -> str:
        """Return the end of what it printed."""
        return (self.folder / "output").read_text(errors="replace")[-4000:]

    def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 whatever JSON it sends
        """Return the JSON that a request is answered with. Raise OSError (HTTPError for its status codes)."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=STOP) as answer:  # noqa: S310 our own
            return json.load(answer)

    def documents(self, stream: str) -> list[dict[str, Any]]:
        """Return the documents of a data stream."""
        self.ask("POST", f"/{stream}/_refresh")
        self.ask("PUT", f"/{stream}/_settings", {"index.max_result_window": MOST})
        found = self.ask("POST", f"/{stream}/_search", {"size": MOST, "query": {"match_all": {}}})
        return [each["_source"] for each in found["hits"]["hits"]]


class RealPeer:
    """A real OpenSearch as the contract's peer, with a data stream of its own. It neither leaves nor stalls."""

    def __init__(self, server: OpenSearch, name: str, options: str = "") -> None:
        self._server, self._stream = server, f"{name}-metrics"
        self.url = f"opensearch://127.0.0.1:{server.port}/{name}?timeout=60s&source=test{options}"

    def lacks(self, flush: Flush) -> list[str]:
        """Compare with the documents."""
        return lacks(flush, self._server.documents(self._stream))

    def sketches(self, flush: Flush) -> Runs:  # noqa: ARG002 the documents are this flush's
        """Return the sketches of the documents."""
        return sketches(self._server.documents(self._stream))

    def close(self) -> None:
        """Leave the server to others."""


@contextlib.contextmanager
def opensearch(folder: Path) -> Iterator[OpenSearch]:
    """Start a node in a folder, and stop it in the end. Raise `Missing` when it is not installed."""
    server = OpenSearch(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
