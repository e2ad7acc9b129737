"""Names of endpoints, methods and tenants: where they come from, what they are bounded to."""

from __future__ import annotations

import asyncio
import inspect
import re
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nilometer.core.bounded import Bounded
from nilometer.emit.requests import endpoints
from nilometer.emit.requests.endpoints import clean, endpoint, entered, header, tenant_header, tenant_parameter
from nilometer.emit.requests.frameworks import starlette
from nilometer.emit.requests.measure import Exchange


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(0.0)


@given(st.text())
def test_every_name_becomes_one_part_of_a_statsd_name(name: str) -> None:
    assert re.fullmatch("[A-Za-z0-9_-]{1,81}", clean(name))
    assert clean(clean(name)) == clean(name)


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("put_item", "put_item"),
        ("api.v1:index", "api_v1_index"),
        ("/items/{id}", "items_id"),
        ("a|b@c#d\n", "a_b_c_d"),
        ("", "unnamed"),
        ("é", "unnamed"),
        ("error", "error_"),
        ("x" * 500, "x" * 80),
    ],
)
def test_cleaning(name: str, cleaned: str) -> None:
    assert clean(name) == cleaned


@given(st.lists(st.text()), st.integers(0, 5))
def test_the_number_of_names_is_bounded(names: list[str], most: int) -> None:
    bounded = Bounded(most, clean, given=("given",))
    answers = {bounded(name) for name in names}
    assert len(answers - {"other", "given"}) <= most
    assert bounded("given") == "given"


def test_a_name_that_was_known_stays_known() -> None:
    bounded = Bounded(2, clean)
    assert [bounded(name) for name in ("a", "b", "c", "a", "x" * 1000)] == ["a", "b", "other", "a", "other"]


def test_methods_are_the_known_ones() -> None:
    assert endpoints.known_method("PATCH") == "PATCH"
    assert endpoints.known_method("BREW") == "other"
    assert endpoints.of_template("GET", "/items/{id}") == "get_items/{id}"


def test_a_decorated_function_tells_that_it_is_entered(exchange: Exchange) -> None:
    @endpoint("create_table")
    def create(table: str, *, size: int) -> tuple[str, int]:
        return table, size

    assert create("outside", size=1) == ("outside", 1)
    token = endpoints.current.set(exchange)
    try:
        assert create("t", size=2) == ("t", 2)
    finally:
        endpoints.current.reset(token)
    assert exchange.endpoint == "create_table"
    assert exchange.dispatch is not None
    assert list(inspect.signature(create).parameters) == ["table", "size"]


def test_a_decorated_coroutine_function_stays_one(exchange: Exchange) -> None:
    @endpoint("query")
    async def query(value: int) -> int:
        await asyncio.sleep(0)
        return value

    assert inspect.iscoroutinefunction(query)
    token = endpoints.current.set(exchange)
    try:
        assert asyncio.run(query(3)) == 3
    finally:
        endpoints.current.reset(token)
    assert exchange.endpoint == "query"


def test_headers_are_found_on_both_sides() -> None:
    scope = {"headers": [(b"Host", b"h"), (b"x-project-id", b"p1")]}
    assert header(scope, "X-Project-Id") == "p1"
    assert header({"HTTP_X_PROJECT_ID": "p2"}, "X-Project-Id") == "p2"
    assert header(scope, "X-Tenant-Id") is None
    assert header({}, "X-Tenant-Id") is None


def test_a_tenant_is_found_in_keystones_headers_or_in_others() -> None:
    assert tenant_header()({"HTTP_X_TENANT_ID": "t", "HTTP_X_PROJECT_ID": ""}) == "t"
    assert tenant_header("X-Org")({"HTTP_X_ORG": "o", "HTTP_X_PROJECT_ID": "p"}) == "o"
    assert tenant_header()({}) is None


def test_a_tenant_is_found_in_a_parameter_of_the_path(exchange: Exchange) -> None:
    tenant = tenant_parameter("project")
    assert tenant({}) is None
    token = endpoints.current.set(exchange)
    try:
        assert tenant({}) is None
        entered("list", {"project": 7})
        assert tenant({}) == "7"
    finally:
        endpoints.current.reset(token)


def test_starlettes_route_is_in_the_scope() -> None:
    route = SimpleNamespace(name="read_item", path="/items/{id}")
    assert starlette.find({"route": route, "path_params": {"id": 1}}) == ("read_item", {"id": 1})
    assert starlette.find({"route": SimpleNamespace(name=None, path="/static")}) == ("/static", {})
    assert starlette.find({"endpoint": test_methods_are_the_known_ones}) == ("test_methods_are_the_known_ones", {})
    assert starlette.find({}) is None
