"""What a server leaves to its successor: written as a whole, and never in the way of a start."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from nilometer.core.errors import StoreError
from nilometer.ingest.carryover import Carryover, restore, save

if TYPE_CHECKING:
    from pathlib import Path

LEFT = Carryover(1_000_000_010.0, {"load;host=a": 0.1, "größe": -3.5e300, "big": math.inf})


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    save(tmp_path / "left.json", LEFT)

    assert restore(tmp_path / "left.json") == LEFT


def test_without_a_file_nothing_is_left(tmp_path: Path) -> None:
    assert restore(tmp_path / "left.json") == Carryover()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"version": 2}',
        '{"version": 1, "gauges": {"a": "x"}}',
        '{"version": 1, "written": null}',
        "\x00\xff",
        "[" * 9999,
    ],
)
def test_a_broken_file_is_set_aside_and_named(tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "left.json"
    path.write_text(text, "latin1")

    assert restore(path) == Carryover()
    assert not path.exists()
    assert (tmp_path / "left.corrupt").read_text("latin1") == text
    assert str(path) in caplog.text


def test_a_save_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "left.json"
    save(path, LEFT)
    (tmp_path / "left.tmp").mkdir()

    with pytest.raises(StoreError, match=r"left\.json: gauges cannot be kept"):
        save(path, Carryover())
    assert restore(path) == LEFT
