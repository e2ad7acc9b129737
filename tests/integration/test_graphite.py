"""A real Graphite: what the backends wrote is what ``/render`` returns."""

from __future__ import annotations

import signal
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING
from urllib.error import HTTPError

import pytest

from nilometer.backends import registry
from nilometer.core.errors import Unavailable
from nilometer.core.record import Flush, Kind, Window, block
from nilometer.testing import contract, flushes
from nilometer.testing.certificates import certificate
from nilometer.testing.waiting import settled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from nilometer.testing.servers import Graphite

SCHEMES = ("graphite", "graphite+pickle")


def now() -> int:
    return int(time.time())


def rendered(server: Graphite, target: str, second: int, enough: Callable[[dict[str, float]], bool]) -> dict[str, float]:
    """Ask until the answer is enough; return each series' value at one second."""

    def look() -> dict[str, float]:
        try:
            found = server.render(target, second, second)
        except HTTPError:  # graphite-web stumbles over a file that carbon is about to write
            return {}
        return {name: points[second] for name, points in found.items() if second in points}

    return settled(look, enough)


def gauge(name: str, value: float, end: int) -> Flush:
    return Flush(Window(end - 1, end, 1), (block(Kind.GAUGE, {"value": [value]}, [name]),))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_was_written_is_what_render_returns(graphite: Graphite, scheme: str) -> None:
    end, prefix = now(), f"plain-{len(scheme)}"
    with contract.opened(f"{graphite.url(scheme)}?prefix={prefix}") as sink:
        sink.write(flushes.every_kind(end))
    values = rendered(graphite, f"{prefix}.*.contract.*", end, lambda found: len(found) >= 3)
    assert values == {
        f"{prefix}.gauges.contract.heat": -5.5,
        f"{prefix}.gauges.contract.large": 1e21,
        f"{prefix}.gauges.contract.idle": 0.0,
    }
    deeper = rendered(graphite, f"{prefix}.*.contract.*.*", end, lambda found: len(found) >= 7)
    assert deeper == {
        f"{prefix}.counters.contract.requests.rate": 1.5,
        f"{prefix}.counters.contract.requests.count": 15.0,
        f"{prefix}.timers.contract.latency.upper_90": 3.0,
        f"{prefix}.timers.contract.latency.count": 4.0,
        f"{prefix}.timers.contract.latency.count_ps": 0.4,
        f"{prefix}.timers.contract.latency.mean": 2.5,
        f"{prefix}.sets.contract.users.count": 3.0,
    }


@pytest.mark.parametrize("scheme", SCHEMES)
def test_tags_are_found_by_tag(graphite: Graphite, scheme: str) -> None:
    end, prefix = now(), f"tagged-{len(scheme)}"
    with contract.opened(f"{graphite.url(scheme)}?prefix={prefix}") as sink:
        sink.write(flushes.every_kind(end))
    target = f"seriesByTag('name=~{prefix}.counters.*','code=500')"
    path = f"{prefix}.counters.contract.errors"
    assert rendered(graphite, target, end, lambda found: len(found) == 2) == {
        f"{path}.count;code=500;zone=a": 1.0,
        f"{path}.rate;code=500;zone=a": 0.1,
    }


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES)
def test_two_thousand_series_over_two_connections(graphite: Graphite, scheme: str) -> None:
    end, prefix = now(), f"many-{len(scheme)}"
    with contract.opened(f"{graphite.url(scheme)}?prefix={prefix}&connections=2&counts=false") as sink:
        sink.write(flushes.many(end, 2000))
    values = rendered(graphite, f"{prefix}.counters.contract.many.*.rate", end, lambda found: len(found) == 2000)
    assert values == {f"{prefix}.counters.contract.many.{number:05}.rate": (number + 1) / 10 for number in range(2000)}


def test_statsd_stats_stand_in_graphite(graphite: Graphite) -> None:
    end = now()
    with contract.opened(f"{graphite.url('graphite')}?prefix=own&statsd_stats=daemon") as sink:
        sink.write(flushes.every_kind(end))
    assert rendered(graphite, "own.daemon.numStats", end, bool) == {"own.daemon.numStats": 8.0}


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGKILL, marks=pytest.mark.slow)])
def test_carbon_restarted_between_flushes_loses_none(graphite: Graphite, number: signal.Signals) -> None:
    end, tree = now(), f"stats.gauges.{number.name}"
    with contract.opened(graphite.url("graphite")) as sink:
        sink.write(gauge(f"{number.name}.first", 1.0, end))
        graphite.stop_carbon(number)
        with pytest.raises(Unavailable):
            sink.write(gauge(f"{number.name}.second", 2.0, end))
        graphite.start_carbon()
        sink.write(gauge(f"{number.name}.second", 2.0, end))
    assert rendered(graphite, f"{tree}.*", end, lambda found: len(found) == 2) == {f"{tree}.first": 1.0, f"{tree}.second": 2.0}


class Terminator:
    """TLS in front of a port: takes connections with a certificate for localhost, and forwards what they carry."""

    def __init__(self, folder: Path, target: int) -> None:
        self.certificate, key = certificate(folder)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate, key)
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.refused: list[OSError] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            try:
                with self._context.wrap_socket(plain, server_side=True) as secure:
                    self._forward(secure)
            except OSError as error:
                self.refused.append(error)

    def _forward(self, secure: ssl.SSLSocket) -> None:
        with socket.create_connection(("127.0.0.1", self._target)) as forward:
            while data := secure.recv(1 << 16):
                forward.sendall(data)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def terminator(graphite: Graphite, tmp_path: Path) -> Iterator[Terminator]:
    server = Terminator(tmp_path, graphite.ports.line)
    yield server
    server.close()


def test_flushes_arrive_over_tls(graphite: Graphite, terminator: Terminator) -> None:
    end = now()
    url = f"graphite://localhost:{terminator.port}?tls=true&ca={terminator.certificate}"
    with contract.opened(url) as sink:
        sink.write(gauge("secure.first", 1.0, end))
        sink.write(gauge("secure.second", 2.0, end))
    values = rendered(graphite, "stats.gauges.secure.*", end, lambda found: len(found) == 2)
    assert values == {"stats.gauges.secure.first": 1.0, "stats.gauges.secure.second": 2.0}


@pytest.mark.slow
def test_two_thousand_series_over_tls(graphite: Graphite, terminator: Terminator) -> None:
    end = now()
    with contract.opened(f"graphite://localhost:{terminator.port}?tls=true&ca={terminator.certificate}&prefix=tls") as sink:
        sink.write(flushes.many(end, 2000))
    values = rendered(graphite, "tls.counters.contract.many.*.count", end, lambda found: len(found) == 2000)
    assert sum(values.values()) == 2000 * 2001 / 2


def test_a_certificate_that_nobody_vouches_for_is_refused(terminator: Terminator) -> None:
    health = registry.open(f"graphite://localhost:{terminator.port}?tls=true", registry.HEALTH)
    with pytest.raises(Unavailable, match=r"certificate.*ca=FILE"):
        health.check()


def test_a_certificate_for_another_name_is_refused(terminator: Terminator) -> None:
    health = registry.open(f"graphite://127.0.0.1:{terminator.port}?tls=true&ca={terminator.certificate}", registry.HEALTH)
    with pytest.raises(Unavailable, match="certificate"):
        health.check()


def test_verification_can_be_switched_off(terminator: Terminator) -> None:
    health = registry.open(f"graphite://127.0.0.1:{terminator.port}?tls=true&verify=false", registry.HEALTH)
    assert "TLSv1" in health.check()
    health.close()
