"""The example service as a process of its own, with tables and items in it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nilometer.testing.ports import free_port
from nilometer.testing.servers import accepts, stop
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator

EXAMPLES = Path(__file__).parents[3] / "examples"
NOWHERE = "statsd://127.0.0.1:9"
HASH = [{"attribute_name": "id", "key_type": "HASH"}]


class TableService:
    """A running service. `address` is host and port."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self._folder, self._port = folder, port or free_port()
        self.address = f"127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, at the same address each time, and return when it answers."""
        command = ["--port", str(self._port), "--database", f"sqlite:///{self._folder / 'tables.db'}", "--statsd", NOWHERE]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 our own example
                [sys.executable, "-m", "tableservice", *command],
                env={**os.environ, "PYTHONPATH": str(EXAMPLES)},
                stdout=log,
                stderr=log,
            )
        until(lambda: accepts(self._port), "the table service accepts", told=(self._folder / "log").read_text)

    def stop(self) -> None:
        """End it; what it stored stays."""
        stop(self._process)
        self._process = None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, such as SIGSTOP."""
        assert self._process is not None  # noqa: S101 whoever asks has started it
        self._process.send_signal(number)

    def ask(self, path: str, body: object = None) -> Any:  # noqa: ANN401 whatever JSON can hold
        """Return the answer to GET, or to POST where there is a body. Raise OSError."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self.address}{path}", data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 see above
            return json.load(answer)

    def create(self, project: str, table: str, items: int = 0) -> None:
        """Create a table, wait until it is ACTIVE, and put items into it."""
        attributes = [{"attribute_name": "id", "attribute_type": "S"}]
        tables = f"/v1/data/{project}/tables"
        self.ask(tables, {"table_name": table, "attribute_definitions": attributes, "key_schema": HASH})
        until(lambda: self.ask(f"{tables}/{table}")["table"]["table_status"] == "ACTIVE", f"{table} is created")
        for number in range(items):
            self.ask(f"{tables}/{table}/put_item", {"item": {"id": {"S": f"{number:03}"}}})


@contextlib.contextmanager
def running(folder: Path) -> Iterator[TableService]:
    """Start a service in a folder, and stop it in the end."""
    service = TableService(folder)
    try:
        service.start()
        yield service
    finally:
        service.stop()
