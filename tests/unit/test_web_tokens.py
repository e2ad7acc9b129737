"""Tokens: the file, and what the command line says about it."""

from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from nilometer.cli.main import main
from nilometer.core.errors import ConfigError, StoreError
from nilometer.web import tokens as module
from nilometer.web.tokens import Scope, TokenFile, Tokens, digest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "state" / "tokens.json")


def test_what_is_kept_is_a_hash(file: TokenFile) -> None:
    first, second = file.create("a", "read"), file.create("b", "admin")
    assert first != second
    assert len(first.removeprefix("nilometer_")) == 43
    assert first not in file.path.read_text()
    assert [(token.name, token.reach, token.hash) for token in file.read()] == [
        ("a", Scope.READ, digest(first)),
        ("b", Scope.ADMIN, digest(second)),
    ]
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700
    assert os.listdir(file.path.parent) == ["tokens.json"]  # noqa: PTH208 names alone


@pytest.mark.parametrize("name", ["", "a b", "-x", "a/b", "x" * 65, "a\n", "\u00e9"])
def test_a_name_is_plain(file: TokenFile, name: str) -> None:
    with pytest.raises(ConfigError, match="no name for a token"):
        file.create(name, "read")


def test_names_are_unique_and_tokens_bounded(file: TokenFile, monkeypatch: pytest.MonkeyPatch) -> None:
    file.create("a", "read")
    with pytest.raises(ConfigError, match="nilometer token revoke a"):
        file.create("a", "read")
    monkeypatch.setattr(module, "MOST", 1)
    with pytest.raises(ConfigError, match="revoke some"):
        file.create("b", "read")


def test_all_or_none_are_revoked(file: TokenFile) -> None:
    file.create("alpha", "read")
    file.create("beta", "read")
    with pytest.raises(ConfigError, match="did you mean 'beta'"):
        file.revoke(["alpha", "betta"])
    assert len(file.read()) == 2
    file.revoke(["alpha", "beta"])
    assert file.read() == []


def test_changes_at_a_time_are_all_kept(file: TokenFile) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: file.create(f"t{number}", "read"), range(20)))
    assert {token.name for token in file.read()} == {f"t{number}" for number in range(20)}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[" * 100_000,
        '{"version": 1}',
        '{"version": 1, "tokens": [{"name": "a"}]}',
        '{"version": 1, "tokens": [{"name": "a", "scope": "root", "hash": "%s", "created": 1}]}' % ("0" * 64),
        '{"version": 1, "tokens": [{"name": "a", "scope": "read", "hash": "", "created": 1}]}',
        '{"version": 1, "tokens": [{"name": 1, "scope": "read", "hash": "", "created": 1}]}',
    ],
)
def test_a_broken_file_is_named_and_lets_nobody_in(file: TokenFile, text: str) -> None:
    file.create("a", "read")
    known = Tokens(file)
    assert known.known()
    file.path.write_text(text)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"tokens\.json: tokens cannot be read"):
            known.known()
    with pytest.raises(StoreError):
        file.create("b", "read")
    file.path.unlink()
    assert known.known() is None


def test_a_server_sees_changes(file: TokenFile) -> None:
    known = Tokens(file)
    assert known.known() is None
    first = file.create("a", "read")
    assert list(known.known() or ()) == [digest(first)]
    second = file.create("b", "read")
    assert list(known.known() or ()) == [digest(first), digest(second)]
    file.revoke(["a"])
    assert list(known.known() or ()) == [digest(second)]
    file.revoke(["b"])
    assert known.known() == {}


def test_a_disk_that_refuses_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(StoreError, match="tokens cannot be kept"):
        TokenFile(tmp_path / "taken" / "tokens.json").create("a", "read")


def test_the_command_line_makes_lists_and_revokes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NILOMETER_SERVER_STATE", str(tmp_path))
    assert main(["token", "list"]) == 0
    assert "this machine alone may ask" in capsys.readouterr().out
    assert main(["token", "create", "grafana", "--scope", "write"]) == 0
    made = capsys.readouterr()
    assert [token.hash for token in TokenFile(tmp_path / "tokens.json").read()] == [digest(made.out.strip())]
    assert "Authorization: Bearer" in made.err
    assert main(["token", "create", "grafana"]) == 2
    assert main(["token", "list"]) == 0
    assert capsys.readouterr().out.split()[:2] == ["grafana", "write"]
    assert main(["token", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "grafana"
    assert main(["token", "revoke", "grafana"]) == 0
    assert "nobody may ask" in capsys.readouterr().err
    assert main(["token", "list"]) == 0
    assert "nobody may ask" in capsys.readouterr().out
    assert TokenFile(tmp_path / "tokens.json").read() == []


def test_a_shell_completes_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    TokenFile(tmp_path / "tokens.json").create("grafana", "read")
    monkeypatch.setenv("_NILOMETER_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_CWORD", "5")
    for state, found in ((tmp_path, ["plain,grafana"]), (tmp_path / "none", [])):
        monkeypatch.setenv("COMP_WORDS", f"nilometer token revoke --server-state {state} g")
        main([])
        assert capsys.readouterr().out.split() == found
    (tmp_path / "tokens.json").write_text("broken")
    monkeypatch.setenv("COMP_WORDS", f"nilometer token revoke --server-state {tmp_path} g")
    main([])
    assert capsys.readouterr().out.split() == []
