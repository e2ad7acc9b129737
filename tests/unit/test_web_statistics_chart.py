"""Charts of statistics over HTTP: every form, what is refused, how many at a time."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from nilometer.testing.statistics import MONDAY, FakeStatistics, sums
from nilometer.testing.statistics_served import Served, served
from nilometer.testing.waiting import PATIENCE
from nilometer.web.statistics import models, routes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.core.statistics import Found

MINUTE = [
    *((MONDAY + 60, "bodhi", 1), (MONDAY + 60, "git", 2), (MONDAY + 60, None, 3)),
    *((MONDAY + 120, "git", 1), (4_102_444_800, "git", 7)),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served() as found:
        yield found


@pytest.fixture
def fake(server: Served) -> FakeStatistics:
    made = FakeStatistics(table={"volume-by-category-1m": sums(MINUTE)})
    server.held[0] = made
    return made


@pytest.mark.usefixtures("fake")
def test_charts_are_answered_in_every_form(server: Served) -> None:
    path = f"/volume-by-category-1m/chart?since={MONDAY}&until={MONDAY + 120}&most=1"
    answer = server.ask(path)
    assert models.Chart.model_validate(answer.json, strict=True)
    assert answer.json["times"] == [MONDAY + 60, MONDAY + 120]
    assert [(each["name"], each["values"]) for each in answer.json["series"]] == [("git", [2, 1]), ("others", [4, 0])]
    assert server.ask(path, if_none_match=answer.headers["etag"]).status == 304
    [total] = server.ask(path + "&by=&key=category=git").json["series"]
    assert (total["key"], total["values"]) == ({}, [2, 1])
    drawn, told = server.ask(path + "&format=svg&width=300&title=%3Cb%3E"), server.ask(path + "&format=csv")
    assert (drawn.headers["content-type"], drawn.text[:4]) == ("image/svg+xml", "<svg")
    assert "sandbox" in drawn.headers["content-security-policy"]
    assert told.text.splitlines()[0] == "timestamp,git,others"


@pytest.mark.usefixtures("fake")
def test_a_chart_is_of_the_newest_windows(server: Served) -> None:
    told = server.ask("/volume-by-category-1m/chart").json
    assert told["group"] == "1m"
    assert len(told["times"]) in (60, 61)
    assert told["times"][-1] - time.time() <= 60


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("?by=categry", "did you mean 'category'?"),
        ("?group=7", "is no window"),
        (f"?since={MONDAY}&until={MONDAY}", "behind until"),
        ("?most=0", "most"),
        ("?format=svg&style=calendar", "a calendar is of days"),
        ("?width=5", "width"),
        ("?since=0&until=253402300799&group=1m", "more than 2000 windows"),
    ],
)
def test_what_cannot_be_drawn_is_said(server: Served, asked: str, told: str) -> None:
    answer = server.ask("/volume-by-category-1m/chart" + asked)
    assert answer.status == 400
    assert told in answer.error


def test_so_many_charts_are_made_at_a_time(server: Served, fake: FakeStatistics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "PATIENCE", 0.01)
    path, started, go_on = "/volume-by-category-1m/chart", threading.Semaphore(0), threading.Event()
    given = fake.rows

    def slow(*arguments: Any, **more: Any) -> Found:  # noqa: ANN401 handed on as they come
        started.release()
        go_on.wait(PATIENCE)
        return given(*arguments, **more)

    monkeypatch.setattr(fake, "rows", slow)
    with ThreadPoolExecutor(routes.AT_A_TIME) as pool:
        charts = [pool.submit(server.ask, path) for _ in range(routes.AT_A_TIME)]
        for _ in charts:
            assert started.acquire(timeout=PATIENCE)
        answer = server.ask(path)
        go_on.set()
        assert (answer.status, answer.error) == (503, "4 charts are being made; try again later")
        assert [each.result().status for each in charts] == [200] * routes.AT_A_TIME
    assert server.ask(path).status == 200
