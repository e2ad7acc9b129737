"""Asks real JavaScript: the oracle of everything that statsd computes, and statsd itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from nilometer.testing.missing import Missing

INSTALLED = Path(__file__).parents[3] / ".cache/statsd/node_modules/statsd/stats.js"
PROGRAM = "const input = JSON.parse(require('fs').readFileSync(0, 'utf8')); process.stdout.write(JSON.stringify(%s))"


def node() -> str:
    """Return the program. Raise `Missing`."""
    found = shutil.which("node")
    if found is None:
        message = "node is not installed; Debian: apt-get install nodejs"
        raise Missing(message, "node")
    return found


def statsd_file(name: str) -> Path:
    """Return a file of the statsd that tests compare with: ``stats.js``, ``proxy.js``. Raise `Missing`."""
    file = Path(os.environ.get("NILOMETER_STATSD_JS") or INSTALLED).with_name(name)
    if not file.exists():
        message = f"the reference server ({file}) is missing; type: make servers"
        raise Missing(message, "statsd")
    return file


def statsd(name: str = "stats.js") -> list[str]:
    """Return the command that runs a program of that statsd. Raise `Missing`."""
    file = statsd_file(name)
    return [node(), str(file)]


def evaluate(expression: str, values: object) -> object:
    """Return what a JavaScript expression makes of `input`, all in one process. Raise `Missing` without node."""
    command = [node(), "-e", PROGRAM % expression]
    done = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, check=True)  # noqa: S603 our own
    found: object = json.loads(done.stdout)
    return found
