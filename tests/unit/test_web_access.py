"""Who may ask over HTTP: tokens and scopes, addresses, other sites; what every answer tells a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fastapi import APIRouter, FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from nilometer.ingest._reference import ReferenceKernel
from nilometer.testing.asgi import Answer, Asker
from nilometer.testing.control import control
from nilometer.web import bodies, failures
from nilometer.web.access import Access, needed
from nilometer.web.app import application
from nilometer.web.bodies import Bounded
from nilometer.web.errors import refused
from nilometer.web.failures import Failures
from nilometer.web.parts import Parts
from nilometer.web.tokens import SCOPES, Scope, TokenFile, Tokens

if TYPE_CHECKING:
    from pathlib import Path

HERE, THERE = "127.0.0.1", "192.0.2.1"
SITE = "https://grafana.example"


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "tokens.json")


def client(file: TokenFile, server: str = HERE, **access: Any) -> Asker:  # noqa: ANN401 see Access
    return Asker(application(Parts(control(ReferenceKernel())), Access(Tokens(file).known, **access)), server)


def bearer(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["error"]["code"]


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/api/v1/health", Scope.NONE),
        ("HEAD", "/", Scope.NONE),
        ("GET", "/assets/app.js", Scope.NONE),
        ("PUT", "/api/v1/health", Scope.WRITE),
        ("GET", "/api/v1/healthy", Scope.READ),
        ("GET", "/api/v1/health/", Scope.READ),
        ("GET", "//", Scope.READ),
        ("GET", "/assets", Scope.READ),
        ("GET", "/assets/a\nb", Scope.READ),
        ("GET", "/metrics", Scope.READ),
        ("GET", "/nothing", Scope.READ),
        ("OPTIONS", "/api/v1/health", Scope.READ),
        ("POST", "/render", Scope.READ),
        ("POST", "/metrics/find/", Scope.READ),
        ("POST", "/tags", Scope.READ),
        ("POST", "/tags/tagSeries", Scope.WRITE),
        ("POST", "/tags/delSeries", Scope.WRITE),
        ("POST", "/rendering", Scope.WRITE),
        ("POST", "/tags/autoComplete/tags", Scope.READ),
        ("DELETE", "/api/v1/counters/a", Scope.WRITE),
        ("BREW", "/api/v1/top", Scope.WRITE),
        ("GET", "/api/v1/config", Scope.ADMIN),
    ],
)
def test_each_request_takes_its_scope(method: str, path: str, scope: Scope) -> None:
    assert needed(method, path) is scope


def test_every_request_takes_the_scope_that_its_description_names(file: TokenFile) -> None:
    asking = client(file)
    paths = asking.ask("/api/v1/openapi.json").json["paths"]
    texts = {scope.word: file.create(scope.word, scope.word) for scope in Scope if scope}
    for path, operations in paths.items():
        for method, operation in operations.items():
            names = [scope for each in operation["security"] for scope in each["token"]]
            status = asking.ask(path, method.upper()).status
            assert (status == 401) == bool(names), (method, path)
            below = [scope.word for scope in Scope if scope and names and scope < Scope[names[0].upper()]]
            assert {asking.ask(path, method.upper(), bearer(texts[word])).status for word in below} <= {403}, (method, path)


def test_a_scope_reaches_what_is_below_it(file: TokenFile) -> None:
    asking = client(file, THERE)
    texts = {scope: file.create(scope, scope) for scope in SCOPES}
    found = {
        scope: [
            asking.ask(f"/api/v1/{path}", method, headers=bearer(text)).status
            for method, path in (("GET", "stats"), ("DELETE", "counters/none"), ("GET", "config"))
        ]
        for scope, text in texts.items()
    }
    assert found == {"read": [200, 403, 403], "write": [200, 404, 403], "admin": [200, 404, 200]}
    refused = asking.ask("/api/v1/config", headers=bearer(texts["read"]))
    assert refused.json["error"]["message"] == "the token 'read' is good for read; this takes admin"
    assert 'scope="admin"' in refused.headers["www-authenticate"]


def test_another_way_to_prove_oneself_is_told_the_way_here_and_is_no_wrong_token(file: TokenFile) -> None:
    file.create("a", "admin")
    asking = client(file)
    for _ in range(20):
        answer = asking.ask("/api/v1/stats", headers={"authorization": "Basic Zm9vOmJhcg=="})
        assert code(answer) == (401, "unauthorized")
        assert answer.json["error"]["message"].endswith("Authorization: Bearer TOKEN")


@pytest.mark.parametrize(
    "given", ["Bearer ", "Bearer x", "Basic {0}", "{0}", "Bearer {0}x", "Bearer {0} x", b"Bearer \xe9\xff", "Bearer \ud7ff"]
)
def test_a_wrong_token_is_refused(file: TokenFile, given: str | bytes) -> None:
    text = file.create("a", "admin")
    value = given.format(text) if isinstance(given, str) else given
    answer = client(file).ask("/api/v1/stats", headers={"authorization": value})
    assert code(answer) == (401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_revoked_token_is_refused_at_once(file: TokenFile) -> None:
    asking, text = client(file, THERE), file.create("a", "read")
    file.create("b", "read")
    assert asking.ask("/api/v1/stats", headers={"authorization": f"bearer  {text} "}).status == 200
    file.revoke(["a"])
    assert code(asking.ask("/api/v1/stats", headers=bearer(text))) == (401, "unauthorized")


def test_health_and_the_page_take_no_token(file: TokenFile) -> None:
    file.create("a", "read")
    asking = client(file, THERE)
    assert asking.ask("/api/v1/health").status == 200
    assert asking.ask("/assets/none.js").status in {404, 503}
    assert code(asking.ask("/api/v1/health", "PUT", body=b'{"health": "down"}')) == (401, "unauthorized")


def test_without_tokens_only_this_machine_asks(file: TokenFile) -> None:
    assert client(file).ask("/api/v1/config").status == 200
    assert client(file, "::1").ask("/api/v1/config").status == 200
    beyond = client(file, THERE)
    answer = beyond.ask("/api/v1/stats", headers={"host": "127.0.0.1"})
    assert code(answer) == (401, "unauthorized")
    assert "nilometer token create" in answer.json["error"]["message"]
    assert beyond.ask("/api/v1/health").status == 200


def test_to_revoke_the_last_token_opens_nothing(file: TokenFile) -> None:
    asking = client(file)
    assert asking.ask("/api/v1/stats").status == 200
    text = file.create("a", "admin")
    file.revoke(["a"])
    assert code(asking.ask("/api/v1/stats", headers=bearer(text))) == (401, "unauthorized")
    assert "nilometer token create" in asking.ask("/api/v1/stats").json["error"]["message"]
    file.path.unlink()
    assert asking.ask("/api/v1/stats").status == 200


def test_tokens_that_cannot_be_read_let_nobody_in(file: TokenFile, caplog: pytest.LogCaptureFixture) -> None:
    asking, text = client(file), file.create("a", "admin")
    file.path.write_text("{")
    for _ in range(2):
        assert code(asking.ask("/api/v1/stats", headers=bearer(text))) == (503, "unavailable")
    assert asking.ask("/api/v1/health").status == 200
    assert len([record for record in caplog.records if "tokens cannot be read" in record.message]) == 1


def test_who_comes_with_wrong_tokens_waits_but_hinders_nobody(
    file: TokenFile, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(failures, "MOST", 3)
    asking, text = client(file), file.create("a", "read")
    found = [asking.ask("/api/v1/stats", headers=bearer("x")) for _ in range(5)]
    assert [answer.status for answer in found] == [401, 401, 401, 429, 429]
    assert code(found[-1]) == (429, "too_many")
    assert 0 < int(found[-1].headers["retry-after"]) <= failures.WINDOW
    assert asking.ask("/api/v1/stats", headers=bearer(text)).status == 200
    assert asking.ask("/api/v1/stats").status == 401
    assert [record.message for record in caplog.records if "203.0.113.7" in record.message] == caplog.messages
    assert len(caplog.messages) == 1


def test_failures_are_counted_by_address_within_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "MOST", 2)
    now = [100.0]
    table = Failures(lambda: now[0])
    assert [table.count("192.0.2.1") for _ in range(3)] == [0, 0, 60]
    assert table.count("192.0.2.2") == 0
    assert [table.count(f"2001:db8::{number}") for number in range(3)] == [0, 0, 60]
    assert table.count("2001:db8:0:1::1") == 0
    now[0] += 59.5
    assert table.count("192.0.2.1") == 1
    now[0] += 1
    assert table.count("192.0.2.1") == 0
    assert [table.count("no address") for _ in range(3)] == [0, 0, 60]


def test_the_table_of_failures_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "PLACES", 10)
    table = Failures(lambda: 0.0)
    for number in range(100):
        table.count(f"192.0.2.{number}")
    assert len(table) == 10


def test_other_sites_read_nothing_unless_they_are_named(file: TokenFile) -> None:
    asked = {"origin": SITE, "access-control-request-method": "GET", "access-control-request-headers": "authorization"}
    closed, opened = client(file), client(file, origins=frozenset({SITE}))
    for answer in (closed.ask("/api/v1/stats", headers=asked), closed.ask("/api/v1/stats", "OPTIONS", asked)):
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert opened.ask("/api/v1/stats", headers=asked).headers["access-control-allow-origin"] == SITE
    before = opened.ask("/api/v1/stats", "OPTIONS", headers=asked)
    assert (before.status, before.headers["access-control-allow-origin"]) == (200, SITE)
    other = opened.ask("/api/v1/stats", "OPTIONS", headers=asked | {"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers
    assert "access-control-allow-credentials" not in before.headers


def test_only_a_named_site_changes_something(file: TokenFile) -> None:
    asking, text = client(file, origins=frozenset({SITE})), file.create("a", "write")
    for origin, status in ((SITE, 200), ("https://evil.example", 403)):
        headers = bearer(text) | {"origin": origin, "sec-fetch-site": "cross-site"}
        assert asking.ask("/api/v1/health", "PUT", headers, b'{"health": "up"}').status == status


@pytest.mark.parametrize("path", ["/api/v1/health", "/api/v1/top?limit=x", "/none", "/api/v1/stats"])
def test_every_answer_tells_browsers_what_they_may(file: TokenFile, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ReferenceKernel, "totals", lambda _: 1 / 0)
    headers = client(file).ask(path).headers
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_a_body_is_bounded_where_no_route_bounds_it() -> None:
    router = APIRouter()

    @router.post("/render")
    async def render(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    app = FastAPI(exception_handlers={HTTPException: refused}, middleware=[Middleware(Bounded)])
    app.include_router(router)
    assert Asker(app).ask("/render", "POST", body=b"a" * bodies.MOST).json == {"bytes": bodies.MOST}
    assert code(Asker(app).ask("/render", "POST", body=b"a" * (bodies.MOST + 1))) == (413, "too_large")
