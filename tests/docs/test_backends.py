"""The page of backends is complete: every scheme with what it can do, every option with its default, every example opens."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import registry
from nilometer.core import url as urls
from nilometer.core.quantity import Duration, Rollup, Size, written

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

PAGE = "docs/reference/backends.md"
NAMES = ("SCHEMES", "URL_EXAMPLES", "EXTRA", "Options", "open")
MODULES = [(scheme, module) for scheme in registry.TABLE for module in registry.modules(scheme)]
EXAMPLES = [(module, example) for _, module in MODULES for example in module.URL_EXAMPLES]


@pytest.fixture
def text(root: Path) -> str:
    return (root / PAGE).read_text(encoding="utf-8")


def scheme_row(scheme: str) -> str:
    entry = registry.find(scheme)
    extra = f"`{entry.extra}`" if entry.extra else "–"
    return f"| `{scheme}` | {entry.summary} | {', '.join(entry.factories)} | {extra} |"


def option_row(field: dataclasses.Field[object]) -> str:
    text = field.metadata["help"].replace("|", "\\|")
    return f"| `{field.name}` | {shown(field.default)} | {text} |"


def shown(value: object) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, Duration | Size | Rollup):
        return f"`{written(value)}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def section(text: str, scheme: str) -> str:
    """Return the part of the page below the heading that names a scheme."""
    parts = text.split("\n## ")
    return next((part for part in parts if f"`{scheme}`" in part.partition("\n")[0]), "")


@pytest.mark.parametrize("scheme", list(registry.TABLE))
def test_every_scheme_is_documented(scheme: str, text: str) -> None:
    assert scheme_row(scheme) in text
    assert section(text, scheme)


@pytest.mark.parametrize(("scheme", "module"), MODULES)
def test_every_option_is_documented(scheme: str, module: ModuleType, text: str) -> None:
    part = section(text, scheme)
    missing = [row for row in map(option_row, dataclasses.fields(module.Options)) if row not in part]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("scheme", list(registry.TABLE))
def test_no_option_is_documented_that_does_not_exist(scheme: str, text: str) -> None:
    known = {field.name for module in registry.modules(scheme) for field in dataclasses.fields(module.Options)}
    rows = [line.split("|")[1].strip() for line in section(text, scheme).splitlines() if line.startswith("| `")]
    assert {row.strip("`") for row in rows if row.startswith("`")} <= known


@pytest.mark.parametrize(("scheme", "module"), MODULES)
def test_every_example_is_documented(scheme: str, module: ModuleType, text: str) -> None:
    part = section(text, scheme)
    assert all(f"`{example}`" in part or f"{example}\n" in part for example in module.URL_EXAMPLES)


@pytest.mark.parametrize(("scheme", "module"), MODULES)
def test_a_module_has_the_names_that_every_backend_has(scheme: str, module: ModuleType) -> None:
    assert all(hasattr(module, name) for name in NAMES)
    assert scheme in module.SCHEMES
    assert module.EXTRA in ("", registry.find(scheme).extra)
    assert set(module.SCHEMES) <= set(registry.TABLE)


@pytest.mark.parametrize(("module", "example"), EXAMPLES)
def test_every_example_is_a_url_of_its_backend(module: ModuleType, example: str) -> None:
    parsed = urls.parse(example)
    assert parsed.scheme in module.SCHEMES
    assert isinstance(parsed.options(module.Options), module.Options)
