"""The plugins that come along over 532 messages that Fedora's bus sent in five years.

The messages are those of the fixtures of fedmsg_meta_fedora_infrastructure, with what plugins look at; users and packages are
those that its own tests say. The figures are those that statscache_plugins come to, where these messages do not stop them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from nilometer.statistics import catalog
from nilometer.statistics.authoring import recorded
from nilometer.statistics.authoring.making import tried

FILE = Path(__file__).parents[1] / "data" / "fedmsg_sample.jsonl"
NOW = 1_795_000_000.0


@pytest.mark.parametrize(
    ("ident", "rows", "volume"),
    [
        ("volume-1s", 280, 532),
        ("volume-by-category-1d", 156, 529),
        ("volume-by-topic-1s", 412, 532),
        ("volume-by-user-1s", 244, 350),
        ("volume-by-package-1s", 120, 189),
        ("release-engineering-event-logs", 21, 0),
    ],
)
def test_real_messages_come_to_the_figures_that_statscache_had(ident: str, rows: int, volume: int) -> None:
    found = recorded.read(FILE.read_bytes(), NOW)
    assert (len(found.messages), found.wrong, found.again) == (532, [], 0)
    table = tried(catalog.statistics([ident]), found.messages).tables[ident]
    assert (len(table.rows), sum(int(row.get("volume") or 0) for row in table.rows)) == (rows, volume)
