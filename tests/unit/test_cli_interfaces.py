"""What the interfaces say about themselves at the start."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from nilometer.cli import interfaces
from nilometer.core import settings as table
from nilometer.ingest._reference import ReferenceKernel
from nilometer.testing.control import control
from nilometer.web.parts import Parts

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("bound", "opened"),
    [("0.0.0.0:8127", "localhost:8127"), ("[::]:80", "localhost:80"), ("127.0.0.1:1", "127.0.0.1:1"), ("[::1]:2", "[::1]:2")],
)
def test_the_page_is_named_by_an_address_that_a_browser_can_open(bound: str, opened: str) -> None:
    assert interfaces._here(bound) == opened


def test_what_was_made_for_answers_is_not_looked_through_for_garbage(tmp_path: Path) -> None:
    before = gc.get_freeze_count()
    web = interfaces._web(table.load(None, {"HOME": str(tmp_path)}), Parts(control(ReferenceKernel())))
    try:
        web._make()
        assert gc.get_freeze_count() > before + 10_000
    finally:
        gc.unfreeze()
