"""The real oslo.messaging beside ours: a listener and a sender, as processes in an environment of their own.

`make servers` installs it; where it is missing, `Missing` says what to type.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from nilometer.testing.missing import Missing
from nilometer.testing.servers import CHECKOUT, START, STOP
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SCRIPTS = CHECKOUT / "tests/servers/oslo"


def program(name: str) -> str:
    """Return the path of a program of oslo's environment. Raise `Missing`."""
    found = CHECKOUT / ".cache/oslo/bin" / name
    if not found.exists():
        message = f"{found} is missing; type: make servers"
        raise Missing(message, "oslo")
    return str(found)


class Heard(NamedTuple):
    """What reached an endpoint of a listener, and which; of Ceilometer's the payload is the traits it made."""

    endpoint: str
    context: dict[str, Any]
    publisher: str
    type: str
    payload: Any
    metadata: dict[str, Any]


class Listener:
    """A listener's process; `heard` is what it told so far."""

    def __init__(self, *arguments: str) -> None:
        self.heard: list[Heard] = []
        self.ready = threading.Event()
        command = [program("python"), str(SCRIPTS / "listen.py"), *arguments]
        self._process = subprocess.Popen(  # noqa: S603 ours
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            if line == b"ready\n":
                self.ready.set()
            else:
                self.heard.append(Heard(*json.loads(line)))

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate(timeout=STOP)
        self._reader.join(STOP)


def transport(port: int) -> str:
    """Return the URL of a broker on this machine, as oslo.messaging writes it."""
    return f"rabbit://guest:guest@127.0.0.1:{port}//"


@contextlib.contextmanager
def listening(port: int, exchange: str, topic: str = "notifications") -> Iterator[Listener]:
    """Have a listener for one topic of an exchange. Raise `Missing`."""
    found = Listener(transport(port), exchange, topic)
    try:
        until(found.ready.is_set, "the listener of oslo.messaging is ready", START)
        yield found
    finally:
        found.close()


def send(port: int, exchange: str, drivers: str, notifications: Iterable[tuple[str, Any, str, Any]], topics: str) -> None:
    """Send notifications ``(priority, context's arguments, event type, payload)`` by each of its drivers. Raise `Missing`."""
    lines = "".join(json.dumps(each) + "\n" for each in notifications)
    command = [program("python"), str(SCRIPTS / "notify.py"), transport(port), exchange, drivers, topics]
    subprocess.run(command, input=lines.encode(), stderr=subprocess.DEVNULL, timeout=START, check=True)  # noqa: S603 ours


def send_by_command(port: int, payload: str, *, priority: str, event_type: str, publisher_id: str) -> None:
    """Send one notification by its command ``oslo-messaging-send-notification``. Raise `Missing`."""
    options = ("--priority", priority, "--event-type", event_type, "--publisher-id", publisher_id)
    where = ("--transport-url", transport(port), "--driver", "messagingv2", "--topic", "notifications")
    command = [program("oslo-messaging-send-notification"), payload, *where, *options]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=START, check=True)  # noqa: S603 ours
