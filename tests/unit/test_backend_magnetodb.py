"""MagnetoDB's monitoring API: pages with faults, figures, tokens, TLS, answers that no server should give."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import pytest

from nilometer.backends import registry
from nilometer.core.errors import Unavailable
from nilometer.core.table import Fault, Figure, Quality, Table
from nilometer.testing.answering import Answering, Asked, Reply
from nilometer.testing.magnetodb import ROOT, OldMagnetoDB, Stored, names, read, refusal, stored
from nilometer.testing.ports import free_port
from nilometer.testing.table_source import ORDERS, Shop, TableSourceContract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nilometer.testing.answering import Serve


def faults(found: list[Table | Fault]) -> list[Fault]:
    return [each for each in found if isinstance(each, Fault)]


# -- the list --------------------------------------------------------------------------------------------------------------


def test_figures_are_estimates_and_a_table_that_is_not_active_has_none(serve: Serve) -> None:
    server = serve(OldMagnetoDB([Stored("a", "new", "CREATING"), Stored("a", "old", size=1003432, item_count=3000)]).answer)
    assert read(server.address) == [
        Table("a", "new", status="creating"),
        Table(
            "a",
            "old",
            status="active",
            figures={"size_bytes": Figure(1003432, Quality.ESTIMATE), "item_count": Figure(3000, Quality.ESTIMATE)},
        ),
    ]
    assert [(asked.method, asked.path, asked.query) for asked in server.asked] == [
        ("GET", ROOT, {"metrics": "size,item_count"}),
    ]


@pytest.mark.parametrize("mends_limit", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 13, 20, 21])
def test_the_old_servers_pages_lose_no_table_and_tell_none_twice(serve: Serve, limit: int, mends_limit: bool) -> None:  # noqa: FBT001 a parameter
    wanted = stored(("acme", 7), ("globex", 1), ("initech", 12))
    server = serve(OldMagnetoDB(wanted, mends_limit=mends_limit).answer)
    found = read(server.address, f"&limit={limit}")
    assert sorted(names(found)) == sorted((table.tenant, table.name) for table in wanted)
    assert len(server.asked) < 60


def test_more_tables_than_the_old_servers_page_holds_are_all_read(serve: Serve) -> None:
    wanted = stored(("acme", 1500), ("globex", 900), ("initech", 300))
    server = serve(OldMagnetoDB(wanted).answer)
    found = read(server.address)
    assert sorted(names(found)) == sorted((table.tenant, table.name) for table in wanted)
    assert faults(found) == []
    assert len(server.asked) <= 6


def test_a_server_whose_second_page_fails_and_whose_pages_are_bounded_is_told_of(serve: Serve) -> None:
    wanted = stored(("acme", 5), ("globex", 5))
    old = OldMagnetoDB(wanted)

    def answer(asked: Asked) -> Reply:
        if int(asked.query.get("limit", "3")) > 3 or "last_evaluated_table" in asked.query:
            return refusal(500, "TypeError", "unsupported operand")
        return old.answer(asked)

    found = read(serve(answer).address, "&limit=3")
    known = old.tables[0].tenant
    assert names(found) == [(table.tenant, table.name) for table in old.tables if table.tenant == known]
    (fault,) = faults(found)
    assert "tables may be missing behind the 5 that were told: " in fault.reason
    assert "500: unsupported operand; name the projects with the option projects" in fault.reason


def test_a_server_that_ignores_where_a_page_begins_does_not_loop(serve: Serve) -> None:
    old = OldMagnetoDB(stored(("acme", 5)))
    server = serve(lambda asked: old.answer(asked._replace(query={"limit": "3"}) if asked.path == ROOT else asked))
    found = read(server.address, "&limit=3")
    assert names(found) == [(table.tenant, table.name) for table in old.tables]
    assert "a page brings nothing new" in faults(found)[0].reason
    assert len(server.asked) < 10


def test_pages_without_end_are_bounded(serve: Serve) -> None:
    numbers = itertools.count()

    def answer(asked: Asked) -> Reply:
        size = int(asked.query.get("limit", "1000"))
        return Reply(200, [{"tenant": "a", "name": f"t{next(numbers)}", "status": "CREATING"} for _ in range(size)])

    found = read(serve(answer).address, "&limit=100&tables=450")
    assert len(names(found)) == 450
    assert [fault.reason for fault in faults(found)] == ["it has more tables than are taken, 450; raise the option tables"]


def test_tables_beyond_the_bound_are_told_of_when_they_stand_on_one_page(serve: Serve) -> None:
    found = read(serve(OldMagnetoDB(stored(("a", 20))).answer).address, "&tables=5")
    assert len(names(found)) == 5
    assert len(faults(found)) == 1


def test_a_reading_ends_at_its_deadline(serve: Serve) -> None:
    numbers = itertools.count()

    def slow(_: Asked) -> Reply:
        row = {"tenant": "a", "name": f"t{next(numbers)}", "status": "CREATING"}
        return Reply(200, pieces=itertools.chain(pause(0.05), [json.dumps([row]).encode()]))

    found = read(serve(slow).address, "&limit=1&deadline=300ms")
    assert 1 <= len(names(found)) < 20
    assert "the time for one reading is up (0.3 s); raise the option deadline" in faults(found)[-1].reason


def pause(seconds: float) -> Iterator[bytes]:
    """Yield nothing, late."""
    import time  # noqa: PLC0415 the other side's delay, nothing that a test waits with

    time.sleep(seconds)
    yield b" "


def test_named_projects_are_asked_one_by_one(serve: Serve) -> None:
    server = serve(OldMagnetoDB([*stored(("a", 2), ("b/c", 1), ("d", 3)), Stored("a", "x", "DELETING")]).answer)
    found = read(server.address, "&projects=a,b%252Fc,a&metrics=size")
    assert names(found) == [("a", "t0000"), ("a", "t0001")]
    assert [asked.path for asked in server.asked] == [f"{ROOT}/a", f"{ROOT}/b%252Fc"]
    assert found[0].figures == {"size_bytes": Figure(0, Quality.ESTIMATE)}  # type: ignore[union-attr]  # a table
    assert {asked.query["metrics"] for asked in server.asked} == {"size"}


def test_one_project_that_fails_does_not_hide_another(serve: Serve) -> None:
    old = OldMagnetoDB(stored(("b", 2)))
    server = serve(lambda asked: refusal(500, "X", "one node is dead") if asked.path.endswith("/a") else old.answer(asked))
    found = read(server.address, "&projects=a,b")
    assert names(found) == [("b", "t0000"), ("b", "t0001")]
    (fault,) = faults(found)
    assert (fault.project, fault.name) == ("a", "")
    assert "500: one node is dead" in fault.reason
    with pytest.raises(Unavailable, match="one node is dead"):
        read(server.address, "&projects=a")


# -- a table alone -----------------------------------------------------------------------------------------------------------


def listed(*rows: object) -> Callable[[Asked], Reply]:
    """Return answers of a server whose list holds such rows, and which knows no more of ``good`` than two figures."""

    def answer(asked: Asked) -> Reply:
        if asked.path == ROOT:
            return Reply(200, list(rows))
        return {
            "good": Reply(200, {"size": 5, "item_count": 6}),
            "half": Reply(200, {"size": 5}),
            "gone": refusal(404, "TableNotExistsException", "no such table"),
            "later": refusal(400, "ValidationError", "not ACTIVE"),
            "wrong": Reply(200, {"size": -1, "item_count": "many"}),
            "list": Reply(200, [1]),
        }.get(asked.path.rpartition("/")[2], refusal(500, "X", "one node is dead"))

    return answer


def row(name: object, details: object = None, status: object = "ACTIVE", tenant: object = "a") -> dict[str, object]:
    return {"tenant": tenant, "name": name, "status": status, "usage_detailes": details}


def test_a_table_whose_figures_are_missing_is_asked_alone(serve: Serve) -> None:
    server = serve(listed(*(row(name, {}) for name in ("good", "half", "gone", "later", "wrong", "dead", "list"))))
    found = {each.name: each for each in read(server.address)}
    assert found["good"].figures == {"size_bytes": Figure(5, Quality.ESTIMATE), "item_count": Figure(6, Quality.ESTIMATE)}  # type: ignore[union-attr]  # a table
    assert found["half"].figures == {"size_bytes": Figure(5, Quality.ESTIMATE)}  # type: ignore[union-attr]  # a table
    assert found["later"] == Table("a", "later")
    assert "gone" not in found
    assert found["wrong"] == Fault("a", "wrong", "its item_count is no number of at least 0: 'many'")
    assert isinstance(found["dead"], Fault)
    assert isinstance(found["list"], Fault)
    assert "one node is dead" in found["dead"].reason
    assert len(server.asked) == 8


@pytest.mark.parametrize("value", [True, "5", -1, [5], {"a": 1}, 1e300])
def test_a_figure_that_is_no_number_is_left_out_and_told(serve: Serve, value: object) -> None:
    def answer(asked: Asked) -> Reply:
        figures = {"size": value, "item_count": 3}
        return Reply(200, [row("t", figures)] if asked.path == ROOT else figures)

    found = read(serve(answer).address)
    assert found[0] == Fault("a", "t", f"its size is no number of at least 0: {value!r}")
    assert found[1].figures == {"item_count": Figure(3, Quality.ESTIMATE)}  # type: ignore[union-attr]  # a table


@pytest.mark.parametrize(
    "wrong",
    [7, None, "x", [], {}, row(7), row(""), row("a\nb"), row("x" * 300), row("t", tenant=None), row("t", tenant="\x1b[2J")],
)
def test_a_row_that_is_none_is_a_fault_and_the_others_are_read(serve: Serve, wrong: object) -> None:
    found = read(serve(listed(wrong, row("t", {"size": 1, "item_count": 2}))).address)
    assert names(found) == [("a", "t")]
    (fault,) = faults(found)
    assert fault.reason.isprintable()


@pytest.mark.parametrize("status", [None, 5, "", "Creating"])
def test_a_status_of_any_type_is_taken(serve: Serve, status: object) -> None:
    (table,) = read(serve(listed(row("t", {}, status))).address)
    assert table == Table("a", "t", status="creating" if status == "Creating" else "")


# -- answers that no server should give ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [b"", b"no JSON", b"{}", b"5", b"[" * 100_000, b'[{"tenant"', b'{"a":' * 50_000, b"\xff\xfe", b"NaN", b"1" * 5000],
)
def test_an_answer_that_is_no_list_is_refused(serve: Serve, body: bytes) -> None:
    with pytest.raises(Unavailable, match=r"magnetodb\+http://127.0.0.1:\d+: what answers is no list of tables"):
        read(serve(lambda _: Reply(200, body)).address)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_names_the_cure(serve: Serve, status: int) -> None:
    with pytest.raises(Unavailable, match=rf"{status}: no; name a token with token_file=FILE, or a login with auth_url=URL"):
        read(serve(lambda _: refusal(status, "X", "no")).address)


def test_a_redirect_is_told_and_not_followed(serve: Serve) -> None:
    server = serve(lambda _: Reply(302, b"", {"Location": "http://elsewhere.example/"}))
    with pytest.raises(Unavailable, match=r"302: it points to http://elsewhere\.example/; name that URL"):
        read(server.address, "&token=s3cr3t")
    assert len(server.asked) == 1


def test_an_answer_without_end_is_broken_off(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nilometer.backends._parts.http.MOST", 1 << 20)
    with pytest.raises(Unavailable, match="the answer exceeds 1048576 bytes or 2 s"):
        read(serve(lambda _: Reply(200, pieces=itertools.repeat(b" " * 65536))).address)


def test_a_slow_answer_is_broken_off(serve: Serve) -> None:
    server = serve(lambda _: Reply(200, pieces=itertools.chain.from_iterable(pause(0.05) for _ in itertools.count())))
    with pytest.raises(Unavailable, match=r"the answer exceeds \d+ bytes or 0.2 s"):
        list(registry.open(f"magnetodb+http://{server.address}?timeout=200ms", registry.TABLES).read_tables())


def test_a_server_that_is_away_is_unavailable() -> None:
    with Answering(lambda _: Reply(200)) as server:
        address = server.address
    with pytest.raises(Unavailable, match=rf"magnetodb\+http://{address}: 127.0.0.1 port \d+: "):
        read(address)


def test_another_address_of_the_same_system_answers_when_one_is_away(serve: Serve) -> None:
    with Answering(lambda _: Reply(200)) as gone:
        address = gone.address
    server = serve(OldMagnetoDB(stored(("a", 1))).answer)
    assert names(read(f"{address},{server.address}")) == [("a", "t0000")]


def test_check_says_what_answers(serve: Serve) -> None:
    server = serve(OldMagnetoDB(stored(("a", 1))).answer)
    url = f"magnetodb+http://{server.address}"
    assert registry.open(url, registry.HEALTH).check() == "its monitoring API tells of all projects"
    assert registry.open(f"{url}?projects=a", registry.HEALTH).check() == "its monitoring API tells of that project"
    with pytest.raises(Unavailable, match="what answers is no list"):
        registry.open(f"magnetodb+http://{serve(lambda _: Reply(200, {})).address}", registry.HEALTH).check()


# -- the contract of all sources -----------------------------------------------------------------------------------------------


class TestContract(TableSourceContract):
    """MagnetoDB keeps the contract; it tells of no indexes, and of estimates."""

    @pytest.fixture
    def shop(self, serve: Serve) -> Shop:
        held = [Stored("shop", "orders", size=ORDERS * 90, item_count=ORDERS), Stored("shop", "vacant", size=0, item_count=0)]
        server = serve(OldMagnetoDB(held).answer)
        away = f"magnetodb+http://127.0.0.1:{free_port()}?token=hunter2"
        return Shop(f"magnetodb+http://{server.address}", "shop", index="", close_to=0.001, away=away)
