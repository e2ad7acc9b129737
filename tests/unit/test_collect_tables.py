"""Readings of several sources, and the gauges made of them."""

from __future__ import annotations

import math
import string
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.collect.names import labels, number, part
from nilometer.collect.sample import Sample
from nilometer.collect.tables import Bounds, Naming, Reader, Reading, samples, skipped
from nilometer.core.errors import Unavailable
from nilometer.core.table import ITEMS, SIZE, Fault, Figure, Quality, Table
from nilometer.core.url import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


SAFE = f"{string.ascii_letters}{string.digits}_-"


class Source:
    """A source that yields what it is given, or does what it is told."""

    def __init__(self, *found: object) -> None:
        self.found, self.closed = found, False

    def read_tables(self) -> Iterator[Table | Fault]:
        for each in self.found:
            yield each() if callable(each) else each  # type: ignore[misc]  # whatever a source does

    def close(self) -> None:
        self.closed = True


def fails(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


USERS = Table("shop", "users", status="active", figures={SIZE: Figure(1024), ITEMS: Figure(3, Quality.ESTIMATE)})
NEW = Table("shop", "new", status="creating")


def run(bounds: Bounds = Bounds(), **sources: Source) -> dict[str, Reading]:  # noqa: B008 it is frozen
    return {reading.source: reading for reading in Reader(sources, bounds).run(threading.Event())}


def test_sources_are_read_whole() -> None:
    found = run(one=Source(USERS, Fault("shop", "bad", "torn")), two=Source(NEW))
    assert found["one"].tables == [USERS]
    assert found["one"].faults == [Fault("shop", "bad", "torn")]
    assert found["two"].tables == [NEW]
    assert list(found) == ["one", "two"]


@pytest.mark.parametrize(("error", "words"), [(Unavailable("db://h: away"), "db://h: away"), (KeyError("x"), "KeyError: 'x'")])
def test_a_source_that_fails_spoils_nothing(error: Exception, words: str) -> None:
    found = run(bad=Source(USERS, fails(error), NEW), good=Source(USERS))
    assert (found["bad"].error, found["bad"].tables) == (words, [USERS])
    assert (found["good"].error, found["good"].tables) == ("", [USERS])


def test_what_is_no_table_is_a_fault() -> None:
    found = run(one=Source(7, USERS))
    assert found["one"].tables == [USERS]
    assert found["one"].faults == [Fault("", "", "the source yields int, no table")]


def test_a_source_that_hangs_is_told_and_what_it_had_said_is_kept() -> None:
    go = threading.Event()

    def hang() -> Table:
        go.wait(30)
        return NEW

    reader = Reader({"bad": Source(USERS, hang), "good": Source(USERS)}, Bounds(seconds=0.2))
    for _ in range(2):
        bad, good = reader.run(threading.Event())
        assert bad.error == "it was not at its end when the time was up (0.2 s)"
        assert (good.error, good.tables) == ("", [USERS])
    go.set()


def test_a_source_without_end_is_bounded() -> None:
    found = run(Bounds(tables=5), one=Source(*[USERS] * 50))
    assert len(found["one"].tables) == 5
    assert found["one"].faults == [Fault("", "", "it has more than 5 tables; the others are left out")]


def test_faults_are_counted_beyond_those_that_are_kept() -> None:
    found = run(one=Source(*[Fault("a", "b", "c")] * 1500))
    assert (len(found["one"].faults), found["one"].faulty) == (1000, 1500)


def test_sources_are_closed() -> None:
    source = Source()
    Reader({"one": source}).close()
    assert source.closed


# -- gauges --------------------------------------------------------------------------------------------------------------------


def gauges(*tables: Table, naming: Naming | None = None) -> dict[str, float]:
    reading = Reading("db", list(tables))
    return {each.stat: each.value for each in samples([reading], naming or Naming()) if not each.stat.startswith("collect.")}


def test_a_figure_is_a_gauge_named_for_project_table_and_index() -> None:
    index = Table("shop", "users", "by_name", figures={SIZE: Figure(7)})
    assert gauges(USERS, NEW, index) == {
        "tables.shop.users.size_bytes": 1024,
        "tables.shop.users.item_count": 3,
        "tables.shop.users.active": 1,
        "tables.shop.users.stale": 0,
        "tables.shop.new.active": 0,
        "tables.shop.users.by_name.size_bytes": 7,
        "tables.shop.users.by_name.stale": 0,
    }


def test_missing_is_never_zero() -> None:
    assert gauges(Table("a", "b")) == {}
    assert gauges(Table("a", "b", status="active", figures={SIZE: Figure(5)})).keys() == {
        "tables.a.b.size_bytes",
        "tables.a.b.active",
        "tables.a.b.stale",
    }


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, True, 1e300, "5"])
def test_what_is_no_number_makes_no_gauge(value: float) -> None:
    assert "tables.a.b.size_bytes" not in gauges(Table("a", "b", figures={SIZE: Figure(value)}))


