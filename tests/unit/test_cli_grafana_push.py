"""``nilometer dashboards --push``, against a fake of Grafana over real HTTP: what is made, left alone, refused, and said."""

from __future__ import annotations

import re
import ssl
from typing import TYPE_CHECKING

import pytest

from nilometer.cli.grafana import push
from nilometer.cli.main import main
from nilometer.testing.certificates import certificate
from nilometer.testing.grafana import FakeGrafana, Reply
from nilometer.testing.series import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Run = Callable[..., tuple[int, list[str], str]]

NEW = ["stats.counters.web.hits.rate", "stats.timers.web.time.mean"]
MORE = [*NEW, "stats.gauges.web.load", "stats.gauges.db.pool"]


@pytest.fixture
def grafana() -> Iterator[FakeGrafana]:
    fake = FakeGrafana("/grafana")
    yield fake
    fake.close()


@pytest.fixture
def run(grafana: FakeGrafana, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Push the dashboards of paths; return the exit code, what was said line by line, and the errors."""
    monkeypatch.setenv("GRAFANA_TOKEN", "admin")

    def pushed(*options: str, paths: list[str] = NEW, to: str = grafana.url) -> tuple[int, list[str], str]:
        monkeypatch.setattr("nilometer.backends.registry.open", lambda _url, _capability: Shelf({path: {} for path in paths}))
        code = main(["dashboards", "memory://", "--push", to, *options])
        said = capsys.readouterr()
        return code, said.out.splitlines(), said.err

    return pushed


def states(lines: list[str]) -> list[tuple[str, str]]:
    return [(line.split()[0], " ".join(line.split()[1:3])) for line in lines]


def uid(grafana: FakeGrafana, title: str = "Nilometer: web") -> str:
    return next(each for each, saved in grafana.boards.items() if saved[-1]["data"]["title"] == title)


def changed(grafana: FakeGrafana, message: str = "", **more: object) -> None:
    """Save the dashboard as someone would on Grafana's page."""
    saved = grafana.boards[uid(grafana)]
    saved.append({"data": {**saved[-1]["data"], "version": len(saved) + 1, **more}, "message": message})


def test_a_second_push_changes_nothing(grafana: FakeGrafana, run: Run) -> None:
    code, lines, _ = run()
    assert code == 0
    names = ["data source", "folder nilometer", "dashboard Nilometer:", "dashboard Nilometer:"]
    assert states(lines) == [("created", name) for name in names]
    assert lines[-1].endswith(f"{grafana.url}/d/{uid(grafana)}")
    writes = len(grafana.writes)
    assert writes == 4
    code, lines, _ = run()
    assert (code, states(lines)) == (0, [("unchanged", name) for name in names])
    assert len(grafana.writes) == writes
    assert grafana.metas[uid(grafana)]["folderUid"] == "nilometer"
    assert grafana.sources["nilometer"]["url"] == "http://127.0.0.1:8127"


@pytest.mark.parametrize("major", [9, 12])
def test_what_differs_is_updated_and_the_rest_is_left_alone(major: int, run: Run) -> None:
    fake = FakeGrafana(major=major)
    try:
        run(to=fake.url)
        for _ in range(2):  # from the first version, which Grafana gives a message of its own, and from a later one
            code, lines, _ = run(to=fake.url, paths=MORE)
            assert code == 0
            assert [state for state, _ in states(lines)] == ["unchanged", "unchanged", "updated", "created", "updated"]
            fake.boards.pop(uid(fake, "Nilometer: db"))
            run(to=fake.url, paths=NEW)
        assert [each["data"]["version"] for each in fake.boards[uid(fake)]] == [1, 2, 3, 4, 5]
    finally:
        fake.close()


def test_what_grafana_adds_and_what_is_chosen_does_not_count(grafana: FakeGrafana, run: Run) -> None:
    run()
    theirs = grafana.boards[uid(grafana)][-1]["data"]
    theirs.update(schemaVersion=42, links=[], liveNow=False)
    theirs["panels"][0]["pluginVersion"] = "12.0.0"
    theirs["templating"]["list"][0]["current"] = {"text": ["hits"], "value": ["hits"]}
    assert {state for state, _ in states(run()[1])} == {"unchanged"}


def test_what_someone_changed_stays_until_it_is_to_be_overwritten(grafana: FakeGrafana, run: Run) -> None:
    run()
    changed(grafana, "Initial save", tags=["mine"])
    grafana.metas[uid(grafana)]["folderUid"] = ""
    code, lines, errors = run(paths=MORE)
    assert code == 1
    assert "refused    dashboard Nilometer: web: someone has changed it in Grafana; --overwrite replaces it" in errors
    assert ("created", "dashboard Nilometer:") in states(lines)  # the others go on
    assert grafana.boards[uid(grafana)][-1]["data"]["tags"] == ["mine"]
    code, lines, _ = run("--overwrite", paths=MORE)
    assert (code, states(lines)[-1][0]) == (0, "updated")
    assert grafana.boards[uid(grafana)][-1]["data"]["tags"] == ["nilometer"]
    assert grafana.metas[uid(grafana)]["folderUid"] == ""  # it stays where it was moved to
    assert run(paths=MORE)[0] == 0


def test_a_save_at_the_same_moment_is_told(grafana: FakeGrafana, run: Run) -> None:
    run()

    def saved_now(method: str, path: str) -> None:
        if method == "POST" and path.endswith("/db"):
            changed(grafana)

    grafana.instead = saved_now
    code, _, errors = run(paths=[*NEW, "stats.counters.web.errors.rate"])
    assert code == 1
    assert "412: The dashboard has been changed by someone else; someone saved it at the same moment" in errors


def test_the_data_source_is_mended_and_keeps_what_people_added(grafana: FakeGrafana, run: Run, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first")
    run("--data-source-token-file", str(token))
    assert grafana.secrets["nilometer"] == {"httpHeaderValue1": "Bearer first"}
    source = grafana.sources["nilometer"]
    source |= {"name": "Ours", "isDefault": True, "access": "direct", "url": "http://theirs:1"}
    source["jsonData"]["timeout"] = 60
    assert states(run()[1])[0][0] == "updated"
    assert grafana.secrets["nilometer"] == {"httpHeaderValue1": "Bearer first"}  # not sent, so kept
    source = grafana.sources["nilometer"]
    assert (source["name"], source["isDefault"], source["access"], source["url"]) == ("Ours", True, "proxy", "http://theirs:1")
    assert source["jsonData"]["timeout"] == 60
    assert states(run("--data-source", "http://ours:2")[1])[0][0] == "updated"
    assert grafana.sources["nilometer"]["url"] == "http://ours:2"
    token.write_text("second")
    for state in ("updated", "unchanged"):
        assert states(run("--data-source-token-file", str(token))[1])[0][0] == state
        assert grafana.secrets["nilometer"]["httpHeaderValue1"] == "Bearer second"
    assert states(run("--data-source-token-file", str(token), "--overwrite")[1])[0][0] == "updated"
    assert "second" not in str(grafana.sources)


def test_another_header_of_the_data_source_stays(grafana: FakeGrafana, run: Run, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("reads")
    run()
    grafana.sources["nilometer"]["jsonData"]["httpHeaderName1"] = "X-Scope-OrgID"
    grafana.secrets["nilometer"]["httpHeaderValue1"] = "7"
    run("--data-source-token-file", str(tmp_path / "token"))
    assert grafana.secrets["nilometer"] == {"httpHeaderValue1": "7", "httpHeaderValue2": "Bearer reads"}
    assert grafana.sources["nilometer"]["jsonData"]["httpHeaderName2"] == "Authorization"


def test_what_is_provisioned_is_refused_only_when_it_differs(grafana: FakeGrafana, run: Run) -> None:
    run()
    grafana.sources["nilometer"]["readOnly"] = True
    grafana.metas[uid(grafana)]["provisioned"] = True
    assert run()[0] == 0
    code, _, errors = run("--data-source", "http://other:1", paths=MORE)
    assert code == 1
    assert "data source Nilometer: it is provisioned from a file and differs; change it there" in errors
    assert "dashboard Nilometer: web: it is provisioned from a file and differs; write the files anew" in errors


def test_names_that_others_have_are_told(grafana: FakeGrafana, run: Run) -> None:
    grafana.sources["other"] = {"name": "Nilometer"}
    grafana.folders["other"] = {"title": "Nilometer"}
    code, lines, errors = run()
    assert (code, lines) == (1, [])
    assert "409: data source with the same name already exists; rename or delete the data source" in errors
    assert "409: a folder with the same name already exists" in errors
    assert "name its uid with --folder" in errors
    code, lines, _ = run("--folder", "other")
    assert ("unchanged", "folder other") in states(lines)
    grafana.sources["nilometer"] = {"uid": "nilometer", "name": "x", "type": "loki"}
    grafana.secrets["nilometer"] = {}
    assert "is that of a data source of type loki" in run("--folder", "other")[2]


def test_a_token_that_may_not_do_it_is_told_which_permission_it_lacks(grafana: FakeGrafana, run: Run) -> None:
    code, lines, errors = run("--token", "editor")
    assert code == 1
    assert "Permissions needed: datasources:read; allow the service account datasources:read, or the role Admin" in errors
    assert [state for state, _ in states(lines)] == ["created"] * 3  # an editor can do the rest
    grafana.folders.clear()
    code, lines, errors = run("--token", "viewer")
    assert "403: You'll need additional permissions" in errors
    assert "allow the service account folders:create" in errors
    code, lines, errors = run("--token", "s3cret")
    assert (code, lines) == (1, [])
    assert "401: Unauthorized; make a token for a service account" in errors
    assert "s3cret" not in errors


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(301, "", "https://grafana.example/api/health"), "301: it points to https://grafana.example/api/health"),
        (Reply(404, "<html>"), "404: what answers is no Grafana; name the URL that a browser shows, with its sub-path"),
        (Reply(200, "<html>"), "200: what answers is no Grafana"),
        (Reply(503, {"database": "failing"}), "503: .* look at Grafana's log"),
    ],
)
def test_what_is_no_grafana_never_sees_the_token(grafana: FakeGrafana, run: Run, reply: Reply, told: str) -> None:
    asked = []
    answer = grafana.answer

    def noted(method: str, path: str, token: str, body: object) -> Reply:
        asked.append((path, token))
        return answer(method, path, token, body)

    grafana.answer, grafana.instead = noted, lambda _method, _path: reply  # type: ignore[method-assign]  # a look at what arrives
    code, lines, errors = run()
    assert (code, lines) == (1, [])
    assert re.search(told, errors)
    assert asked == [("/grafana/api/health", "")]


