"""What statsd does, `nilometer serve --statsd-config` does with each kernel: real processes, real sockets, a fake carbon.

Where statsd has a quirk that we do not have, the case's name stands in docs/reference/compatibility.md.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CASES = HERE.parent / "data/statsd_golden.json"
COMPATIBILITY = HERE.parents[1] / "docs/reference/compatibility.md"
ALL = json.loads(CASES.read_text())
GROUPS = sorted({case["group"] for case in ALL})
FIRST = {"counters", "gauges", "parser", "sets", "tags"}
"""Groups that are tried among the fast tests, on the native kernel."""
TRIALS = [
    pytest.param(group, kernel, marks=() if group in FIRST and kernel == "native" else pytest.mark.slow)
    for group in GROUPS
    for kernel in ("reference", "native")
]
LISTED = set(
    re.findall(r"(?m)^\| `(\w+)` \|", COMPATIBILITY.read_text("utf-8").partition("## Cases\n")[2].partition("\n## ")[0])
)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("group", "kernel"), TRIALS)
def test_statsd_cases(group: str, kernel: str) -> None:
    serve = shlex.join([sys.executable, "-m", "nilometer", "serve", "--statsd-config"])
    command = [sys.executable, str(HERE / "statsd_cases.py"), str(CASES), "--command", serve + " {config}"]
    command += ["--only", group, "--jobs", "8"]
    environment = os.environ | {"NILOMETER_KERNEL": kernel}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=280)

    assert done.returncode == 0, done.stdout + done.stderr
    differ = set(re.findall(r"(?m)^DIFFERS\n +\w+\n +(\w+)$", done.stdout))
    assert differ == LISTED & {case["name"] for case in ALL if case["group"] == group}, done.stdout


def test_what_is_listed_as_different_is_a_case_of_statsds_quirks() -> None:
    quirks = {case["name"] for case in ALL if case.get("quirk")}
    assert quirks >= LISTED
