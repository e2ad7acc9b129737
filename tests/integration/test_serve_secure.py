"""``nilometer serve`` with listeners that do not take everything; ``send`` and ``check`` know how to send to them."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from nilometer.testing.certificates import certificate
from nilometer.testing.kernels import IN_SERVERS
from nilometer.testing.ports import free_port
from nilometer.testing.serving import PROGRAM, Serving
from nilometer.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Start = Callable[..., Serving]

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(params=IN_SERVERS)
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Start]:
    started: list[Serving] = []

    def begin(*listen: str) -> Serving:
        flags = [part for url in listen for part in ("--listen", url)]
        started.append(Serving(*flags, state=tmp_path / "state", kernel=request.param))
        return started[-1].ready()

    yield begin
    for serving in started:
        serving.kill()


def nilometer(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NILOMETER_")}
    return subprocess.run([*PROGRAM, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_signed_datagrams_count_and_others_are_refused(start: Start, tmp_path: Path) -> None:
    key, other, port = tmp_path / "key", tmp_path / "other", free_port()
    key.write_text(KEY + "\n")
    other.write_text(KEY[::-1])
    serving = start(f"udp://127.0.0.1:{port}?hmac_key_file={key}&allow=127.0.0.0/8")
    for file, lines in ((key, ["a:1|c", "b:2|c"]), (other, ["a:10|c"])):
        assert nilometer("send", "--to", f"udp://127.0.0.1:{port}?hmac_key_file={file}", *lines).returncode == 0
    assert nilometer("send", "--to", f"udp://127.0.0.1:{port}", "a:100|c").returncode == 0
    until(lambda: serving.said("not signed with the listener's key"), "the refusal is told")
    key.write_bytes(other.read_bytes())
    serving.process.send_signal(signal.SIGHUP)
    until(lambda: serving.said("settings reloaded"), "the new key is in force")
    assert nilometer("send", "--to", f"udp://127.0.0.1:{port}?hmac_key_file={other}", "a:1000|c").returncode == 0
    assert serving.stop() == 0
    assert (serving.total("a"), serving.total("b")) == (1001, 2)
    assert serving.total("nilometer.lost.listener.signature") == 2
    assert not serving.said(KEY)


def test_lines_go_over_mutual_tls_and_a_new_certificate_takes_a_signal(start: Start, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("server", "client")]
    for folder in folders:
        folder.mkdir()
    server, client = (certificate(folder) for folder in folders)
    port = free_port()
    serving = start(f"tcp+tls://127.0.0.1:{port}?cert={server.certificate}&key={server.key}&client_ca={client.certificate}")
    good = f"tcp+tls://localhost:{port}?ca={server.certificate}&cert={client.certificate}&key={client.key}"
    assert nilometer("send", "--to", good, "a:1|c").returncode == 0
    checked = nilometer("check", good)
    assert (checked.returncode, "connected and sent an empty line" in checked.stdout) == (0, True)
    for bad, says in (
        (f"tcp+tls://localhost:{port}?ca={server.certificate}", "perhaps it asks for a client's certificate"),
        (f"tcp+tls://localhost:{port}", "name its authority with ?ca=FILE"),
    ):
        refused = nilometer("check", bad)
        assert (refused.returncode, says in refused.stdout) == (1, True), refused
    certificate(folders[0])
    serving.process.send_signal(signal.SIGHUP)
    until(lambda: serving.said("settings reloaded"), "the new certificate is in use")
    assert nilometer("send", "--to", good, "a:2|c").returncode == 0
    server.key.write_text("no key")
    serving.process.send_signal(signal.SIGHUP)
    until(lambda: serving.said("cannot use cert and key"), "a wrong key is refused")
    assert nilometer("send", "--to", good, "a:4|c").returncode == 0
    assert serving.stop() == 0
    assert serving.total("a") == 7
    assert serving.total("nilometer.lost.listener.tls") == 2
