"""The page for authors of plugins names all that there is, and its plugins run."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from nilometer.core.statistics import Message
from nilometer.statistics import kinds
from nilometer.statistics.authoring import rows
from nilometer.statistics.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nilometer.statistics.plugin import Cell

START = 1_767_571_200.0
ORDER = {"shop": "north", "amount": 2.5, "hours": 2}


@pytest.fixture
def text(root: Path) -> str:
    return (root / "docs/howto/statistics-plugins.md").read_text(encoding="utf-8")


def test_every_attribute_and_every_kind_is_documented(text: str) -> None:
    of_plugins = [name for name in Plugin.__annotations__ if name not in {"name", "summary", "description"}]
    of_messages = [field.name for field in fields(Message)]
    named = {name for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert {*of_plugins, *of_messages} - named == set()
    every = {name for name, each in vars(kinds).items() if isinstance(each, type) and issubclass(each, kinds.Keyed)}
    assert every - {"Keyed"} - named == set()


def test_its_plugins_make_rows(text: str, tmp_path: Path) -> None:
    orders = [Message(str(each), START + each, "shop.order.new", ORDER) for each in range(2)]
    rented = Message("3", START + 3600, "rent.end", ORDER, tenant="acme")
    found: dict[str, list[Mapping[str, Cell]]] = {}
    for number, example in enumerate(re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)):
        if "class " in example:
            (tmp_path / f"example{number}.py").write_text(example)
            found |= rows(tmp_path / f"example{number}.py", [*orders, rented])
    assert [ident for ident in found if "turnover" in ident and f"`{ident}`" not in text] == []
    assert [(row["shop"], row["amount"]) for row in found["turnover-by-shop-1d-europe-prague"]] == [("north", 5)]
    assert [(row["hours"], row["euro"]) for row in found["machine-hours-1h"]] == [(1, 0.01), (1, 0.01)]
