"""The table of what servers let see is the one that the tests over real servers go by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.testing.apps import sight
from nilometer.testing.apps.kinds import KINDS

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "docs/reference/request-metrics.md"


def test_the_page_says_what_the_tests_expect(root: Path) -> None:
    lines = (root / PAGE).read_text(encoding="utf-8").split("\n")
    head = lines.index(f"| | {' | '.join(sight.SIGHTS)} |")
    assert lines[head + 2 : head + 2 + len(KINDS)] == sight.table()
    assert not lines[head + 2 + len(KINDS)]
