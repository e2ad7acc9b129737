"""Statistics of a real store over HTTP: rows of every kind, pages, keys that are odd."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import registry
from nilometer.core.sketch import Sketch
from nilometer.core.statistics import Latest, Tally
from nilometer.core.statistics.change import Amount
from nilometer.testing.statistics import MONDAY, StoredStatistics
from nilometer.testing.statistics_served import Answer, Served, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nilometer.core.statistics.change import Key


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served() as found:
        yield found


def rows(answer: Answer) -> list[tuple[object, ...]]:
    assert answer.status == 200, answer.text
    return [tuple(row.values()) for row in answer.json["rows"]]


def tallies() -> dict[str, Tally]:
    """Return changes to a statistic of each kind."""
    words = "git", "bodhi", 'žluť,"oučký"', "", None
    minute: dict[tuple[int, Key], Amount] = {
        (MONDAY + 60 * n, (word,)): Amount(n + 1.0, MONDAY + 60.0 * n - 30) for n in range(1, 6) for word in words
    }
    hour: dict[tuple[int, Key], tuple[Sketch, float]] = {
        (MONDAY + 3600 * n, ("git",)): (Sketch([1.0 * n, 5.0]), MONDAY + 3600.0 * n - 1) for n in (1, 2)
    }
    days: dict[tuple[int, Key, str], float] = {
        (MONDAY - 3600 + 86_400 * n, (), who): MONDAY + 86_400.0 * n for n in (0, 1) for who in "abc"[: n + 2]
    }
    latest = Latest(MONDAY + 5.5, ("compose", None), '{"a": 1}', "id"), Latest(MONDAY, ("x", "y"), "t", "i")
    last: dict[Key, Latest] = {each.key: each for each in latest}
    return {
        "volume-by-category-1m": Tally(sums=minute),
        "delivery-delay-1h": Tally(sketches=hour),
        "users-1d-europe-prague": Tally(members=days),
        "release-log": Tally(latest=last),
    }


def test_rows_of_a_real_store_are_answered(server: Served, tmp_path: Path) -> None:
    with closing(registry.open(f"sqlite:///{tmp_path}/statistics.db", registry.STATISTICS)) as store:
        server.held[0] = StoredStatistics(store)
        assert store.apply(tallies(), 0, 1)
        asked, found, pages = "?limit=7", list[tuple[object, ...]](), 0
        while asked:
            answer = server.ask("/volume-by-category-1m" + asked)
            found, pages = found + rows(answer), pages + 1
            asked = answer.headers.get("link", "<>").partition("<")[2].partition(">")[0]
        assert (len(found), len(set(found)), pages) == (25, 25, 4)
        assert [row[0] for row in found] == sorted((float(str(row[0])) for row in found), reverse=True)
        assert [row[-1] for row in rows(server.ask("/volume-by-category-1m?key=category&order=asc"))] == [2, 3, 4, 5, 6]
        assert [row[-1] for row in rows(server.ask("/volume-by-category-1m?key=category="))] == [6, 5, 4, 3, 2]
        assert len(rows(server.ask("/volume-by-category-1m?top=2"))) == 10
        assert rows(server.ask("/release-log")) == [(MONDAY + 5.5, "compose", None, '{"a": 1}'), (MONDAY, "x", "y", "t")]
        assert rows(server.ask("/users-1d-europe-prague?order=asc")) == [(MONDAY - 3600, 2), (MONDAY + 82_800, 3)]
        [late, _] = server.ask("/delivery-delay-1h").json["rows"]
        assert (late["timestamp"], late["count"], late["lower"], late["upper"]) == (MONDAY + 7200, 2, 2, 5)
        drawn = server.ask(f"/volume-by-category-1m/chart?since={MONDAY}&until={MONDAY + 300}&group=5m&most=1").json
        assert [each["values"] for each in drawn["series"]] == [[20], [80]]
        assert server.ask("/volume-by-category-1m?cursor=zz").status == 400
