"""The HTTP interface does what its OpenAPI description says, whatever it is asked: schemathesis tries a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from nilometer.core import url as urls
from nilometer.core.statistics import Row, State
from nilometer.ingest._reference import ReferenceKernel
from nilometer.testing import openapi
from nilometer.testing.control import control
from nilometer.testing.serving import Serving
from nilometer.testing.statistics import MONDAY, FakeStatistics, distribution, sums
from nilometer.web.access import Access
from nilometer.web.app import application
from nilometer.web.parts import Parts
from nilometer.web.server import WebServer
from nilometer.web.tokens import TokenFile, Tokens

CONFIG = Path(__file__).with_name("schemathesis.toml")


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("examples", "phases"), [(2, openapi.QUICK), pytest.param(60, openapi.EVERY, marks=pytest.mark.slow)])
def test_answers_are_as_they_are_described(tmp_path: Path, examples: int, phases: str) -> None:
    token = TokenFile(tmp_path / "state" / "tokens.json").create("test", "admin")
    arguments = "--listen=udp://127.0.0.1:0", "--web-listen=http://127.0.0.1:0", "--traces-store=memory://"
    server = Serving(*arguments, state=tmp_path / "state", sinks=[])
    try:
        address = server.ready().interface("HTTP interface")
        options = f"--max-examples={examples}", f"--phases={phases}"
        found = openapi.faults(address, token, CONFIG, tmp_path, *options)
        assert not found, found
        assert not [line for line in server.log if "Traceback" in line]
        assert server.stop() == 0
    finally:
        server.kill()


def statistics() -> FakeStatistics:
    """Return statistics of every kind, with rows; one of them stopped."""
    words = "git", "bodhi", None
    fake = FakeStatistics(
        table={
            "volume-by-category-1m": sums((MONDAY + 60 * n, word, n) for n in range(300) for word in words),
            "volume-by-category-1d": sums((MONDAY + 86_400 * n, word, n) for n in range(300) for word in words),
            "delivery-delay-1h": [distribution(MONDAY + 3600 * n, ("git",), [1.0 * n, 5.0]) for n in range(50)],
            "release-log": [Row(MONDAY, ("compose", None), text='{"a": 1}')],
            "users-1d-europe-prague": [Row(MONDAY - 3600 + 86_400 * n, (), 1.0 + n) for n in range(20)],
        }
    )
    fake.changed("release-log", state=State.STOPPED, error="KeyError", culprit="id", at=1, since=1.0)
    return fake


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_answers_about_statistics_are_as_they_are_described(tmp_path: Path) -> None:
    file, fake = TokenFile(tmp_path / "tokens.json"), statistics()
    token = file.create("test", "admin")
    parts = Parts(control(ReferenceKernel(), statistics=fake.status), statistics=lambda: fake)
    server = WebServer(lambda: application(parts, Access(Tokens(file).known)))
    host, _, port = server.listen(urls.parse("http://127.0.0.1:0"))[0].rpartition(":")
    server.start()
    try:
        options = "--include-path-regex=^/api/v1/statistics", "--max-examples=25", f"--phases={openapi.EVERY}"
        found = openapi.faults((host, int(port)), token, CONFIG, tmp_path, *options)
        assert not found, found
    finally:
        server.stop()
