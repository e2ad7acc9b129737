"""What statsd does, `nilometer serve --statsd-config` does with each kernel: real processes, real sockets, a fake carbon."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CASES = HERE.parent / "data/statsd_golden.json"
GROUPS = ["counters", "gauges", "sets", "timers", "timer_filter", "sampling", "parser", "sanitize", "namespace", "pickle"]
GROUPS += ["histogram", "expiry", "tags"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kernel", ["reference", "native"])
@pytest.mark.parametrize("group", GROUPS)
def test_statsd_cases(group: str, kernel: str) -> None:
    serve = shlex.join([sys.executable, "-m", "nilometer", "serve", "--statsd-config"])
    command = [sys.executable, str(HERE / "statsd_cases.py"), str(CASES), "--command", serve + " {config}"]
    command += ["--only", group, "--jobs", "8"]
    environment = os.environ | {"NILOMETER_KERNEL": kernel}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
