"""The HTTP interface does what its OpenAPI description says, whatever it is asked: schemathesis tries a server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nilometer.testing.serving import Serving
from nilometer.web.tokens import TokenFile

CONFIG = Path(__file__).with_name("schemathesis.toml")
ENDLESS = "/api/v1/live"
"""A stream of events, which ends when the client does; its own tests follow it."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("examples", [12, pytest.param(200, marks=pytest.mark.slow)])
def test_answers_are_as_they_are_described(tmp_path: Path, examples: int) -> None:
    token = TokenFile(tmp_path / "state" / "tokens.json").create("test", "admin")
    server = Serving("--listen=udp://127.0.0.1:0", "--web-listen=http://127.0.0.1:0", state=tmp_path / "state", sinks=[])
    try:
        host, port = server.ready().interface("HTTP interface")
        program = (sys.executable, "-m", "schemathesis.cli", f"--config-file={CONFIG}", "run")
        url = f"http://{host}:{port}/api/v1/openapi.json"
        options = [f"--header=Authorization: Bearer {token}", f"--exclude-path={ENDLESS}", f"--max-examples={examples}"]
        options += ["--generation-deterministic", "--workers=2", "--wait-for-schema=30"]
        done = subprocess.run([*program, url, *options], cwd=tmp_path, capture_output=True, text=True, timeout=850, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert not [line for line in server.log if "Traceback" in line]
        assert server.stop() == 0
    finally:
        server.kill()
