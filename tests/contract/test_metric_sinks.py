"""The contract suite over every scheme that the registry lists."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from nilometer.backends import memory, registry
from nilometer.testing import contract
from nilometer.testing.carbon import Carbon
from nilometer.testing.certificates import certificate
from nilometer.testing.elasticsearch import FakeElasticsearch
from nilometer.testing.moto import FakeCloudWatch, Moto, moto
from nilometer.testing.peers import FakeStatsd, Forgetful, Keeper, Logbook, Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from nilometer.testing.peers import Peer

LOOPBACK = ("127.0.0.1", 0)
SEARCH = ("elasticsearch", "elasticsearch+https", "opensearch", "opensearch+https")
STALLING = ("cloudwatch", "console", *SEARCH, "graphite", "graphite+pickle", "statsd+tcp", "statsd+unix", "statsd+unixgram")
FIRST = ("cloudwatch", "console", "elasticsearch", "graphite", "log", "memory", "null", "sqlite", "statsd", "statsd+tcp")
"""What is tried among the fast tests; the others speak over the same connections, in other formats."""
FIRST_STALLING = ("elasticsearch", "graphite", "statsd+tcp")
REMOTE = ("cloudwatch", *SEARCH, "graphite", "graphite+pickle", "statsd", "statsd+tcp", "statsd+unix", "statsd+unixgram")
MOTO: list[Moto] = []
"""The one moto of all tests here, while `shared` runs it."""
PEERS: dict[str, Callable[[Path], Peer]] = {
    "cloudwatch": lambda _: FakeCloudWatch(MOTO[0], "&batch=700"),
    "console": lambda _: Terminal("console://?format=json&timeout=1s"),
    "elasticsearch": lambda _: FakeElasticsearch(options="&bulk_documents=1000"),
    "elasticsearch+https": lambda folder: FakeElasticsearch(
        "elasticsearch+https", "&bulk_documents=1000", secure=certificate(folder)
    ),
    "graphite": lambda _: Carbon(),
    "graphite+pickle": lambda _: Carbon(pickled=True),
    "log": lambda _: Logbook("log://?each=series"),
    "memory": lambda folder: Keeper(f"memory://{folder.name}"),
    "null": lambda _: Forgetful("null://"),
    "opensearch": lambda _: FakeElasticsearch("opensearch", "&tags=flat&gzip=false&bulk_documents=1000"),
    "opensearch+https": lambda folder: FakeElasticsearch(
        "opensearch+https", "&bulk_documents=1000", secure=certificate(folder)
    ),
    "sqlite": lambda folder: Keeper(f"sqlite:///{folder}/nilometer.db?retention=36500d&rollups="),
    "statsd": lambda _: FakeStatsd("statsd", LOOPBACK, socket.SOCK_DGRAM),
    "statsd+tcp": lambda _: FakeStatsd("statsd+tcp", LOOPBACK, socket.SOCK_STREAM),
    "statsd+unix": lambda folder: FakeStatsd("statsd+unix", f"{folder}/socket", socket.SOCK_STREAM),
    "statsd+unixgram": lambda folder: FakeStatsd("statsd+unixgram", f"{folder}/socket", socket.SOCK_DGRAM),
}


def schemes(capability: str) -> list[str]:
    return [scheme for scheme in registry.TABLE if capability in registry.capabilities(scheme)]


def trials(found: Collection[str], first: Collection[str] = FIRST) -> list[Any]:
    """Return schemes as parameters, those that are not among the first for the slow tests."""
    return [pytest.param(each, marks=() if each in first else pytest.mark.slow) for each in found]


def test_every_scheme_that_stores_metrics_has_a_peer() -> None:
    assert sorted(PEERS) == sorted(schemes("metrics"))


@pytest.fixture(scope="module")
def shared() -> Iterator[None]:
    """Servers that take long to start."""
    with moto() as server:
        MOTO.append(server)
        yield
        MOTO.clear()


def made(scheme: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[Peer]:
    if scheme == "cloudwatch":
        request.getfixturevalue("shared")
    peer = PEERS[scheme](folder)
    yield peer
    peer.close()
    memory.forget(folder.name)


class TestEverySink(contract.MetricSinkContract):
    @pytest.fixture(params=trials(schemes("metrics")))
    def peer(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Peer]:
        yield from made(request.param, tmp_path, request)


class TestSinksOfSketches(contract.SketchContract):
    @pytest.fixture(params=trials(schemes("sketches")))
    def peer(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Peer]:
        yield from made(request.param, tmp_path, request)


class TestRemoteSinks(contract.RemoteContract):
    @pytest.fixture(params=trials(REMOTE))
    def peer(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Peer]:
        yield from made(request.param, tmp_path, request)


class TestStallingSinks(contract.StallingContract):
    @pytest.fixture(params=trials(STALLING, FIRST_STALLING))
    def peer(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Peer]:
        yield from made(request.param, tmp_path, request)


class TestReaders(contract.SeriesReaderContract):
    @pytest.fixture(params=trials(schemes("series")))
    def peer(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Peer]:
        yield from made(request.param, tmp_path, request)
