"""The bench runs and finds no loss at a low rate. What it measures is not asserted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nilometer.testing import fedora_messaging
from nilometer.testing.missing import Missing
from nilometer.testing.rabbitmq import PROGRAMS

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


def test_a_notifier_is_measured() -> None:
    command = [sys.executable, str(ROOT / "bench/notifier.py"), "--calls", "50"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("| Nilometer |") == 4


def test_a_notifier_is_measured_while_its_broker_comes_and_goes() -> None:
    if not (PROGRAMS / "rabbitmq-server").exists():
        message = "RabbitMQ is not installed; type: make servers"
        raise Missing(message, "rabbitmq")
    command = [sys.executable, str(ROOT / "bench/notifier_amqp.py"), "--events", "500", "--rate", "500"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "all delivered" in done.stdout
    assert "lost: 0 of 2000" in done.stdout


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


def test_the_store_of_events_is_measured() -> None:
    command = [sys.executable, str(ROOT / "bench/events.py"), "--events", "1500"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=True)
    assert "1,500 events written" in done.stdout
    assert "the newest 100" in done.stdout
    assert "500 events dropped" in done.stdout


def test_statistics_are_measured_from_a_bus_and_from_an_archive() -> None:
    fedora_messaging.program("fedora-messaging")
    if not (PROGRAMS / "rabbitmq-server").exists():
        message = "RabbitMQ is not installed; type: make servers"
        raise Missing(message, "rabbitmq")
    command = [sys.executable, str(ROOT / "bench/messages.py"), "--single", "30", "--messages", "700", "--archived", "1500"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n| RabbitMQ, ") == 3 + 2, done.stdout
    assert done.stdout.count("\n| an archive, ") == 3, done.stdout


def test_plugins_are_measured() -> None:
    command = [sys.executable, str(ROOT / "bench/plugins.py"), "--messages", "600", "--rounds", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert "| volume, by user | 5 |" in done.stdout


def test_answers_over_rows_are_measured() -> None:
    command = [sys.executable, str(ROOT / "bench/rows.py"), "--rows", "50000", "--requests", "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert "50,000 rows, written in" in done.stdout
