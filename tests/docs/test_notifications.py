"""The pages about events: types, options and losses are complete, and the examples run."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest
from tests.docs.test_backends import option_row

from nilometer.core.event_types import TABLE_SERVICE, DataItemPayload, EventType, TablePayload, TableUsagePayload
from nilometer.emit.notifier.losses import REASONS
from nilometer.emit.notifier.options import Options

if TYPE_CHECKING:
    from pathlib import Path

HOWTO, TYPES = "docs/howto/notifications.md", "docs/reference/event-types.md"


def text(root: Path, page: str) -> str:
    return (root / page).read_text(encoding="utf-8")


def row(each: EventType) -> str:
    usage = f"{each.usage}, by `{each.amount}`" if each.usage else "–"
    assert each.payload is not None
    name = each.payload.__name__
    return f"| `{each.name}` | {each.help} | {each.priority} | {usage} | `{name}` | {'on' if each.enabled else 'off'} |"


def test_every_type_stands_in_the_table_in_order(root: Path) -> None:
    assert "\n".join(map(row, TABLE_SERVICE)) in text(root, TYPES)


@pytest.mark.parametrize("payload", [TablePayload, TableUsagePayload, DataItemPayload])
def test_every_payload_is_listed_with_its_fields(root: Path, payload: type) -> None:
    names = ", ".join(f"`{field.name}`" for field in fields(payload))
    assert f"| `{payload.__name__}` | {names} |" in text(root, TYPES)


def test_every_field_of_a_type_is_listed(root: Path) -> None:
    page = text(root, TYPES).partition("## Your own")[2]
    assert tuple(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == tuple(field.name for field in fields(EventType))


def test_every_option_and_every_loss_stands_in_its_table(root: Path) -> None:
    page = text(root, HOWTO)
    assert [option_row(field) for field in fields(Options) if option_row(field) not in page] == []
    lost = page.partition("### What is dropped")[2].partition("## ")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", lost, re.MULTILINE)) == REASONS


@pytest.mark.parametrize("name", [HOWTO, TYPES])
def test_their_examples_run(root: Path, name: str) -> None:
    for example in re.findall(r"^```python\n(.*?)^```$", text(root, name), re.MULTILINE | re.DOTALL):
        exec(compile(example, name, "exec"), {"__name__": "example"})  # noqa: S102 an example of ours
