"""Asks real JavaScript: the oracle of everything that statsd computes."""

from __future__ import annotations

import json
import shutil
import subprocess

from nilometer.testing.missing import Missing

PROGRAM = "const input = JSON.parse(require('fs').readFileSync(0, 'utf8')); process.stdout.write(JSON.stringify(%s))"


def evaluate(expression: str, values: object) -> object:
    """Return what a JavaScript expression makes of `input`, all in one process. Raise `Missing` without node."""
    node = shutil.which("node")
    if node is None:
        message = "node is not installed; Debian: apt-get install nodejs"
        raise Missing(message, "node")
    command = [node, "-e", PROGRAM % expression]
    done = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, check=True)  # noqa: S603 our own
    found: object = json.loads(done.stdout)
    return found
