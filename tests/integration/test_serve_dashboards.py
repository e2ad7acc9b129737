"""Dashboards of what a real server keeps, in both trees of names: made over TLS or from the store; each target finds series."""

from __future__ import annotations

import json
import socket
import time
from datetime import UTC
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from nilometer.backends import registry
from nilometer.cli.main import main
from nilometer.query.evaluate import evaluate
from nilometer.testing.certificates import certificate
from nilometer.testing.grafana_variables import filled, offered
from nilometer.testing.serving import Serving
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nilometer.testing.certificates import Certificate

SENT = b"""\
web.login.hits:3|c
web.login.errors:1|c
web.login.time:20|ms
web.users:ada|s
db.pool:7|g
web.tagged.hits:1|c|#dc:east,host:a
web.tagged.time:20|ms|#dc:west
this is no line
"""


class Site(NamedTuple):
    server: Serving
    url: str
    authority: str
    stores: tuple[str, str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("dashboards")
    made = certificate(folder)
    stores = (f"sqlite:///{folder}/new.db", f"sqlite:///{folder}/old.db?namespace=legacy")
    listen = f"--web-listen=https://localhost:0?cert={made.certificate}&key={made.key}"
    arguments = ("--listen=udp://127.0.0.1:0", "--flush-interval=1s", listen)
    server = Serving(*arguments, state=folder / "state", sinks=stores)
    try:
        yield _filled(server.ready(), made, stores)
    finally:
        server.kill()


def _filled(server: Serving, made: Certificate, stores: tuple[str, str]) -> Site:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(SENT, server.address("udp"))
    until(lambda: all(_has(store, "*.sink.*.age") and _has(store, "*web*") for store in stores), "the stores have series")
    return Site(server, f"https://localhost:{server.interface('HTTP interface')[1]}", str(made.certificate), stores)


def _has(store: str, glob: str) -> bool:
    reader = registry.open(store, "series")
    try:
        return bool(reader.find(glob, 1))
    finally:
        reader.close()


def boards(folder: Path) -> dict[str, dict[str, Any]]:
    return {file.stem: json.loads(file.read_text("utf-8")) for file in sorted((folder / "dashboards").iterdir())}


def test_over_tls_the_server_gives_the_same_dashboards_as_its_store(site: Site, tmp_path: Path) -> None:
    for name, line in (("served", [site.url, "--from-ca-file", site.authority]), ("stored", [site.stores[0]])):
        assert main(["dashboards", *line, "--output", str(tmp_path / name)]) == 0
    assert boards(tmp_path / "served") == boards(tmp_path / "stored")
    assert {"overview", "prefix-db", "prefix-web"} <= set(boards(tmp_path / "served"))
    source = (tmp_path / "served/provisioning/datasources/nilometer.yaml").read_text("utf-8")
    assert f'url: "{site.url}"' in source


@pytest.mark.parametrize("tree", [0, 1], ids=["new", "old"])
def test_every_target_finds_series_and_every_variable_values(site: Site, tmp_path: Path, tree: int) -> None:
    assert main(["dashboards", site.stores[tree], "--output", str(tmp_path)]) == 0
    reader, now = registry.open(site.stores[tree], "series"), int(time.time())

    def drawn(target: str) -> bool:
        return bool(evaluate(reader, [target], now - 600, now + 10, now=now, zone=UTC))

    for name, board in boards(tmp_path).items():
        assert board["panels"], name
        assert all(offered(reader, variable["query"]) for variable in board["templating"]["list"])
        targets = [filled(each["target"], board, {}) for panel in board["panels"] for each in panel["targets"]]
        assert [target for target in targets if not drawn(target)] == [], name
    reader.close()


def test_top_trusts_the_authority_that_is_named(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["top", site.url, "--once", "--ca-file", site.authority]) == 0
    assert "lines/s" in capsys.readouterr().out
    assert main(["top", site.url, "--once"]) == 1
    assert "name the authority that signed it with --ca-file" in capsys.readouterr().err
