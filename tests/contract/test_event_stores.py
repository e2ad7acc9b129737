"""The contract of stores of events, over each of them."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from nilometer.backends import memory
from nilometer.core.errors import Unavailable
from nilometer.core.event_query import EventQuery
from nilometer.testing.event_examples import several
from nilometer.testing.event_store import EventStoreContract, opened
from nilometer.testing.frozen import freeze
from nilometer.testing.mariadb import mariadb
from nilometer.testing.postgresql import postgresql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class TestMemory(EventStoreContract):
    unchecked = True

    @pytest.fixture
    def url(self) -> Iterator[str]:
        yield "memory://contract-of-events"
        memory.forget("contract-of-events")


class TestSqlite(EventStoreContract):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/ä events.db"


@pytest.fixture(scope="module")
def postgresql_url() -> Iterator[str]:
    with postgresql() as found:
        yield found


@pytest.fixture(scope="module")
def mariadb_url() -> Iterator[str]:
    with mariadb() as found:
        yield found


def emptied(server: str) -> str:
    """Empty a server's database, and return its URL as ours."""
    engine = sa.create_engine(server)
    with engine.begin() as connection:
        for name in ("nilometer_events", "nilometer_events_meta"):
            connection.execute(sa.text(f"DROP TABLE IF EXISTS {name}"))
    engine.dispose()
    scheme, _, rest = server.partition("://")
    return f"{scheme.partition('+')[0]}://{rest}"


@contextlib.contextmanager
def frozen(pids: list[int]) -> Iterator[None]:
    """Have processes do nothing for a while."""
    for pid in pids:
        freeze(pid)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def keeps_on(url: str, processes: Callable[[], list[int]]) -> None:
    """State that a server that hangs is away, and is used again afterwards."""
    with opened(f"{url}?timeout=1s") as store:
        store.write_events(several(2))
        with frozen(processes()):
            for action in (lambda: store.write_events(several(5)), lambda: store.find_events(EventQuery())):
                with pytest.raises(Unavailable):
                    action()
        store.write_events(several(5))
        assert len(store.find_events(EventQuery()).events) == 5


def answers(server: str, query: str) -> list[str]:
    engine = sa.create_engine(server)
    with engine.connect() as connection:
        found = [str(value) for value in connection.execute(sa.text(query)).scalars()]
    engine.dispose()
    return found


@pytest.mark.slow
class TestPostgresql(EventStoreContract):
    @pytest.fixture
    def url(self, postgresql_url: str) -> str:
        return emptied(postgresql_url)

    def test_a_server_that_hangs_is_away_for_as_long(self, url: str, postgresql_url: str) -> None:
        def processes() -> list[int]:
            (folder,) = answers(postgresql_url, "SHOW data_directory")
            first = Path(folder, "postmaster.pid").read_text().split()[0]
            others = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            return [int(first), *map(int, answers(postgresql_url, others))]

        keeps_on(url, processes)


@pytest.mark.slow
class TestMariadb(EventStoreContract):
    @pytest.fixture
    def url(self, mariadb_url: str) -> str:
        return emptied(mariadb_url)

    def test_a_server_that_hangs_is_away_for_as_long(self, url: str, mariadb_url: str) -> None:
        keeps_on(url, lambda: [int(Path(answers(mariadb_url, "SELECT @@pid_file")[0]).read_text())])
