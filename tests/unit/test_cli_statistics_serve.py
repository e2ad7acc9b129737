"""What ``nilometer statistics serve`` asks a server for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.cli import serve as serving
from nilometer.cli.statistics.serve import serve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from nilometer.cli.plan import Plan


def planned(monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> Plan:
    plans: list[Plan] = []

    def run(plan: Callable[[], Plan]) -> int:
        plans.append(plan())
        return 0

    monkeypatch.chdir(folder)
    monkeypatch.setattr(serving, "run", run)
    serve.main(list(arguments), standalone_mode=False)
    return plans[0]


def test_a_server_that_counts_nothing_says_what_to_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (warning,) = planned(monkeypatch, tmp_path).warnings
    assert "name one by --bus, such as amqp://localhost" in warning


def test_a_bus_or_an_archive_is_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for named in (("--bus", "amqp://localhost"), ("--archive", "datagrepper+http://localhost/datagrepper")):
        plan = planned(monkeypatch, tmp_path, *named)
        assert (plan.alone, plan.warnings) == (True, ())
