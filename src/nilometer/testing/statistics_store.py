"""The contract of stores of statistics, as tests that run over any URL.

A test module derives `StatisticsStoreContract` and gives it a fixture `url` of an empty store. What a store keeps is compared
with what a dictionary says.
"""
# assert is how a test speaks, its name says what it states, and a literal is the expectation
# ruff: noqa: S101, D102, PLR2004

from __future__ import annotations

import contextlib
import math
import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from nilometer.backends import registry
from nilometer.core.capability import StatisticsStore
from nilometer.core.errors import InputError, Rejected
from nilometer.core.record import Event
from nilometer.core.sketch import Sketch
from nilometer.core.statistics import Covered, Kind, Latest, Row, RowQuery, State, Tally
from nilometer.core.statistics.change import Amount, bounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nilometer.core.statistics.change import Key

START = 1_767_571_200
ODD_WORDS = ("", None, "a,b", 'c"d', "žluťoučký", "line\nbreak", "\x01", "🌊", "null", "A", "a", "a ")
ODD_KEYS = tuple((word,) for word in ODD_WORDS)
"""Keys of one word that a careless store mixes up."""


def event(number: int, **changes: Any) -> Event:  # noqa: ANN401 whatever an event has
    """Return one of many events."""
    fields: dict[str, Any] = {"id": f"id-{number}", "time": START + number, "type": f"org.example.prod.git.n{number}"}
    return Event(**fields | {"payload": {"n": number}, "context": {"users": ["ralph"]}} | changes)


def one(slot: int, key: tuple[str | None, ...] = ("k",), amount: float = 1, newest: float = START) -> Tally:
    """Return a tally of one sum."""
    return Tally(sums={(slot, key): Amount(amount, newest)})


