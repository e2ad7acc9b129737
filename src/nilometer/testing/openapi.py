"""Has schemathesis try an HTTP interface: whether it does what its OpenAPI description says, whatever it is asked."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

QUICK = "examples,fuzzing"
EVERY = f"{QUICK},stateful,coverage"
"""The phases of schemathesis: that of coverage, every value at every bound, takes most of the time."""
ENDLESS = ("/api/v1/live", "/api/v1/events/live", "/api/v1/statistics/live")
"""Streams of events, which end when the client does; their own tests follow them."""
PATIENCE = 850


def faults(address: tuple[str, int], token: str, config: Path, folder: Path, *options: str) -> str:
    """Return what is wrong, in schemathesis' words; empty when nothing is. It runs in a folder, with a file of settings."""
    program = (sys.executable, "-m", "schemathesis.cli", f"--config-file={config}", "run")
    url = f"http://{address[0]}:{address[1]}/api/v1/openapi.json"
    usual = [
        f"--header=Authorization: Bearer {token}",
        *(f"--exclude-path={path}" for path in ENDLESS),
        *("--generation-deterministic", "--suppress-health-check=too_slow", "--workers=2", "--wait-for-schema=30"),
    ]
    command = [*program, url, *usual, *options]
    done = subprocess.run(  # noqa: S603 ours
        command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    return done.stdout + done.stderr if done.returncode else ""
