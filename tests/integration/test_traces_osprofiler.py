"""Real osprofiler and ours over the same Redis, PostgreSQL and RabbitMQ, both ways; and the package that stands in for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from nilometer.backends import registry
from nilometer.core.traces.ids import uuid
from nilometer.core.traces.query import EVERYTHING
from nilometer.testing.osprofiler import osprofiler
from nilometer.testing.postgresql import postgresql
from nilometer.testing.rabbitmq import rabbitmq
from nilometer.testing.redis import redis
from nilometer.testing.trace_examples import request
from nilometer.testing.trace_store import opened
from nilometer.testing.waiting import until
from nilometer.traces.osprofiler import report

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow
NAMES = ["wsgi", "db", "rpc"]


@pytest.fixture(scope="module")
def in_redis() -> Iterator[tuple[str, str]]:
    """URLs of a Redis: as osprofiler writes it, and ours."""
    with redis() as url:
        yield url, f"{url}?layout=osprofiler"


@pytest.fixture(scope="module")
def in_postgresql() -> Iterator[tuple[str, str]]:
    with postgresql() as url:
        place = url.partition("://")[2]
        yield f"postgresql+psycopg2://{place}", f"postgresql://{place}?layout=osprofiler"


@pytest.fixture(scope="module")
def in_rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    with rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as broker:
        place = broker.url.partition("://")[2]
        yield f"rabbit://guest:guest@{place}/", broker.url


def infos(found: dict[str, Any], key: str = "") -> list[tuple[Any, ...]]:
    """Return what a report says of each span, below each other: its name, times, error, and names of what it holds."""
    rows = []
    for child in ordered(found)["children"]:
        info = child["info"]
        held = sorted(name for name in info if name.startswith("meta."))
        rows.append((key + info["name"], info["started"], info["finished"], info["exception"], held))
        rows += infos(child, f"{key}{info['name']}/")
    return rows


def ordered(found: Any) -> Any:  # noqa: ANN401 a report, or a part of one
    """Return a report with siblings in order of their ids: osprofiler turns those of the same millisecond round."""
    if isinstance(found, dict):
        children = sorted(found.get("children", ()), key=lambda child: str(child["trace_id"]))
        return found | ({"children": [ordered(child) for child in children]} if "children" in found else {})
    return found


@pytest.mark.parametrize("place", ["in_redis", "in_postgresql"])
class TestBothWays:
    def test_what_osprofiler_writes_is_read_as_it_reads_it(self, place: str, request: pytest.FixtureRequest) -> None:
        theirs, ours = request.getfixturevalue(place)
        base = osprofiler(theirs, "trace")
        with opened(ours) as store:
            spans = store.read_trace(base)
            assert [span.name for span in spans] == NAMES
            assert base in [uuid(trace.trace) for trace in store.find_traces(EVERYTHING).traces]
            found, wanted = json.loads(json.dumps(report(spans))), osprofiler(theirs, "report", base)
        assert infos(found) == infos(wanted)
        assert found["info"] == wanted["info"]
        assert found["stats"] == wanted["stats"]
        if place == "in_redis":  # of the others it keeps a part of each notification
            assert ordered(found) == ordered(wanted)

    def test_osprofiler_reads_what_is_written_for_it(self, place: str, request: pytest.FixtureRequest) -> None:
        theirs, ours = request.getfixturevalue(place)
        spans = trace_of(place)
        with opened(ours) as store:
            store.write_spans(spans)
        base = uuid(spans[0].trace)
        assert infos(osprofiler(theirs, "report", base)) == infos(json.loads(json.dumps(report(spans))))
        assert base in [row["base_id"] for row in osprofiler(theirs, "list")]

    def test_the_stand_in_takes_its_place(self, place: str, request: pytest.FixtureRequest) -> None:
        theirs, _ = request.getfixturevalue(place)
        base = osprofiler(theirs, "trace", ours=True)
        found = osprofiler(theirs, "report", base)
        assert sorted(row[0] for row in infos(found)) == ["wsgi", "wsgi/db", "wsgi/rpc"]
        assert infos(osprofiler(theirs, "report", base, ours=True)) == infos(found)
        real = osprofiler(theirs, "trace")
        assert infos(osprofiler(theirs, "report", real, ours=True)) == infos(osprofiler(theirs, "report", real))
        assert {base, real} <= {row["base_id"] for row in osprofiler(theirs, "list", ours=True)}


def trace_of(place: str) -> list[Any]:
    return request({"in_redis": 50, "in_postgresql": 51}[place], error=True)


def test_what_osprofiler_sends_by_rabbitmq_is_read_without_being_taken_away(in_rabbitmq: tuple[str, str]) -> None:
    theirs, ours = in_rabbitmq
    first, second = osprofiler(theirs, "trace"), osprofiler(theirs, "trace")
    with opened(ours) as store:
        until(lambda: len(store.find_traces(EVERYTHING).traces) == 2, "both have arrived")
        for base in (first, first, second):
            assert [span.name for span in store.read_trace(base)] == NAMES
        mine = request(60)
        store.write_spans(mine)
        assert store.delete_trace(second)
    assert len(osprofiler(theirs, "report", first)["children"]) == 1
    health = registry.open(ours, registry.HEALTH)
    assert health.check()
    health.close()
