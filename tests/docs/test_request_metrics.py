"""The page about request metrics names every metric and every option, and its examples run."""

from __future__ import annotations

import re
import sys
from dataclasses import fields
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from nilometer.emit.requests.backlog import SERIES
from nilometer.emit.requests.names import METRICS
from nilometer.emit.requests.options import Options

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "docs/howto/request-metrics.md"


@pytest.fixture
def text(root: Path) -> str:
    return (root / PAGE).read_text(encoding="utf-8")


def test_every_metric_stands_in_the_table_in_order(text: str) -> None:
    found = [tuple(cell.strip(" `") for cell in row.split("|")[1:-1]) for row in text.splitlines() if row.startswith("| `")]
    wanted = [(each.name, each.kind, each.measure, each.unit, each.when.replace("`", "")) for each in METRICS]
    assert [tuple(cell.replace("`", "") for cell in row) for row in found if len(row) == 5] == wanted
    assert [row for row in found if len(row) == 4] == [tuple(each) for each in SERIES]


def test_every_option_stands_in_the_table_in_order(text: str) -> None:
    table = text.partition("## All options")[2].partition("## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [field.name for field in fields(Options)]


@pytest.mark.filterwarnings("ignore")
def test_its_examples_run(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = ModuleType("shop.settings")
    monkeypatch.setattr(shop, "SECRET_KEY", "-", raising=False)
    monkeypatch.setitem(sys.modules, "shop", ModuleType("shop"))
    monkeypatch.setitem(sys.modules, "shop.settings", shop)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shop.settings")
    examples = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    for example in examples:
        names: dict[str, object] = {"__name__": "example"}
        exec(compile(example, PAGE, "exec"), names)  # noqa: S102 an example of ours
        assert names.keys() & {"app", "application", "create"}
    assert len(examples) == 6
