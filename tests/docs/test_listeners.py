"""The page of listeners is complete: every scheme with an example, every option as the code declares it, and no other."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from nilometer.core.setting import text as as_text
from nilometer.ingest.listener_urls import OPTIONS, TlsPeerOptions

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def page_text(root: Path) -> str:
    return (root / "docs/reference/listeners.md").read_text(encoding="utf-8")


def declared() -> dict[str, str]:
    """Return the row of each option, by its name."""
    fields = {field.name: field for kind in OPTIONS.values() for field in dataclasses.fields(kind)}
    return {name: row(field) for name, field in fields.items()}


def row(field: dataclasses.Field[object]) -> str:
    schemes = [scheme for scheme, kind in OPTIONS.items() if field.name in {each.name for each in dataclasses.fields(kind)}]
    return f"| `{field.name}` | {', '.join(schemes)} | {shown(field)} | {field.metadata['help']} |"


def shown(field: dataclasses.Field[object]) -> str:
    return f"`{as_text(field.default)}`" if field.default != "" else "–"


def test_the_table_of_options_is_what_the_code_declares(page_text: str) -> None:
    table = page_text.partition("\n## Options\n")[2]
    assert [line for line in table.splitlines() if line.startswith("| `")] == list(declared().values())


def test_the_options_of_who_sends_are_those_that_the_code_declares(page_text: str) -> None:
    table = page_text.partition("\n## To send over TLS\n")[2].partition("\n## ")[0]
    fields = [field for field in dataclasses.fields(TlsPeerOptions) if field.name not in declared()]
    expected = [f"| `{each.name}` | {shown(each)} | {each.metadata['help']} |" for each in fields]
    assert [line for line in table.splitlines() if line.startswith("| `")] == expected


def test_an_option_of_several_schemes_means_the_same_in_each() -> None:
    fields = [field for kind in OPTIONS.values() for field in dataclasses.fields(kind)]
    told = {(field.name, repr(field.default), field.metadata["help"]) for field in fields}
    assert len(told) == len(declared())


@pytest.mark.parametrize("scheme", list(OPTIONS))
def test_every_scheme_is_documented(scheme: str, page_text: str) -> None:
    assert f"| `{scheme}://" in page_text
