"""The page about Graphite's API names every function, path and bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nilometer.query import browse, limits
from nilometer.query.functions import TABLE
from nilometer.web.graphite import PATHS

if TYPE_CHECKING:
    from pathlib import Path


def test_every_function_path_and_form_is_documented(root: Path) -> None:
    text = (root / "docs/reference/graphite-api.md").read_text(encoding="utf-8")
    assert [name for name in [*TABLE, *PATHS, *browse.FORMATS] if f"`{name}`" not in text] == []


def test_the_bounds_are_documented(root: Path) -> None:
    text = (root / "docs/reference/graphite-api.md").read_text(encoding="utf-8")
    bounds = {name: value for name, value in vars(limits).items() if name.startswith("MOST_")}
    assert [name for name, value in bounds.items() if f"{value:,}" not in text] == []
