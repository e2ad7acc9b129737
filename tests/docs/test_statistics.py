"""The page about statistics names every plugin that comes along, with its windows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nilometer.statistics import catalog
from nilometer.statistics.plugins import PLUGINS
from nilometer.statistics.plugins.forges import FORGES

if TYPE_CHECKING:
    from pathlib import Path

ROW = re.compile(r"^\| `([\w.-]+)` \| ([^|]+) \| ", re.MULTILINE)


def test_every_plugin_stands_in_the_table_with_its_windows(root: Path) -> None:
    page = (root / "docs/howto/statistics.md").read_text(encoding="utf-8")
    rows = ROW.findall(page.partition("## What is counted")[2].partition("\n## ")[0])
    told = {(name.replace("FORGE", forge), windows) for name, windows in rows for forge in FORGES}
    statistics = [plugin().statistics() for plugin in PLUGINS]
    assert told == {
        (catalog.family(found[0]), " ".join(each.window.ident[1:] for each in found) or "–") for found in statistics
    }
