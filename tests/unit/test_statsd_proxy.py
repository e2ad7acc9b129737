"""The file of statsd's cluster proxy becomes settings; what is wrong in it is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nilometer.cli.main import main
from nilometer.core.errors import ConfigError
from nilometer.core.settings import load as load_settings
from nilometer.ingest.statsd.proxy import load
from nilometer.ingest.statsd.translate import apply

if TYPE_CHECKING:
    from pathlib import Path

NODE = "{host: '10.0.0.1', port: 8127, adminport: 8128}"


def read(tmp_path: Path, text: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    file = tmp_path / "proxy.js"
    file.write_text(text)
    config = load(file)
    settings = apply(load_settings(None, {}), config, file)
    return {name: settings.value(name) for name in config.values}, config.warnings


def shown(values: object) -> list[str]:
    assert isinstance(values, tuple)
    return [url.reveal() for url in values]


def test_every_key_has_its_meaning(tmp_path: Path) -> None:
    values, warnings = read(
        tmp_path,
        f"""{{
nodes: [{NODE}, {{host: '::1', port: '8129', adminport: 8130}}, {{host: 'stats', port: 1, adminport: 2}}],
server: './servers/udp', host: '127.0.0.1', port: 9125, mgmt_port: 9126, mgmt_address: '127.0.0.1', checkInterval: 1500,
log: {{backend: 'syslog'}}, cacheSize: 10000, forkCount: 'auto', udp_version: 'udp4', node: 1}}""",
    )
    assert shown(values["relay.to"]) == [
        "udp://10.0.0.1:8127?admin=8128",
        "udp://[::1]:8129?admin=8130",
        "udp://stats:1?admin=2",
    ]
    assert shown(values["server.listen"]) == ["udp://127.0.0.1:9125?dialect=statsd"]
    assert shown(values["server.sinks"]) == ["null://"]
    assert shown(values["admin.listen"]) == ["tcp://127.0.0.1:9126"]
    assert (values["relay.mode"], values["relay.check_interval"], values["log.to"]) == ("ring", 1.5, "syslog")
    assert [warning.rpartition(": ")[0].split(" ", 1)[1] for warning in warnings] == [
        "cacheSize has no effect",
        "forkCount has no effect",
        "udp_version has no effect",
        "node has no effect",
    ]
    assert warnings[-1].endswith("the proxy has no such key; did you mean 'nodes'?")


def test_defaults_are_the_proxy_s(tmp_path: Path) -> None:
    values, warnings = read(tmp_path, f"{{nodes: [{NODE}]}}")
    assert (shown(values["server.listen"]), values["relay.check_interval"], warnings) == (
        ["udp://0.0.0.0:8125?dialect=statsd"],
        10,
        (),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "nodes = null: expected a list"),
        ("{nodes: []}", "expected 1 to 100 nodes"),
        ("{nodes: [1]}", "nodes[0] = 1: expected an object"),
        ("{nodes: [{host: 'a', port: 0, adminport: 1}]}", "nodes[0].port = 0: expected a number from 1 to 65535"),
        ("{nodes: [{host: 'a', port: 1}]}", "nodes[0].adminport = null"),
        ("{nodes: [{host: '', port: 1, adminport: 1}]}", "expected a host"),
        (f"{{nodes: [{NODE}], checkInterval: 1}}", "checkInterval = 1: expected a number from 100"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text)
    assert says in str(error.value)
    assert str(tmp_path / "proxy.js:") in str(error.value)


def test_a_server_stands_in_for_one_of_both(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--statsd-config", "a", "--statsd-proxy-config", "b"]) == 2
    assert "either" in capsys.readouterr().err