@pytest.mark.parametrize(
    ("status", "told"),
    [(200, "<p>"), (302, "it points to"), (404, "no API of Grafana is there"), (500, "Grafana's log"), (429, "push again")],
)
def test_an_answer_that_ends_the_push_says_why(grafana: FakeGrafana, run: Run, status: int, told: str) -> None:
    grafana.instead = lambda _, path: Reply(status, "<p>", "http://elsewhere") if "/dashboards/" in path else None
    code, lines, errors = run()
    assert code == 1
    assert f": {status}: " in errors
    assert told in errors
    assert [state for state, _ in states(lines)] == ["created", "created"]


def test_a_certificate_is_verified(run: Run, tmp_path: Path) -> None:
    made = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    fake = FakeGrafana(tls=context)
    try:
        code, _, errors = run(to=fake.url)
        assert code == 1
        assert "name the authority that signed it with --ca-file" in errors
        assert run("--ca-file", str(made.certificate), to=fake.url)[0] == 0
    finally:
        fake.close()


def test_wrong_use_says_what_to_type(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("admin\n")
    monkeypatch.delenv("GRAFANA_TOKEN")
    assert run("--token-file", str(tmp_path / "token"))[0] == 0
    code, _, errors = run()
    assert code == 2
    assert "--token-file FILE, --token, or $GRAFANA_TOKEN" in errors
    assert run("--token", "two words")[0] == 2
    assert run("--token", "admin", to="grafana.example")[0] == 2
    assert main(["dashboards", "memory://"]) == 2


def test_a_list_of_other_length_or_a_missing_key_differs() -> None:
    ours = {"a": [1, {"b": "c"}], "current": 1, "schemaVersion": 39}
    assert push.holds({"a": [1.0, {"b": "c", "d": 0}]}, ours)
    others: list[object] = [{"a": [1]}, {"a": [1, {}]}, {"a": [1, {"b": "x"}]}, {}, [], None]
    for theirs in others:
        assert not push.holds(theirs, ours)
