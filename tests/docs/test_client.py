"""The pages about what an application imports: options and losses are complete, and the examples run."""

from __future__ import annotations

import gc
import re
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest
from tests.docs.test_backends import option_row

from nilometer.emit.client.losses import REASONS
from nilometer.emit.client.options import Options

if TYPE_CHECKING:
    from pathlib import Path

PAGES = ("docs/howto/client.md", "docs/howto/tasks-and-drivers.md")


def text(root: Path, page: str) -> str:
    return (root / page).read_text(encoding="utf-8")


def test_every_option_and_every_loss_stands_in_its_table(root: Path) -> None:
    page = text(root, PAGES[0])
    assert [option_row(field) for field in fields(Options) if option_row(field) not in page] == []
    lost = page.partition("## What is dropped")[2].partition("## ")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", lost, re.MULTILINE)) == REASONS


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.filterwarnings("ignore")
def test_their_examples_run(root: Path, name: str) -> None:
    for example in re.findall(r"^```python\n(.*?)^```$", text(root, name), re.MULTILINE | re.DOTALL):
        exec(compile(example, name, "exec"), {"__name__": "example"})  # noqa: S102 an example of ours
    gc.collect()
