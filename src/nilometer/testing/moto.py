"""CloudWatch as moto emulates it, in a process of its own on a free loopback port.

`make servers` installs it; where it is missing, `Missing` says what to type.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import urllib.request
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from nilometer.core.record import Kind
from nilometer.core.wire.key import split
from nilometer.testing.missing import Missing
from nilometer.testing.ports import free_port
from nilometer.testing.proxy import Proxy
from nilometer.testing.servers import CHECKOUT, START, STOP, accepts, stop
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.core.record import Flush
    from nilometer.testing.peers import Runs

    Datum = tuple[str, str, float]

VENV = "NILOMETER_MOTO_VENV"
LOGIN = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""The environment in which the driver finds credentials, and nobody else's."""
AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/monitoring/aws4_request, SignedHeaders=host, Signature=0"
"""Tells moto which service is asked; it checks no signature."""
LARGEST = 2.0**360


def program() -> Path:
    """Return moto's program: below ``$NILOMETER_MOTO_VENV``, else below the checkout's ``.cache``. Raise `Missing`."""
    folder = Path(os.environ.get(VENV) or CHECKOUT / ".cache" / "moto") / "bin"
    if not (folder / "moto_server").exists():
        message = f"{folder} holds no moto_server; type: make servers (or name an environment that does with {VENV})"
        raise Missing(message, "moto")
    return folder / "moto_server"


class Moto:
    """The process."""

    def __init__(self) -> None:
        command = [str(program()), "-H", "127.0.0.1", "-p", str(port := free_port())]
        self.port = port
        self._process = subprocess.Popen(  # noqa: S603 ours
            command, env={**os.environ, **LOGIN}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(lambda: accepts(port), "moto answers", START)
        self._ask("/", b"Action=ListMetrics&Version=2010-08-01", START)  # it loads what it emulates when first asked

    def reset(self) -> None:
        """Forget everything."""
        self._ask("/moto-api/reset", b"", STOP)

    def _ask(self, path: str, body: bytes, timeout: float) -> None:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, {"Authorization": AUTHORIZATION})
        urllib.request.urlopen(request, timeout=timeout).close()  # noqa: S310 our own

    def data(self, namespace: str) -> Counter[Datum]:
        """Return name, unit and value of each single value in a namespace, and how often it is there."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/moto-api/data.json", timeout=STOP) as answer:
            held: list[dict[str, Any]] = json.load(answer)["cloudwatch"]["MetricDatum"]
        return Counter((each["name"], each["unit"], each["value"]) for each in held if each["namespace"] == namespace)

    def stop(self) -> None:
        """End the process."""
        stop(self._process)


@contextlib.contextmanager
def moto() -> Iterator[Moto]:
    """Start moto with the environment that leads to it, and stop it in the end. Raise `Missing` when it is not installed."""
    server = Moto()
    try:
        with mock.patch.dict(os.environ, LOGIN):
            yield server
    finally:
        server.stop()


class FakeCloudWatch(Proxy):
    """moto as the contract's peer, behind a proxy that can leave and stall. It begins empty."""

    def __init__(self, server: Moto, options: str = "") -> None:
        super().__init__(server.port)
        self._server = server
        server.reset()
        place = f"endpoint=http://127.0.0.1:{self.port}"
        self.url = f"cloudwatch://Test/Contract?region=eu-west-1&{place}&timeout=5s{options}"

    def lacks(self, flush: Flush) -> list[str]:
        """Compare with the data: each of the flush is there once."""
        found = self._server.data("Test/Contract")
        return [f"{each}: {found[each]} times" for each in expected(flush) if found[each] != 1]

    def sketches(self, flush: Flush) -> Runs:
        """Return the values of timers, by the first series of the flush that has the metric's name."""
        found = self._server.data("Test/Contract")
        keys = [key for kind, key, statistic, _ in flush.rows() if (kind, statistic) == (Kind.TIMER, "upper")]
        runs = {key: sorted((value, n) for (name, _, value), n in found.items() if name == split(key)[0]) for key in keys}
        return {key: held for key, held in runs.items() if held}

    def close(self) -> None:
        """Leave the server to others."""
        self.resume()
        self.leave()


def expected(flush: Flush) -> Iterator[Datum]:
    """Yield the data of a flush whose timers have too few statistics for a datum that has them all."""
    whole = {key for kind, key, statistic, _ in flush.rows() if kind is Kind.TIMER and statistic == "upper"}
    for kind, key, statistic, value in flush.rows():
        name = "".join(sign if sign.isascii() else "".join(f"%{byte:02X}" for byte in sign.encode()) for sign in split(key)[0])
        if not math.isfinite(value) or abs(value) > LARGEST or statistic == "rate":
            continue
        if kind is Kind.TIMER:
            unit = {"count": "Count", "count_ps": "Count/Second"}.get(statistic, "Milliseconds")
            if flush_has_samples(flush, key) and key not in whole:
                yield f"{name}.{statistic}", unit, value
        else:
            yield name, "None" if kind is Kind.GAUGE else "Count", value if abs(value) > 1 / LARGEST else 0.0


def flush_has_samples(flush: Flush, key: str) -> bool:
    """Say whether a timer is not idle."""
    return any(value for _, name, statistic, value in flush.rows() if name == key and statistic == "count")