class StatisticsStoreContract:
    """What every store of statistics does."""

    @pytest.fixture
    def store(self, url: str) -> Iterator[StatisticsStore]:
        with contextlib.closing(registry.open(url, registry.STATISTICS)) as found:
            yield found

    @pytest.fixture
    def other(self, url: str) -> Iterator[StatisticsStore]:
        with contextlib.closing(registry.open(url, registry.STATISTICS)) as found:
            yield found

    def test_it_has_the_methods_of_its_capability(self, store: StatisticsStore) -> None:
        assert isinstance(store, StatisticsStore)
        assert store.inbox().count == 0
        assert store.progress() == []
        assert store.covered("bus") == []
        assert store.sources() == []

    # -- the inbox -----------------------------------------------------------------------------------------------------

    def test_messages_come_back_as_they_were_in_order_of_numbers(self, store: StatisticsStore) -> None:
        odd = event(3, tenant="ü", publisher="p", priority="error", payload={"z": [None, "\x00", 2**70]}, context={"🌊": 1})
        assert len(store.take_in([event(2), odd, event(1)], arrived=9.5, source="bus")) == 3
        found = store.read_inbox(0, 10)
        assert [each.id for each in found] == ["id-2", "id-3", "id-1"]
        assert [each.number for each in found] == sorted({each.number for each in found})
        kept = found[1]
        assert (kept.time, kept.topic, kept.publisher, kept.priority, kept.tenant) == (odd.time, odd.type, "p", "error", "ü")
        assert (kept.body, kept.headers, kept.arrived, kept.archived) == (odd.payload, odd.context, 9.5, False)
        assert store.read_inbox(found[0].number, 1) == [found[1]]
        assert store.read_inbox(found[2].number, 10) == []

    def test_a_message_that_comes_again_is_known(self, store: StatisticsStore, other: StatisticsStore) -> None:
        assert len(store.take_in([event(1), event(2), event(1)], arrived=1.0, source="bus")) == 2
        assert len(other.take_in([event(2), event(3)], arrived=2.0, source="archive", archived=True)) == 1
        kept = {each.id: each.archived for each in store.read_inbox(0, 9)}
        assert kept == {"id-1": False, "id-2": False, "id-3": True}
        assert len(store.take_in([], arrived=3.0, source="bus")) == 0

    def test_more_than_a_statement_holds_is_taken_in(self, store: StatisticsStore) -> None:
        assert len(store.take_in([event(number) for number in range(1100)], arrived=1.0, source="bus")) == 1100
        assert len(store.take_in([event(number) for number in range(1101)], arrived=1.0, source="bus")) == 1

    def test_one_that_cannot_be_stored_is_named_and_none_is_taken_in(self, store: StatisticsStore) -> None:
        with pytest.raises(Rejected, match="id-2"):
            store.take_in([event(1), event(2, time=math.nan)], arrived=1.0, source="bus", covered=[Covered(1, 2, 3)])
        assert store.inbox().count == 0
        assert store.covered("bus") == []

    def test_messages_expire_by_arrival_and_number_and_numbers_never_come_again(self, store: StatisticsStore) -> None:
        store.take_in([event(number) for number in range(3)], arrived=10.0, source="bus")
        store.take_in([event(3)], arrived=20.0, source="bus")
        numbers = [each.number for each in store.read_inbox(0, 9)]
        assert (store.inbox().oldest, store.inbox().first, store.inbox().last) == (10.0, numbers[0], numbers[-1])
        assert store.expire_inbox(15.0, numbers[1]) == 2
        assert [each.id for each in store.read_inbox(0, 9)] == ["id-2", "id-3"]
        while store.expire_inbox(99.0, numbers[-1]):
            pass
        assert store.inbox().count == 0
        store.take_in([event(9)], arrived=30.0, source="bus")
        assert store.read_inbox(numbers[-1], 9)[0].id == "id-9"

    def test_writers_side_by_side_leave_no_message_behind_a_reader(self, url: str, store: StatisticsStore) -> None:
        def write(writer: int) -> None:
            with contextlib.closing(registry.open(url, registry.STATISTICS)) as mine:
                for part in range(10):
                    mine.take_in([event(writer * 1000 + part * 10 + each) for each in range(5)], arrived=1.0, source="bus")

        seen, offset = [], 0
        store.inbox()
        with ThreadPoolExecutor(4) as pool:
            writing = [pool.submit(write, writer) for writer in range(4)]
            while True:
                done = all(each.done() for each in writing)
                found = store.read_inbox(offset, 7)
                seen += [each.id for each in found]
                offset = found[-1].number if found else offset
                if done and not found:
                    break
        assert [each.result() for each in writing] == [None] * 4
        assert len(seen) == len(set(seen)) == 200

    # -- how far statistics are ----------------------------------------------------------------------------------------

    def test_a_statistic_begins_where_it_is_told_and_stays(self, store: StatisticsStore, other: StatisticsStore) -> None:
        assert store.register("volume-1m", Kind.SUM, 1, offset=7).offset == 7
        assert store.apply({"volume-1m": one(60)}, 7, 9)
        found = other.register("volume-1m", Kind.SUM, 1, offset=0)
        assert (found.offset, found.state, found.revision) == (9, State.RUNNING, 1)
        assert other.progress() == [found]

    def test_another_version_begins_anew_at_the_first_message_that_is_there(self, store: StatisticsStore) -> None:
        store.take_in([event(number) for number in range(4)], arrived=1.0, source="bus")
        first = store.inbox().first
        store.register("volume-1m", Kind.SUM, 1)
        assert store.apply({"volume-1m": one(60)}, 0, first + 3)
        assert store.expire_inbox(9.0, first) == 1
        assert store.register("volume-1m", Kind.SUM, 2).offset == first
        assert store.count_rows("volume-1m", RowQuery()) == 0

    def test_offsets_move_with_the_rows_or_not_at_all(self, store: StatisticsStore, other: StatisticsStore) -> None:
        for ident in ("a", "b"):
            store.register(ident, Kind.SUM, 1)
        assert store.apply({"a": one(60), "b": one(60)}, 0, 5)
        assert not other.apply({"a": one(60)}, 0, 5)
        assert other.apply({"a": one(60)}, 5, 6)
        assert not store.apply({"a": one(60), "b": one(60)}, 5, 6)
        assert not store.apply({"a": one(60), "nobody": one(60)}, 6, 7)
        assert [each.value for each in store.find_rows("a", RowQuery(), 9).rows] == [2]
        assert [each.value for each in store.find_rows("b", RowQuery(), 9).rows] == [1]
        assert [(each.ident, each.offset) for each in store.progress()] == [("a", 6), ("b", 5)]

    def test_a_stopped_one_stays_until_it_is_resumed(self, store: StatisticsStore) -> None:
        store.register("a", Kind.SUM, 1)
        store.take_in([event(1)], arrived=1.0, source="bus")
        culprit = store.read_inbox(0, 1)[0]
        store.stop("a", "ValueError: no\x00 such thing", culprit, 5.0)
        found = store.progress()[0]
        assert (found.state, found.culprit, found.at, found.since) == (State.STOPPED, "id-1", culprit.number, 5.0)
        assert found.error == "ValueError: no\ufffd such thing"
        assert not store.apply({"a": one(60)}, 0, 1)
        store.resume("a")
        assert store.progress()[0].error == ""
        assert store.apply({"a": one(60)}, 0, 1)

    def test_one_that_is_forgotten_is_gone_with_its_rows(self, store: StatisticsStore) -> None:
        store.register("a", Kind.SUM, 1)
        assert store.apply({"a": one(60)}, 0, 1)
        store.forget("a")
        store.forget("nobody")
        assert store.progress() == []
        assert store.find_rows("a", RowQuery(), 9).rows == []
        assert store.register("a", Kind.SUM, 1).offset == 0
        assert store.count_rows("a", RowQuery()) == 0

    # -- rows ----------------------------------------------------------------------------------------------------------

    def test_sums_add_up_over_batches_and_keep_the_newest_time(self, store: StatisticsStore) -> None:
        store.register("a", Kind.SUM, 1)
        assert store.apply({"a": Tally(sums={(60, ("x",)): Amount(2, 5.0), (60, ("y",)): Amount(0.25, 1.0)})}, 0, 1)
        assert store.apply({"a": Tally(sums={(60, ("x",)): Amount(3, 4.0), (0, ("z",)): Amount(1, 7.5)})}, 1, 2)
        assert store.find_rows("a", RowQuery(words=((0, "x"),)), 9).rows == []  # one slot 0 makes it one without windows
        store.register("b", Kind.SUM, 1)
        assert store.apply({"b": Tally(sums={(60, ("x",)): Amount(2, 5.0), (60, ("y",)): Amount(0.25, 1.0)})}, 0, 1)
        assert store.apply({"b": Tally(sums={(60, ("x",)): Amount(3, 4.0)})}, 1, 2)
        rows = [Row(60.0, ("x",), 5.0, newest=5.0), Row(60.0, ("y",), 0.25, newest=1.0)]
        assert store.find_rows("b", RowQuery(order="asc"), 9).rows == rows

    @pytest.mark.parametrize("key", ODD_KEYS)
    def test_keys_come_back_as_they_were(self, store: StatisticsStore, key: tuple[str | None, ...]) -> None:
        store.register("a", Kind.SUM, 1)
        assert store.apply({"a": Tally(sums={(60, each): Amount(1, 1.0) for each in ODD_KEYS})}, 0, 1)
        assert {each.key for each in store.find_rows("a", RowQuery(), 99).rows} == set(ODD_KEYS)
        assert [each.key for each in store.find_rows("a", RowQuery(words=((0, key[0]),)), 9).rows] == [key]

    def test_the_longest_key_can_be_stored(self, store: StatisticsStore) -> None:
        store.register("a", Kind.SUM, 1)
        keys = [bounded((sign * 300, *[sign * 255] * 3)) for sign in ("a", "🌊", "\x00", "\x01", '"')]
        assert store.apply({"a": Tally(sums={(60, key): Amount(1, 1.0) for key in keys})}, 0, 1)
        assert {each.key for each in store.find_rows("a", RowQuery(), 9).rows} == set(keys)

    def test_the_latest_is_kept_whatever_comes_first(self, store: StatisticsStore) -> None:
        store.register("a", Kind.LATEST, 1)
        key = ("compose", None)
        for number, (time, value, id_) in enumerate([(5.0, "b", "2"), (4.0, "a", "9"), (5.0, "c", "1"), (5.0, "d", "3")]):
            assert store.apply({"a": Tally(latest={key: Latest(time, key, value, id_)})}, number, number + 1)
        assert store.find_rows("a", RowQuery(), 9).rows == [Row(5.0, key, 0.0, "d", newest=5.0)]

    def test_distinct_members_count_once(self, store: StatisticsStore) -> None:
        store.register("a", Kind.DISTINCT, 1)
        many: dict[tuple[int, Key, str], float] = {(60, ("k",), f"m{number}"): 1.0 for number in range(1200)}
        assert store.apply({"a": Tally(members=many | {(120, ("k",), "m1"): 8.0})}, 0, 1)
        assert store.apply({"a": Tally(members={(60, ("k",), "m7"): 9.0, (60, ("k",), "new"): 2.0})}, 1, 2)
        rows = [Row(60.0, ("k",), 1201.0, newest=9.0), Row(120.0, ("k",), 1.0, newest=8.0)]
        assert store.find_rows("a", RowQuery(order="asc"), 9).rows == rows

    def test_distributions_merge(self, store: StatisticsStore) -> None:
        store.register("a", Kind.DISTRIBUTION, 1)
        assert store.apply({"a": Tally(sketches={(60, ()): (Sketch([1.0, 2.0]), 3.0)})}, 0, 1)
        assert store.apply({"a": Tally(sketches={(60, ()): (Sketch([4.0]), 2.0)})}, 1, 2)
        (row,) = store.find_rows("a", RowQuery(), 9).rows
        assert (row.value, row.newest) == (3.0, 3.0)
        assert row.sketch == Sketch([1.0, 2.0, 4.0]).encode()

    @pytest.mark.parametrize("windowed", [True, False])
    def test_rows_are_found_as_a_list_would_find_them(self, store: StatisticsStore, *, windowed: bool) -> None:
        made = random.Random(7)  # noqa: S311 no secret
        rows = []
        for slot in range(0, 600, 60) if windowed else [0]:
            for word in made.sample(("a", "b", "ä", None, "z z"), 3) if windowed else ("a", "b", "ä", None, "z z", "c"):
                newest = float(made.randrange(600)) if not windowed else slot
                rows.append(Row(newest, (word, "w"), float(made.randrange(4)), newest=newest))
        store.register("a", Kind.SUM, 1)
        rows = [row for row in rows if row.time or not windowed]
        sums = {(int(row.time) if windowed else 0, row.key): Amount(row.value, row.newest) for row in rows}
        assert store.apply({"a": Tally(sums=sums)}, 0, 1)
        for query in (RowQuery(order="asc"), RowQuery(), RowQuery(start=120, stop=300), RowQuery(start=120.5, stop=299.9),
                      RowQuery(start=400, stop=100), RowQuery(words=((0, None),)), RowQuery(words=((0, "ä"), (1, "w"))),
                      RowQuery(words=((1, "nothing"),)), RowQuery(top=1), RowQuery(top=2, order="asc", stop=300)):  # fmt: skip
            wanted = _chosen(rows, query, windowed=windowed)
            assert store.find_rows("a", query, 999).rows == wanted, query
            assert store.count_rows("a", query) == len(wanted)
            assert _pages(store, query, 4) == wanted
            assert store.find_rows("a", query, 3, offset=2).rows == wanted[2:5]

    def test_rows_of_many_days_are_counted_whoever_changes_them(self, store: StatisticsStore, other: StatisticsStore) -> None:
        for each in (store, other):
            each.register("a", Kind.SUM, 1)
        offset, day = 0, 86_400

        def put(by: StatisticsStore, *slots: int) -> None:
            nonlocal offset
            tally = Tally(sums={(slot, (word,)): Amount(1, 1.0) for slot in slots for word in ("x", "y")})
            assert by.apply({"a": tally}, offset, offset + 1)
            offset += 1

        def agrees(query: RowQuery) -> bool:
            rows = store.find_rows("a", query, 999).rows
            assert [store.count_rows("a", query), other.count_rows("a", query)] == [len(rows)] * 2, query
            pages = [row for at in range(0, len(rows) + 3, 3) for row in store.find_rows("a", query, 3, offset=at).rows]
            return bool(rows) and pages == rows

        queries = [RowQuery(), RowQuery(order="asc"), RowQuery(day + 0.5, 3 * day), RowQuery(-day / 2, 5 * day - 60, "asc")]
        put(store, *range(-2 * day + 60, 6 * day, day // 4 - 60))
        for writer, slots in ((store, (day * 2 + 7,)), (store, (day * 2 + 7, day * 9)), (other, (day * 3, 1)), (store, (7,))):
            assert [agrees(query) for query in queries] == [True] * len(queries)
            put(writer, *slots)
        assert store.drop_rows("a", day) > 0
        assert [agrees(query) for query in queries] == [True] * len(queries)
        store.forget("a")
        assert store.count_rows("a", RowQuery()) == 0

    def test_what_is_no_cursor_is_refused(self, store: StatisticsStore) -> None:
        store.register("a", Kind.SUM, 1)
        assert store.apply({"a": one(60)}, 0, 1)
        with pytest.raises(InputError, match="cursor"):
            store.find_rows("a", RowQuery(), 1, cursor="nonsense")
        assert store.count_rows("a", RowQuery()) == 1

    def test_old_rows_are_dropped_with_their_members(self, store: StatisticsStore) -> None:
        store.register("a", Kind.DISTINCT, 1)
        assert store.apply({"a": Tally(members={(60, (), "x"): 1.0, (120, (), "x"): 2.0})}, 0, 1)
        assert store.drop_rows("a", 120) == 1
        assert store.drop_rows("a", 120) == 0
        assert [each.time for each in store.find_rows("a", RowQuery(), 9).rows] == [120.0]
        assert store.apply({"a": Tally(members={(60, (), "x"): 1.0})}, 1, 2)
        assert store.count_rows("a", RowQuery()) == 2

    def test_windows_roll_up_into_longer_ones(self, store: StatisticsStore) -> None:
        for ident, kind in (("s", Kind.SUM), ("d", Kind.DISTINCT), ("q", Kind.DISTRIBUTION)):
            store.register(ident, kind, 1)
        slots = (60, 120, 3600, 3660)
        tallies = {
            "s": Tally(sums={(slot, ("k",)): Amount(1, float(slot)) for slot in slots}),
            "d": Tally(members={(slot, ("k",), name): float(slot) for slot in slots for name in ("x", f"y{slot // 100}")}),
            "q": Tally(sketches={(slot, ("k",)): (Sketch([float(slot)]), float(slot)) for slot in slots}),
        }
        assert store.apply(tallies, 0, 1)
        hour = lambda slot: -(-slot // 3600) * 3600  # noqa: E731 a line says it
        for ident, values in (("s", [3, 1]), ("d", [4, 2]), ("q", [3, 1])):
            while store.roll_up(ident, 3601, hour):
                pass
            rows = store.find_rows(ident, RowQuery(order="asc"), 9).rows
            assert [(row.time, row.value) for row in rows] == [(3600.0, values[0]), (3660.0, values[1])]
            assert [row.newest for row in rows] == [3600.0, 3660.0]
        assert Sketch.decode(store.find_rows("q", RowQuery(order="asc"), 1).rows[0].sketch).high == 3600

    # -- coverage ------------------------------------------------------------------------------------------------------

    def test_what_is_covered_is_kept_by_source_and_what_touches_is_one(self, store: StatisticsStore) -> None:
        store.cover("a", [Covered(5, 6, 1), Covered(1, 2, 5)])
        store.take_in([event(1)], arrived=1.0, source="a", covered=[Covered(2, 3, 9), Covered(4, 4, 1)])
        store.cover("b", [Covered(0, 99, 1)])
        assert store.covered("a") == [Covered(1, 3, 5), Covered(5, 6, 1)]
        store.cover("a", [Covered(2.5, 5.5, 7)])
        assert store.covered("a") == [Covered(1, 6, 1)]
        store.cover("a", [Covered(4, 8, 9000)])
        assert store.covered("a") == [Covered(1, 6, 1), Covered(6, 8, 9000)]
        assert store.covered("b") == [Covered(0, 99, 1)]
        assert store.sources() == ["a", "b"]


def _chosen(rows: list[Row], query: RowQuery, *, windowed: bool) -> list[Row]:
    """Return the rows that a query asks for, as a list finds them."""
    fitting = [row for row in rows if query.start <= row.time <= query.stop and all(row.key[at] == w for at, w in query.words)]
    if query.top:
        together: dict[float, list[Row]] = {}
        for row in fitting:
            together.setdefault(row.time if windowed else 0.0, []).append(row)
        fitting = [row for group in together.values() for row in sorted(group, key=lambda r: (-r.value, _text(r)))[: query.top]]
    return sorted(fitting, key=lambda row: (row.time, _text(row)), reverse=query.order == "desc")


def _text(row: Row) -> bytes:
    """Return what keys are ordered by: their JSON, byte by byte."""
    words = ("null" if word is None else f'"{word}"' for word in row.key)
    return f"[{','.join(words)}]".encode()


def _pages(store: StatisticsStore, query: RowQuery, size: int) -> list[Row]:
    found, cursor = [], ""
    while True:
        page = store.find_rows("a", query, size, cursor=cursor)
        found += page.rows
        cursor = page.cursor
        if not cursor:
            return found
