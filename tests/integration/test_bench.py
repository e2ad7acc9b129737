"""The bench runs and finds no loss at a low rate. What it measures is not asserted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("server", ["Nilometer", "statsd (Node)", "statsd_exporter"])
def test_servers_are_measured_without_loss_at_a_low_rate(server: str) -> None:
    command = [sys.executable, str(ROOT / "bench/statsd.py"), "--only", server, "--load", "packed 1 k"]
    command += ["--seconds", "2", "--interval", "1", "--trials", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "lost 0" in done.stdout, done.stdout


def test_ingest_is_measured_while_people_look() -> None:
    command = [sys.executable, str(ROOT / "bench/page.py"), "--users", "3", "--rate", "2000"]
    command += ["--seconds", "8", "--interval", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "| 3 users | 2 | 0 |" in done.stdout, done.stdout
    assert " 0 errors." in done.stdout, done.stderr


def test_charts_are_measured() -> None:
    command = [sys.executable, str(ROOT / "bench/chart.py"), "--series", "1200", "--hours", "1.5"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "over 12 series, SVG" in done.stdout


def test_a_flush_is_measured() -> None:
    command = [sys.executable, str(ROOT / "bench/flush.py"), "--series", "1000", "--rounds", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "pause of ingest" in done.stdout


def test_middlewares_are_measured_in_process_and_under_servers() -> None:
    command = [sys.executable, str(ROOT / "bench/middleware.py"), "--requests", "300", "--served", "300"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name, tables in {"Nilometer": 4, "OpenTelemetry": 4, "prometheus-fastapi-instrumentator": 2}.items():
        assert done.stdout.count(f"\n| {name} |") == tables
