"""`core` works after `pip install nilometer` alone: nothing but the standard library stands behind it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import nilometer

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(nilometer.__file__).parent
FILES = sorted((ROOT / "core").rglob("*.py"))

SAMPLE = """
import os.path
if TYPE_CHECKING:
    import a
else:
    import z
def f():
    from b.c import d
    try:
        from . import e
    except E:
        import g.h
"""


def imported(node: ast.AST) -> Iterator[str]:
    """Yield every module that is imported anywhere below a node, but those for type checkers only."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield "." * node.level + (node.module or "")
    children = (
        node.orelse
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        else ast.iter_child_nodes(node)
    )
    for child in children:
        yield from imported(child)


def allowed(module: str) -> bool:
    return f"{module}.".startswith("nilometer.core.") or module.partition(".")[0] in sys.stdlib_module_names


def test_the_finder_sees_imports_wherever_they_stand() -> None:
    assert list(imported(ast.parse(SAMPLE))) == ["os.path", "z", "b.c", ".", "g.h"]
    assert allowed("os.path")
    assert allowed("nilometer.core.url")
    assert not any(map(allowed, ("nilometer.corelike", "nilometer.cli", "click", "nilometer_native", ".")))


@pytest.mark.parametrize("path", [pytest.param(path, id=str(path.relative_to(ROOT))) for path in FILES])
def test_a_file_imports_the_standard_library_only(path: Path) -> None:
    assert [module for module in imported(ast.parse(path.read_text())) if not allowed(module)] == []


def test_it_can_be_imported_where_nothing_else_is_installed() -> None:
    names = [".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__") for path in FILES]
    program = f"import sys; sys.path.insert(0, {str(ROOT.parent)!r})\n" + "".join(f"import {name}\n" for name in names)
    program += "found = {name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names - {'__main__'}\n"
    program += "print(*sorted(name for name in found if not name.startswith('_sysconfigdata')))"  # each platform has its own
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout) == ("", "nilometer\n")
