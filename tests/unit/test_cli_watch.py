"""Watching a file: one answer for each change, when it has settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nilometer.cli.watch import SETTLED, Watch
from nilometer.testing.clock import ManualClock

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "config.js"
    file.write_text("{}")
    return file


def test_a_change_is_told_once_when_it_has_settled(file: Path) -> None:
    clock = ManualClock()
    watch = Watch(file, clock)
    assert not watch.changed()

    file.write_text("{a: 1")
    assert not watch.changed()
    clock.advance(SETTLED / 2)
    file.write_text("{a: 1}")
    assert not watch.changed()
    clock.advance(SETTLED * 2)
    assert watch.changed()
    clock.advance(SETTLED * 2)
    assert not watch.changed()


def test_a_replaced_file_is_waited_for(file: Path) -> None:
    clock = ManualClock()
    watch = Watch(file, clock)
    text = file.read_text()
    file.unlink()
    assert not watch.changed()
    clock.advance(SETTLED * 2)
    assert not watch.changed()

    file.write_text(text + " ")
    watch.changed()
    clock.advance(SETTLED * 2)
    assert watch.changed()


def test_what_is_noted_is_no_change(file: Path) -> None:
    clock = ManualClock()
    watch = Watch(file, clock)
    file.write_text("{a: 2}")
    watch.note()
    clock.advance(SETTLED * 2)
    assert not watch.changed()
