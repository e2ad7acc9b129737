"""osprofiler itself, for tests: what it writes into a store, and what it reads there. It runs in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from nilometer.testing.missing import Missing
from nilometer.testing.servers import CHECKOUT

PYTHON = CHECKOUT / ".cache/osprofiler/bin/python"
SCRIPT = CHECKOUT / "tests/servers/osprofiler/speak.py"
STAND_IN = CHECKOUT / "compat/osprofiler/src", CHECKOUT / "src"
PATIENCE = 60


def osprofiler(url: str, *words: str, ours: bool = False) -> Any:  # noqa: ANN401 whatever it tells
    """Return what it prints when it is told ``trace``, ``list`` or ``report BASE_ID``. Raise `Missing`.

    With `ours`, the package that stands in for it does the same.
    """
    if not PYTHON.exists():
        message = f"{PYTHON} is missing; type: python tests/servers/install.py --slow"
        raise Missing(message, "osprofiler")
    command = [sys.executable, str(SCRIPT), url, *words] if ours else [str(PYTHON), "-I", str(SCRIPT), url, *words]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, STAND_IN))} if ours else None
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, env=environment)  # noqa: S603 ours
    if done.returncode:
        raise AssertionError(done.stderr[-3000:])
    return json.loads(done.stdout)
