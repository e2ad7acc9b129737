"""datagrepper: pages of both forms, and what is no page."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from nilometer.backends import registry
from nilometer.core.errors import Unavailable, UrlError
from nilometer.testing.answering import Answering, Reply
from nilometer.testing.archive import RAW, SEARCH, Archive

if TYPE_CHECKING:
    from collections.abc import Iterator

BEGIN = 1_767_571_200


def record(number: int, after: int = 0) -> dict[str, Any]:
    minutes, seconds = divmod(after, 60)
    headers = {
        "fedora_messaging_schema": "base.message",
        "fedora_messaging_severity": 20,
        "sent-at": f"2026-01-05T00:{minutes:02}:{seconds:02}+00:00",
        "fedora_messaging_user_ralph": True,
        "fedora_messaging_rpm_kernel": True,
    }
    topic = "org.fedoraproject.prod.git.receive"
    return {"id": f"id-{number}", "topic": topic, "headers": headers, "body": {"n": number}, "queue": None, "priority": 0}


@pytest.fixture
def archive() -> Iterator[Archive]:
    made = Archive()
    yield made
    made.close()


@pytest.mark.parametrize("form", [SEARCH, RAW])
def test_every_message_is_on_a_page_whatever_the_form(archive: Archive, form: str) -> None:
    archive.add(record(number, number) for number in range(5))
    archive.faults.forms = {form}
    with closing(registry.open(archive.url + "?rows=2", registry.ARCHIVE)) as found:
        pages = [found.read_page(BEGIN + 1, BEGIN + 4, page) for page in (1, 2)]

    assert [(page.total, page.pages, page.bad) for page in pages] == [(4, 2, 0)] * 2
    events = [event for page in pages for event in page.events]
    assert [event.id for event in events] == ["id-1", "id-2", "id-3", "id-4"]
    assert (events[0].time, events[0].type, events[0].payload) == (BEGIN + 1, "org.fedoraproject.prod.git.receive", {"n": 1})
    assert events[0].context["users"] == ["ralph"]
    assert events[0].context["packages"] == ["kernel"]


def test_the_form_that_is_there_is_asked_once_it_is_known(archive: Archive) -> None:
    archive.faults.forms = {RAW}
    with closing(registry.open(archive.url, registry.ARCHIVE)) as found:
        for _ in range(2):
            found.read_page(0, 1, 1)
    assert len(archive.asked) == 3


@pytest.mark.parametrize("suffix", [SEARCH, RAW, RAW + "/"])
def test_a_url_may_name_the_form(archive: Archive, suffix: str) -> None:
    archive.faults.forms = {suffix.rstrip("/")}
    with closing(registry.open(archive.url + suffix, registry.HEALTH)) as found:
        assert suffix.rstrip("/") in found.check()


def test_entries_that_are_no_message_are_counted() -> None:
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    entries = [record(1), {"x": 1}, None, record(2) | {"body": deep}, record(3) | {"id": 7}, record(4)]
    page = {"raw_messages": entries, "total": 6, "pages": 1}
    with (
        Answering(lambda _: Reply(200, page)) as server,
        closing(registry.open(f"datagrepper+http://{server.address}", registry.ARCHIVE)) as found,
    ):
        answer = found.read_page(0, 1, 1)
    assert [event.id for event in answer.events] == ["id-1", "id-4"]
    assert (answer.total, answer.bad) == (6, 4)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(503, b"upstream is away"), "503: upstream is away"),
        (Reply(404, {"error": "not_found"}), "404"),
        (Reply(302, b"", {"Location": "https://elsewhere.example"}), "points to https://elsewhere.example"),
        (Reply(200, b"<html>"), "no datagrepper"),
        (Reply(200, []), "no datagrepper"),
        (Reply(200, {"raw_messages": [], "total": None, "pages": 1}), "no whole numbers"),
        (Reply(200, {"raw_messages": [], "total": 1, "pages": -1}), "no whole numbers"),
    ],
)
def test_what_is_no_page_is_never_taken_for_an_empty_one(reply: Reply, reason: str) -> None:
    with (
        Answering(lambda _: reply) as server,
        closing(registry.open(f"datagrepper+http://{server.address}", registry.ARCHIVE)) as found,
        pytest.raises(Unavailable, match=reason),
    ):
        found.read_page(0, 1, 1)


@pytest.mark.parametrize("wrong", ["://", "://h:0", "://u@h", "://h?rows=101", "://h?rows=0", "://h?timeout=0s"])
def test_a_wrong_url_is_refused(wrong: str) -> None:
    with pytest.raises(UrlError):
        registry.open("datagrepper+http" + wrong, registry.ARCHIVE)
