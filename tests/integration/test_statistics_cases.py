"""What a replacement of statscache must do, case by case, asked of the real program over a real RabbitMQ."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import threading
import time
import uuid
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from nilometer.core import url as urls
from nilometer.testing.archive import Archive
from nilometer.testing.ports import free_port
from nilometer.testing.postgresql import postgresql
from nilometer.testing.proxy import Proxy
from nilometer.testing.serving import PROGRAM
from nilometer.testing.statistics_messages import BEGIN, made, many, sets
from nilometer.testing.statistics_program import Answer, Bus, Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nilometer.testing.rabbitmq import RabbitMQ

DATA = json.loads((Path(__file__).parents[1] / "data" / "statistics_cases.json").read_text("utf-8"))
messages_of = sets(DATA["message_sets"])
EACH = ("volume", "volume-by-category", "volume-by-topic")
FAST = (
    "volume-by-user-5s over set A",
    "three syncs of one repository",
    "archive unreachable at start",
    "one plugin raises on every message",
)
"""How the titles of those begin that run among the fast tests."""
ON_POSTGRESQL = (
    "database refuses for 20 s",
    "volume-by-user-5s over set A",
    "an older start arriving after the complete",
    "pages of 3 over 19 rows",
    "archive answers 503 to page 3",
    "one plugin raises on every message",
    "20,000 messages waiting",
)
"""Of those that are asked of PostgreSQL, too; a file of SQLite cannot be away."""
RAISES = """
from nilometer.core.statistics import Add
from nilometer.statistics.plugin import Plugin


class Raises(Plugin):
    name = "raises"
    summary = description = "raises on every message"

    def process(self, message):
        {body}