def test_a_stale_figure_is_told() -> None:
    table = Table("a", "b", figures={SIZE: Figure(5, Quality.STALE), ITEMS: Figure(5)})
    assert gauges(table)["tables.a.b.stale"] == 1


def test_names_have_a_prefix_and_a_template() -> None:
    naming = Naming("node1.", "{source}.{table}")
    assert gauges(USERS, naming=naming)["node1.db.users.size_bytes"] == 1024


@pytest.mark.parametrize("name", ["tables", "{project}", "{table}.{nothing}", "{table"])
def test_a_template_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name: "):
        Naming("", name)


def test_tags_say_whose_figure_it_is_and_what_it_is_worth() -> None:
    found = list(samples([Reading("db", [USERS])], Naming("p", tags=True)))
    own = (("source", "db"), ("project", "shop"), ("table", "users"))
    assert found[:2] == [
        Sample("g", "p.tables.size_bytes", 1024, (*own, ("quality", "exact"))),
        Sample("g", "p.tables.item_count", 3, (*own, ("quality", "estimate"))),
    ]
    assert found[2] == Sample("g", "p.tables.active", 1, own)


def test_a_reading_tells_of_itself() -> None:
    good, bad = Reading("db", [USERS], seconds=0.25), Reading("far", error="away", faults=[Fault("", "", "x")], faulty=1)
    found = {each.stat: each.value for each in samples([good, bad], Naming("p")) if "collect" in each.stat}
    assert found == {
        "p.collect.db.up": 1,
        "p.collect.db.tables": 1,
        "p.collect.db.faults": 0,
        "p.collect.db.duration_ms": 250,
        "p.collect.far.up": 0,
        "p.collect.far.tables": 0,
        "p.collect.far.faults": 1,
        "p.collect.far.duration_ms": 0,
    }
    assert skipped(3, Naming("p")) == Sample("c", "p.collect.skipped", 3)


def test_two_tables_never_share_a_series() -> None:
    readings = [Reading("one", [Table("a", "b.c", status="active")]), Reading("two", [Table("a", "b_c", status="x"), USERS])]
    found = [each for each in samples(readings, Naming()) if each.stat.startswith("tables.a")]
    assert found == [Sample("g", "tables.a.b_c.active", 1)]
    assert readings[0].faults == []
    (fault,) = readings[1].faults
    assert fault.reason == ("its series would have the names of a.b.c in one; put {source} into the template of names")
    apart = [Reading("one", [Table("a", "b.c", status="active")]), Reading("two", [Table("a", "b_c", status="x")])]
    assert len([each for each in samples(apart, Naming(tags=True)) if each.stat == "tables.active"]) == 2


def test_a_table_that_comes_twice_is_one_series() -> None:
    reading = Reading("one", [USERS, USERS])
    list(samples([reading], Naming()))
    assert reading.faulty == 0


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("users", "users"),
        ("a.b", "a_b"),
        ("A-b_9", "A-b_9"),
        ("", "unnamed"),
        ("a b", "a_b-c857bfc4"),
        ("äöü", "unnamed-d4f4d2f4"),
        ("a\nb:1|c", None),
        ("x" * 101, None),
        ("\ud800", None),
    ],
)
def test_a_name_becomes_one_safe_part(name: str, wanted: str | None) -> None:
    made = part(name)
    assert len(made) <= 109
    assert set(made) <= set(SAFE)
    assert made == wanted or wanted is None or made.startswith(wanted.partition("-")[0])


def test_names_that_differ_stay_apart() -> None:
    assert len({part(name) for name in ("a b", "a:b", "a|b", "a_b", "ä", "ö", "x" * 200, "x" * 201)}) == 8


@given(st.lists(st.text(), unique=True, max_size=20))
def test_any_names_become_safe_parts_that_stay_apart_but_for_dots(names: list[str]) -> None:
    made = [part(name) for name in names]
    assert all(set(each) <= set(SAFE) and 0 < len(each) <= 109 for each in made)
    assert len({name.replace(".", "_") for name in names if name}) <= len(set(made)) + 1


def parsed(urls: Iterable[str]) -> list[str]:
    return labels(map(parse, urls))


def test_sources_are_called_by_where_they_are() -> None:
    assert parsed(["postgresql://me:secret@db:5432/shop?a=b", "magnetodb+http://a", "magnetodb+http://a?limit=5"]) == [
        "postgresql_db_5432_shop",
        "magnetodb_http_a",
        "magnetodb_http_a_2",
    ]


@pytest.mark.parametrize(
    ("value", "wanted"), [(3.0, "3"), (2**53 + 1, str(2**53 + 1)), (0.5, "0.5"), (-3, "-3"), (1e20, "1" + "0" * 20)]
)
def test_numbers_have_no_exponent(value: float, wanted: str) -> None:
    assert str(number(value)) == wanted
