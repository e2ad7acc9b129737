"""Gaps filled over HTTP from a server that answers as datagrepper does, into a database; also by processes that are killed."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from nilometer.backends import registry
from nilometer.cli.main import main
from nilometer.core.losses import Losses
from nilometer.core.statistics.coverage import DAY, HOUR, Span, gaps
from nilometer.statistics.filler.backfill import backfill
from nilometer.statistics.filler.filler import ArchiveFiller, Options
from nilometer.testing.archive import Archive
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nilometer.core.capability import StatisticsStore

NOW = int(time.time())
FILLER = f"""
import sys
from nilometer.backends import registry
from nilometer.core.losses import Losses
from nilometer.statistics.filler.filler import ArchiveFiller, Options
from nilometer.testing.waiting import until
archive, store = registry.open(sys.argv[1], registry.ARCHIVE), registry.open(sys.argv[2], registry.STATISTICS)
options = Options({NOW - 400 * DAY}, retention={14 * DAY})
filler = ArchiveFiller("archive", archive, store, options, Losses(), consumed=lambda: None, told=lambda: None)
filler.start()
until(lambda: not filler.status().missing, "all is here", 120)
"""


def record(number: int, sent: float) -> dict[str, Any]:
    """Return a message as fedora-messaging records it."""
    at = datetime.fromtimestamp(sent, UTC).isoformat()
    headers = {"fedora_messaging_schema": "base.message", "fedora_messaging_severity": 20, "sent-at": at}
    about = {"id": str(uuid.UUID(int=number)), "topic": "org.example.prod.git.receive", "body": {"n": number}}
    return about | {"headers": headers, "queue": None, "priority": 0}


@pytest.fixture
def archive() -> Iterator[Archive]:
    with contextlib.closing(Archive()) as found:
        yield found


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'statistics.db'}"


@pytest.fixture
def store(url: str) -> Iterator[StatisticsStore]:
    with contextlib.closing(registry.open(url, registry.STATISTICS)) as found:
        yield found


def numbers(store: StatisticsStore) -> list[int]:
    """Return which messages are in the inbox."""
    return sorted(message.body["n"] for message in store.read_inbox(0, 100_000))


def test_all_that_an_archive_with_faults_has_is_in_the_inbox_once(archive: Archive, store: StatisticsStore) -> None:
    archive.add(record(number, NOW - 300 * DAY + number // 10) for number in range(700))
    archive.add(record(number, NOW - HOUR + number) for number in range(700, 750))
    archive.faults.skipping, archive.faults.repeating, archive.faults.failing = 4, 3, 2
    options = Options(NOW - 400 * DAY, retention=14 * DAY)
    opened = registry.open(archive.url, registry.ARCHIVE)
    filler = ArchiveFiller("archive", opened, store, options, Losses(), consumed=lambda: None, told=lambda: None)
    filler.start()
    until(lambda: not filler.status().missing, "all is here")
    filler.close(30)
    assert numbers(store) == list(range(750))
    assert all(message.archived for message in store.read_inbox(0, 9))
    assert gaps(store.covered("archive"), options.since, NOW - HOUR) == []

    asked = len(archive.asked)
    opened = registry.open(archive.url, registry.ARCHIVE)
    with contextlib.closing(opened):
        span = Span(NOW - 300 * DAY, NOW - 299 * DAY)
        done = backfill("archive", opened, store, span, options, Losses(), told=lambda _: None)
    assert (done.new, done.missing, len(archive.asked) > asked) == (0, 0, True)
    assert done.known >= 700
    assert len(numbers(store)) == 750


@pytest.mark.slow
def test_what_killed_fillers_left_is_filled_and_nothing_comes_twice(archive: Archive, store: StatisticsStore, url: str) -> None:
    archive.add(record(number, NOW - 300 * DAY + number * 60) for number in range(3000))
    store.inbox()
    for round_ in range(4):
        before = len(archive.asked)
        archive.faults.skipping, archive.faults.repeating = round_, round_
        with subprocess.Popen([sys.executable, "-c", FILLER, archive.url, url]) as filler:
            until(lambda before=before, more=7 * round_: len(archive.asked) > before + more, "it asks")  # type: ignore[misc]  # of a loop
            filler.kill()
    subprocess.run([sys.executable, "-c", FILLER, archive.url, url], check=True, timeout=150)
    assert numbers(store) == list(range(3000))


def test_a_time_is_filled_by_hand_and_twice_changes_nothing(
    archive: Archive, store: StatisticsStore, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def printed(*arguments: str) -> str:
        assert main(["statistics", "backfill", "--store", url, *arguments]) == 0
        return capsys.readouterr().out

    begin = NOW - 300 * DAY
    archive.add(record(number, begin + number) for number in range(300))
    archive.faults.failing = 1
    day = ("--archive", archive.url, "--from", f"{begin:.0f}", "--to", f"{begin + 99:.0f}")
    assert printed(*day).startswith(f"{archive.url}: 100 new, ")
    assert printed(*day) == f"{archive.url}: 0 new, 100 known, 0 no message, 0 never came\n"
    assert numbers(store) == list(range(100))
    assert [span[:2] for span in store.covered(archive.url)] == [(begin, begin + 99)]

    wrong = {("--from", "1d", "--to", "2d"): "--from does not lie before --to", ("--from", "1d"): "no archive to ask"}
    for arguments, said in wrong.items():
        assert main(["statistics", "backfill", "--store", url, *arguments]) == 2
        assert said in capsys.readouterr().err