"""
NULLS = Path(__file__).parents[1] / "data" / "plugins" / "nulls.py"
"""A plugin whose rows have a key that is null."""


class Case:
    """One case: its steps, one after the other, and what came of them."""

    proxy: Proxy | None = None
    """In front of the database."""

    def __init__(self, broker: RabbitMQ, store: str, folder: Path) -> None:
        self.bus, self.store, self.folder = Bus(broker), store, folder
        self.archive: Archive | None = None
        self.program: Program | None = None
        self.answers: list[Answer] = []
        self.published, self.archived, self.copies, self.sums = 0, 0, False, list[float]()
        self.extra = folder / "raises.py"

    def close(self) -> None:
        if self.program is not None:
            self.program.serving.kill()
        if self.archive is not None:
            self.archive.close()
        self.bus.close()

    def run(self, steps: Iterable[dict[str, Any]]) -> None:
        for step in steps:
            getattr(self, "archive_state" if step["do"] == "archive" else step["do"])(step)

    @property
    def running(self) -> Program:
        assert self.program is not None
        return self.program

    # -- the steps -----------------------------------------------------------------------------------------------------

    def start(self, step: dict[str, Any]) -> None:
        if step["db"] == "keep":
            self.running.start()
            return
        self.program = Program(self.bus, self.store, self.folder / "state", *self._arguments(step))

    def _arguments(self, step: dict[str, Any]) -> list[str]:
        found: list[str] = []
        if "archive" in step:
            found += ["--archive", self._archived(step["archive"])]
        if self.archive is not None and (faults := step.get("archive_faults")):
            self.archive.faults.page, self.archive.faults.status = faults["page"], faults["status"]
            self.archive.faults.failing = faults["times"]
        if "config" in step:
            found += ["--statistics-window", f"{step['config']['backfill_window_s']}s"]
        for ident, changed in step.get("plugin_overrides", {}).items():
            name = re.sub(r"-\d+[smhd]$", "", ident)
            found += ["--plugins", ident, "--statistics-backlog", f"{name}={changed['backlog_delta_s']}s"]
        if step.get("extra_plugin") == "raises":
            self.extra.write_text(RAISES.replace("{body}", 'raise ValueError("as told")'))
            found += ["--plugins", f"all,{self.extra}"]
        return found

    def _archived(self, what: str) -> str:
        if what == "down":
            self.port = free_port()
            return f"datagrepper+http://127.0.0.1:{self.port}/datagrepper"
        self.archive, self.copies = Archive(), what == "live copy"
        kinds: dict[str, Callable[[], list[dict[str, Any]]]] = {
            "samples.json#datagrepper_raw_response_2017": lambda: DATA["page_of_2017"],
            "720 messages": lambda: many(720, 10),
            "720 messages over 2 h": lambda: many(720, 10, time.time() // 1 - 7200),
            "100 messages, 10 at each of 10 consecutive seconds": lambda: [made(n, BEGIN + n // 10) for n in range(100)],
            "G": lambda: messages_of("G"),
        }
        self.archive.add(kinds.get(what, list)())
        self.archived = 0 if what == "720 messages over 2 h" else len(self.archive)  # of those, half are wanted
        return self.archive.url

    def publish(self, step: dict[str, Any]) -> None:
        found = messages_of(step["set"])
        if "only" in step:
            found = [found[number] for number in step["only"]]
        if self.copies and self.archive is not None:
            self.archive.add(found)
        if step.get("queue", "").startswith("deleted"):
            self.bus.forget()
        self.bus.publish(found)
        self.published += len({message["id"] for message in found})

    def publish_gen(self, step: dict[str, Any]) -> None:
        found = many(step["n"], step.get("spacing_s", 1))
        rate = step.get("rate_per_s", 0)
        if not rate:
            self.publish_all(found)
            return

        def slowly() -> None:
            for number in range(0, len(found), rate // 10):
                self.bus.publish(found[number : number + rate // 10])
                time.sleep(0.1)

        self.published += len(found)
        self.publisher = threading.Thread(target=slowly)
        self.publisher.start()

    def publish_all(self, found: list[dict[str, Any]]) -> None:
        self.bus.publish(found)
        self.published += len(found)

    def publish_one(self, step: dict[str, Any]) -> None:
        found = made(0, step["sent_at"], step["topic"], f"case/one{step['sent_at']}")
        if self.copies and self.archive is not None:
            self.archive.add([found])
        self.publish_all([found])

    def settle(self, _: dict[str, Any]) -> None:
        self.running.settle(max(self.published, self.archived), filled=self.archive is not None)

    def http(self, step: dict[str, Any]) -> None:
        self.path = step["path"]
        self.answers.append(self.running.ask(step["path"], step["headers"]["Accept"]))

    def restart(self, step: dict[str, Any]) -> None:
        self.stop(step)
        self.running.start()

    def stop(self, _: dict[str, Any]) -> None:
        assert self.running.stop() == 0

    def db(self, step: dict[str, Any]) -> None:
        assert self.proxy is not None
        (self.proxy.leave if step["state"] == "down" else self.proxy.come_back)()

    def sleep(self, step: dict[str, Any]) -> None:
        time.sleep(step["s"] / 5)  # what is waited for comes sooner

    def archive_state(self, step: dict[str, Any]) -> None:
        assert step["state"] == "up"
        self.archive = Archive(self.port)
        self.archive.add(messages_of(step["content"]))
        self.published += len(messages_of(step["content"]))

    def cli(self, step: dict[str, Any]) -> None:
        words = step["command"].replace("B+300", str(BEGIN + 300)).replace("B ", f"{BEGIN} ").split()
        assert self.archive is not None
        done = subprocess.run(
            [*PROGRAM, "statistics", *words, "--store", self.store, "--archive", self.archive.url],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert " 0 new" in done.stdout

    def plugin_row(self, _: dict[str, Any]) -> None:
        assert self.running.stop() == 0
        self.program = Program(self.bus, self.store + ".other", self.folder / "state", "--plugins", str(NULLS))
        self.publish_all(many(1))
        self.program.settle(1)

    def poll(self, step: dict[str, Any]) -> None:
        path = step["path"].replace("now+172800", str(int(time.time()) + 172_800))
        while self.publisher.is_alive():
            self.sums.append(sum(row["volume"] for row in self.running.rows(path)))
            time.sleep(step["every_s"])
        self.publisher.join()
        self.running.settle(self.published)
        self.sums.append(sum(row["volume"] for row in self.running.rows(path)))

    # -- what is expected ----------------------------------------------------------------------------------------------

    def check(self, expected: dict[str, Any]) -> None:
        as_json = expected.pop("message_compared_as_json", False)
        numbers = expected.pop("X-Link-Number", None)
        assert numbers is None or [answer.headers["x-link-number"] for answer in self.answers] == numbers
        for name, value in expected.items():
            if name == "json":
                found = self.answers[-1].json
                assert _unpacked(found, as_json) == _unpacked(value, as_json)
            else:
                getattr(self, f"check_{name}")(value)

    def check_status(self, value: int) -> None:
        assert self.answers[-1].status == value

    def check_statuses(self, value: list[int]) -> None:
        assert [answer.status for answer in self.answers] == value

    def check_json_rows_equal_ignoring_order_within_timestamp(self, value: list[dict[str, Any]]) -> None:
        _in_order(self.answers[-1].json, value)

    def check_concatenation_equals_ignoring_order_within_timestamp(self, value: list[dict[str, Any]]) -> None:
        _in_order([row for answer in self.answers for row in answer.json], value)

    def check_bodies(self, value: list[list[dict[str, Any]]]) -> None:
        assert [_sorted(answer.json) for answer in self.answers] == [_sorted(rows) for rows in value]

    def check_content_type(self, value: str) -> None:
        assert all(answer.headers["content-type"].partition(";")[0] == value for answer in self.answers)

    def check_body_contains(self, value: str) -> None:
        assert value in self.answers[-1].text

    def check_body_matches(self, value: str) -> None:
        assert all(re.fullmatch(value.strip("^$"), answer.text, re.DOTALL) for answer in self.answers)

    def check_headers(self, value: dict[str, str]) -> None:
        assert {name: self.answers[-1].headers[name.lower()] for name in value} == value

    def check_each_header(self, value: dict[str, str]) -> None:
        for answer in self.answers:
            assert {name: answer.headers[name.lower()] for name in value} == value

    def check_sizes(self, value: list[int]) -> None:
        assert [len(answer.json) for answer in self.answers] == value

    def check_csv_cell(self, value: str) -> None:
        [row] = csv.DictReader(io.StringIO(self.answers[-1].text))
        assert row["category_constraint"] == value

    def check_third_location(self, value: str) -> None:
        assert self.answers[2].headers["location"].endswith(value)

    def check_sum_of_volume(self, value: int) -> None:
        assert sum(row["volume"] for row in self.answers[-1].json) == value
        if self.extra.exists():
            self._broken_plugin_catches_up(value)

    def _broken_plugin_catches_up(self, messages: int) -> None:
        [stopped] = [each for each in self._listed() if each["state"] == "stopped"]
        assert (stopped["ident"], "as told" in stopped["error"]) == ("raises", True)
        assert self.running.stop() == 0
        self.extra.write_text(RAISES.replace("{body}", "return [Add(message.time, ())]"))
        self.running.start()
        self.running.settle()
        assert [row["volume"] for row in self.running.rows("/api/raises")] == [messages]

    def _listed(self) -> list[dict[str, Any]]:
        return list(self.running.ask("/api/v1/statistics").json["statistics"])

    def check_sum_of_volume_each_plugin(self, value: int) -> None:
        idents = [ident for ident in self.running.ask("/api/").json if re.fullmatch(f"({'|'.join(EACH)})-\\d+[smhd]", ident)]
        assert len(idents) > len(EACH)
        for ident in idents:
            assert (ident, sum(row["volume"] for row in self.running.rows(f"/api/{ident}"))) == (ident, value)

    def check_archive_requests_start_not_before(self, _: str) -> None:
        assert self.archive is not None
        assert self.archive.asked
        assert min(float(query["start"]) for query in self.archive.asked) >= time.time() - 3600 - 1200

    def check_all_of(self, value: str) -> None:
        found = {row["timestamp"]: row["volume"] for row in self.running.rows(self.path.partition("&rows_per_page")[0])}
        wanted = [datetime.fromisoformat(each["headers"]["sent-at"]).timestamp() + 1 for each in messages_of(value)]
        assert found == dict.fromkeys(wanted, 1)

    def check_max_s(self, value: float) -> None:
        assert sum(row["volume"] for row in self.running.rows("/api/volume-1d")) == self.published
        del value  # how fast it goes is for the bench

    def check_monotone(self, _: object) -> None:
        assert self.sums == sorted(self.sums)
        assert self.sums[-1] == self.published
        assert len(set(self.sums)) > 2


def _in_order(found: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> None:
    assert [row["timestamp"] for row in found] == [row["timestamp"] for row in wanted]
    assert _sorted(found) == _sorted(wanted)


def _sorted(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["timestamp"], json.dumps(row, sort_keys=True)))


def _unpacked(rows: list[dict[str, Any]], as_json: object) -> list[dict[str, Any]]:
    return [{**row, "message": json.loads(row["message"])} for row in rows] if as_json else rows


def cases(*wanted: str) -> list[Any]:
    return [
        pytest.param(case, id=case["title"][:60], marks=[] if case["title"].startswith(FAST) else [pytest.mark.slow])
        for case in DATA["cases"]
        if case["title"].startswith(wanted or "") and (wanted or not any(step["do"] == "db" for step in case["steps"]))
    ]


def run(case: dict[str, Any], broker: RabbitMQ, store: str, folder: Path) -> None:
    running = Case(broker, store, folder)
    try:
        running.run(case["steps"])
        running.check(dict(case["expect"]))
    finally:
        running.close()


@pytest.mark.parametrize("case", cases())
def test_case(case: dict[str, Any], broker: RabbitMQ, tmp_path: Path) -> None:
    run(case, broker, f"sqlite:///{tmp_path}/statistics.db", tmp_path)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as url:
        yield url


@pytest.mark.slow
@pytest.mark.parametrize("case", cases(*ON_POSTGRESQL))
def test_case_on_postgresql(case: dict[str, Any], broker: RabbitMQ, server: str, tmp_path: Path) -> None:
    with database(server) as (url, proxy):
        Case.proxy = proxy
        run(case, broker, url, tmp_path)


@contextmanager
def database(server: str) -> Iterator[tuple[str, Proxy]]:
    """Make a database of its own, behind a proxy that can leave."""
    name, place = f"cases_{uuid.uuid4().hex}", urls.parse(server)
    plain = server.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(plain, autocommit=True) as link:
        link.execute(f"CREATE DATABASE {name}".encode())
    proxy = Proxy(place.port or 0)
    try:
        yield f"postgresql://{place.user}@127.0.0.1:{proxy.port}/{name}", proxy
    finally:
        proxy.leave()
