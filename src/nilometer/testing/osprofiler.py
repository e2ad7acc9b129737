"""osprofiler itself, for tests: what it writes into a store, and what it reads there. It runs in an environment of its own."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from nilometer.testing.missing import Missing
from nilometer.testing.servers import CHECKOUT

PYTHON = CHECKOUT / ".cache/osprofiler/bin/python"
SCRIPT = CHECKOUT / "tests/servers/osprofiler/speak.py"
PATIENCE = 60


def osprofiler(url: str, *words: str) -> Any:  # noqa: ANN401 whatever it tells
    """Return what it prints when it is told ``trace``, ``list`` or ``report BASE_ID``. Raise `Missing`."""
    if not PYTHON.exists():
        message = f"{PYTHON} is missing; type: python tests/servers/install.py --slow"
        raise Missing(message, "osprofiler")
    command = [str(PYTHON), "-I", str(SCRIPT), url, *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603 ours
    if done.returncode:
        raise AssertionError(done.stderr[-3000:])
    return json.loads(done.stdout)
