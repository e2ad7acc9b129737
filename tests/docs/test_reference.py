"""The reference is complete: settings, commands, variables, the format of lines, names of metrics."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from nilometer.cli import program, reference
from nilometer.core.naming import Naming
from nilometer.core.record import Flush, Window
from nilometer.core.settings import TABLE
from nilometer.core.wire import render
from nilometer.ingest._reference import ReferenceKernel
from nilometer.ingest.selfmetrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

VARIABLE = re.compile(r"\"(_?(?:NILOMETER|XDG|NO)_[A-Z_]+)\"")
COMPLETION = "_NILOMETER_COMPLETE"
"""Set by completion scripts, never by people."""
DOCUMENTED = {variable.name for variable in reference.VARIABLES} | {setting.environment for setting in TABLE}
METRIC = re.compile(r"`nilometer\.((?:[a-z_]+|<[a-z]+>)(?:\.(?:[a-z_]+|<[a-z]+>))*)`")
OTHER_NAMES = {"toml", "db", "check", "core", "overflow"}
"""What begins with the same prefix and is no metric of a server."""


@pytest.mark.parametrize("name", list(reference.PAGES))
def test_pages_made_from_the_code_are_up_to_date(name: str, root: Path, tmp_path: Path) -> None:
    reference.write(tmp_path)
    made = (root / "docs/reference" / name).read_text(encoding="utf-8")
    assert made == (tmp_path / name).read_text(encoding="utf-8"), reference.MADE


def test_every_setting_is_documented(root: Path) -> None:
    text = (root / "docs/reference/settings.md").read_text(encoding="utf-8")
    for setting in TABLE:
        assert f"### {setting.name}\n\n{setting.help}\n" in text
        assert f"`{setting.environment}`" in text
        assert f"`{setting.flag}`" in text


def test_every_command_is_documented(root: Path) -> None:
    text = (root / "docs/reference/cli.md").read_text(encoding="utf-8")
    assert all(f"## nilometer {name}\n" in text for name in program.COMMANDS)


def variables(files: Iterable[Path]) -> set[str]:
    """Return the variables that files name as a text of their own."""
    return {name for file in files for name in VARIABLE.findall(file.read_text(encoding="utf-8"))}


def test_every_environment_variable_is_documented(root: Path) -> None:
    used = variables(file for file in (root / "src").rglob("*.py") if "testing" not in file.parts)
    assert used >= {"NILOMETER_KERNEL", "NILOMETER_DEBUG"}
    assert used - DOCUMENTED == {COMPLETION}


def test_every_variable_of_the_tests_is_documented(root: Path) -> None:
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(NILOMETER_[A-Z_]+)` \|", text, re.MULTILINE))
    files = [root / "tests/run.py", *(root / "src/nilometer/testing").rglob("*.py"), *(root / "tests/parity").rglob("*.py")]
    assert listed == variables(files) - DOCUMENTED


def test_documents_name_no_other_variable(page: Path) -> None:
    if page.name != "CONTRIBUTING.md":
        assert set(re.findall(r"\bNILOMETER_[A-Z_]+\b", page.read_text(encoding="utf-8"))) <= DOCUMENTED


def test_metrics_that_documents_name_exist(page: Path, root: Path) -> None:
    named = set(METRIC.findall(page.read_text(encoding="utf-8"))) - OTHER_NAMES
    modules = {name for name in named if (root / "src/nilometer" / name.partition(".")[0]).is_dir()}
    assert named - modules <= {metric.name for metric in METRICS}


def test_the_example_of_the_format_is_true(root: Path) -> None:
    text = (root / "docs/reference/statsd.md").read_text(encoding="utf-8").partition("## Example")[2]
    lines, result = re.findall(r"^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    kernel = ReferenceKernel()
    kernel.feed(lines.encode())
    flush = Flush(Window(0, 10, 10), kernel.flush(10.0).blocks)
    assert render.lines(flush, Naming()).decode().replace(" 10\n", "\n") == result


def test_every_statistic_of_timers_is_documented(root: Path) -> None:
    text = (root / "docs/reference/statsd.md").read_text(encoding="utf-8")
    kernel = ReferenceKernel()
    kernel.feed(b"t:1|ms:2|ms")
    (timers,) = kernel.flush(1.0).blocks
    for column in timers.columns:
        assert f"`{column.name.replace('_90', '_P')}`" in text


def test_the_changelog_has_a_place_for_the_next_release(root: Path) -> None:
    assert "\n## Unreleased\n" in (root / "CHANGELOG.md").read_text(encoding="utf-8")
