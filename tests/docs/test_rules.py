"""The examples of rules do what the page says: each block of lines is fed by the settings that stand above it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from nilometer.core.settings import load
from nilometer.ingest.aggregate import rules
from nilometer.testing import kernels

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "docs/howto/rules.md"
PAIR = re.compile(r"^```toml\n(.*?)^```\n\n```rules\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"(\S+) +is (.*)")


@pytest.mark.parametrize("kernel", kernels.NAMES)
def test_lines_become_what_the_page_says(kernel: str, root: Path, tmp_path: Path) -> None:
    pairs = PAIR.findall((root / PAGE).read_text(encoding="utf-8"))
    assert len(pairs) == (root / PAGE).read_text(encoding="utf-8").count("```rules")
    for number, (settings, lines) in enumerate(pairs):
        file = tmp_path / f"{number}.toml"
        file.write_text(settings, encoding="utf-8")
        made = kernels.make(kernel)
        made.configure(rules(load(file, {})))
        for line, becomes in LINE.findall(lines):
            made.feed(f"{line}\n".encode())
            aggregates = made.flush(10)
            seen = [f"{path} {text}" for path, text in kernels.text_of(aggregates).items()]
            dropped = ["is dropped"] * aggregates.tally.dropped_by_rules
            assert (f"is {becomes}" in dropped) or (becomes in seen), (line, seen)
        assert len(LINE.findall(lines)) == len(lines.splitlines())
