"""The traffic of the demonstration: what it asks succeeds or fails as it is meant to, steadily, in bursts, hardly at all."""

from __future__ import annotations

import random
from collections import Counter
from http.client import HTTPException
from itertools import accumulate, takewhile
from threading import Event
from typing import TYPE_CHECKING

from nilometer.testing.waiting import until
from tableservice.traffic import churn, visits
from tableservice.traffic import client as clients
from tableservice.traffic.pace import gaps
from tableservice.traffic.visits import KINDS, Visitor

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from tests.contract.tableservice.conftest import Client

MEANT: dict[Callable[[Visitor], None], set[int]] = {
    **{kind: {200} for kind in KINDS},
    visits.put_again: {200, 400},  # it fails where the item is there already
    visits.mistake_table: {404},
    visits.mistake_type: {400},
    visits.mistake_address: {404},
    visits.leave: set(),
}
CHANCE = random.Random(1)  # noqa: S311 the same traffic each time


class Direct(clients.Client):
    """Asks without a connection, and notes what came back."""

    def __init__(self, service: Client) -> None:
        super().__init__("http://127.0.0.1:1")
        self.service, self.statuses = service, list[int]()

    def ask(self, method: str, path: str, body: object = None, *, slowly: bool = False) -> clients.Answer:
        del slowly
        answer = self.service.ask(path, body, method)
        self.statuses.append(answer.status)
        return clients.Answer(answer.status, answer.json)

    def leave(self, path: str, body: object) -> None:
        self.service.ask(path, body)


def test_every_kind_of_request_succeeds_or_fails_as_it_is_meant_to(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "PROJECTS", {client.project: 1})
    monkeypatch.setattr(churn, "PROJECTS", {client.project: 1})
    direct = Direct(client)
    churn.prepare(direct, Event())
    visitor = Visitor(direct, CHANCE, client.project)
    for kind, meant in MEANT.items():
        direct.statuses.clear()
        kind(visitor)
        assert set(direct.statuses) <= meant, kind
        assert len(direct.statuses) == bool(meant), kind


def test_a_table_comes_and_goes(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(churn, "PROJECTS", {client.project: 1})
    monkeypatch.setattr(churn, "LIFE", 0)
    ended = Event()
    monkeypatch.setattr(churn, "REST", 0)
    direct = Direct(client)

    def ask(method: str, path: str, body: object = None, *, slowly: bool = False) -> clients.Answer:
        if method == "DELETE":
            ended.set()
        return Direct.ask(direct, method, path, body, slowly=slowly)

    monkeypatch.setattr(direct, "ask", ask)
    churn.come_and_go(direct, ended)
    until(lambda: client.status("report-1") == "gone", "the table is deleted")
    assert direct.statuses[-1] == 200


def test_a_service_that_fails_at_first_is_asked_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(churn, "PROJECTS", {client.project: 1})
    direct, failures = Direct(client), [ConnectionRefusedError(), HTTPException()]

    def ask(method: str, path: str, body: object = None, *, slowly: bool = False) -> clients.Answer:
        if failures:
            raise failures.pop()
        return Direct.ask(direct, method, path, body, slowly=slowly)

    monkeypatch.setattr(direct, "ask", ask)
    churn.prepare(direct, Event())
    assert client.status("orders") == "ACTIVE"


def test_requests_come_steadily_in_bursts_and_hardly_at_all() -> None:
    seconds = 600
    moments = takewhile(lambda moment: moment < seconds, accumulate(gaps(20, CHANCE)))
    each = Counter(int(moment) for moment in moments)
    counts = [each[second] for second in range(seconds)]
    assert 15 < sum(counts) / seconds < 45
    assert sum(count > 60 for count in counts) > 20
    assert sum(count < 8 for count in counts) > 60
