"""The real fedora-messaging beside ours: a publisher and a consumer, as processes in an environment of their own.

`make test-slow` installs it; where it is missing, `Missing` says what to type.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from typing import TYPE_CHECKING, Any

from nilometer.testing.missing import Missing
from nilometer.testing.servers import CHECKOUT, START, STOP
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SCRIPTS = CHECKOUT / "tests/servers/fedora-messaging"
QUEUE = """
[queues.{name}]
durable = true
auto_delete = false
exclusive = false
arguments = {{}}

[[bindings]]
queue = "{name}"
exchange = "amq.topic"
routing_keys = ["{key}"]
"""


def configuration(path: Path, port: int, queue: str = "", key: str = "#", more: str = "") -> Path:
    """Write a configuration for a broker on this machine, with a queue bound to the exchange of topics."""
    head = f'amqp_url = "amqp://guest:guest@127.0.0.1:{port}/%2F"\n{more}'
    path.write_text(head + (QUEUE.format(name=queue, key=key) if queue else ""), encoding="utf-8")
    return path


def program(name: str) -> str:
    """Return the path of a program of fedora-messaging's environment. Raise `Missing`."""
    found = CHECKOUT / ".cache/fedora-messaging/bin" / name
    if not found.exists():
        message = f"{found} is missing; type: make test-slow"
        raise Missing(message, "fedora-messaging")
    return str(found)


def publish(config: Path, messages: Iterable[tuple[str, Any, dict[str, Any]]]) -> list[str]:
    """Publish messages, each a topic, a body and headers, and have each confirmed. Return their ids. Raise `Missing`."""
    lines = "".join(json.dumps(each) + "\n" for each in messages)
    command = [program("python"), str(SCRIPTS / "publish.py"), str(config)]
    done = subprocess.run(command, input=lines.encode(), capture_output=True, timeout=START, check=True)  # noqa: S603 ours
    return done.stdout.decode().split()


class Consumer:
    """fedora-messaging's own command that consumes, with a callback that notes what it was given."""

    def __init__(self, config: Path, file: Path) -> None:
        self._file = file
        with config.open("a", encoding="utf-8") as text:
            text.write(f"\n[consumer_config]\nfile = {json.dumps(str(file))}\n")
        callback = f"{SCRIPTS / 'heard.py'}:heard"
        command = [program("fedora-messaging"), "--conf", str(config), "consume", "--callback-file", callback]
        self._output = file.with_suffix(".log")
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output)  # noqa: S603 ours

    @property
    def is_ready(self) -> bool:
        """Whether it consumes."""
        return b"Successfully registered AMQP consumer" in self._output.read_bytes()

    def heard(self) -> list[str]:
        """Return the ids of messages that it was given so far, in order."""
        return self._file.read_text(encoding="utf-8").split() if self._file.exists() else []

    def log(self) -> str:
        """Return the end of what it printed."""
        return self._output.read_bytes()[-3000:].decode("utf-8", "replace")

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait(STOP)


@contextlib.contextmanager
def consuming(config: Path, file: Path) -> Iterator[Consumer]:
    """Have a consumer with that configuration, which notes in that file. Raise `Missing`."""
    found = Consumer(config, file)
    try:
        until(lambda: found.is_ready, "fedora-messaging consumes", START, found.log)
        yield found
    finally:
        found.close()
