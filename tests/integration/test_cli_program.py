"""The command line as a process: start, pipes, signals, terminals, completion."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from nilometer.testing.serving import Serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = (sys.executable, "-m", "nilometer")
PATIENCE = 30.0
HEAVY = ("asyncio", "sqlite3", "ssl", "nilometer.backends", "nilometer.ingest", "nilometer.history", "nilometer.core.settings")


def run(*arguments: str, given: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*PROGRAM, *arguments],
        input=given,
        env={**os.environ, "NILOMETER_KERNEL": "reference", **environment},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    urls = ("udp://127.0.0.1:0", "tcp://127.0.0.1:0", f"unix://{tmp_path}/stream", f"unixgram://{tmp_path}/datagram")
    listen = [word for url in urls for word in ("--listen", url)]
    serving = Serving(*listen, "--flush-interval", "1h", state=tmp_path / "state")
    yield serving.ready()
    serving.kill()


@pytest.mark.parametrize("arguments", [("--help",), ("send", "--help"), ("frob",)])
def test_help_and_errors_load_only_what_they_need(arguments: tuple[str, ...]) -> None:
    code = f"import sys; from nilometer.cli.main import main; main({arguments!r}); print(*sys.modules, file=sys.stderr)"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}  # it loads sqlite3
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=True)
    loaded = set(done.stderr.splitlines()[-1].split())
    heavy = HEAVY if arguments[0] != "send" else tuple(name for name in HEAVY if name != "nilometer.ingest")
    assert loaded.isdisjoint(heavy)


def test_a_closed_pipe_ends_quietly() -> None:
    read, write = os.pipe()
    os.close(read)
    process = subprocess.Popen([*PROGRAM, "config", "show"], stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    _, error = process.communicate(timeout=PATIENCE)
    assert (process.returncode, error) == (141, b"")


def test_an_interrupted_send_has_sent_what_it_read() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(PATIENCE)
        command = [*PROGRAM, "send", "--to", f"udp://127.0.0.1:{sock.getsockname()[1]}"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdin is not None
        process.stdin.write(b"a:1|c\n")
        process.stdin.flush()
        assert sock.recv(100) == b"a:1|c\n"
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=PATIENCE)
        assert (process.returncode, error) == (130, b"")


def on_terminal(*arguments: str, given: bytes = b"", **environment: str) -> str:
    """Run with standard output and error on a terminal, and return what it shows."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, *arguments], stdin=subprocess.PIPE, stdout=theirs, stderr=theirs, env={**os.environ, **environment}
    )
    os.close(theirs)
    assert process.stdin is not None
    process.stdin.write(given)
    process.stdin.close()
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:  # Linux says so when the other end of a terminal is closed
        pass
    os.close(ours)
    assert process.wait(PATIENCE) == 0
    return shown.decode()


def test_colours_are_for_terminals_that_want_them(tmp_path: Path) -> None:
    assert "\x1b[" in on_terminal("config", "show", NO_COLOR="", HOME=str(tmp_path))
    assert "\x1b[" not in on_terminal("config", "show", NO_COLOR="1", HOME=str(tmp_path))
    assert b"\x1b[" not in run("config", "show").stdout


def test_progress_is_shown_on_a_terminal() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        url = f"udp://127.0.0.1:{sock.getsockname()[1]}"
        shown = on_terminal("send", "--to", url, given=b"a:1|c\n" * 1000)
        assert f"1,000 lines sent to {url}" in shown
        done = run("send", "--to", url, given=b"a:1|c\n" * 1000)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("nilometer se", ["serve", "send"]),
        ("nilometer serve --flush-in", ["--flush-interval"]),
        ("nilometer tables mag", ["magnetodb+http://", "magnetodb+https://"]),
    ],
)
def test_the_shell_completes_commands_options_and_urls(words: str, wanted: list[str]) -> None:
    environment = {"_NILOMETER_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    code = "import sys; sys.argv = ['nilometer']; from nilometer.cli.main import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [f"plain,{each}" for each in wanted]


def test_what_is_sent_is_what_the_server_counts(server: Serving, tmp_path: Path) -> None:
    host, port = server.address("udp")
    _, tcp = server.address("tcp")
    urls = (f"udp://{host}:{port}", f"tcp://{host}:{tcp}", f"unix://{tmp_path}/stream", f"unixgram://{tmp_path}/datagram")
    for url in urls:
        assert run("send", "--to", url, "sent:1|c", "members:x|s").returncode == 0
        assert run("send", "--to", url, given=b"sent:10|c\n" * 100).returncode == 0
    assert server.stop() == 0
    assert server.total("sent") == 4 * 1001
    assert server.total("members") == 1


def test_check_finds_every_listener(server: Serving, tmp_path: Path) -> None:
    host, port = server.address("udp")
    _, tcp = server.address("tcp")
    urls = (f"udp://{host}:{port}", f"tcp://{host}:{tcp}", f"unix://{tmp_path}/stream", f"unixgram://{tmp_path}/datagram")
    done = run("check", *urls)
    assert (done.returncode, done.stdout.count(b"listens    ok")) == (0, 4)
    assert server.stop() == 0
    assert server.total("nilometer.bad_lines") == 0
    done = run("check", *urls)
    assert (done.returncode, done.stdout.count(b"FAILED")) == (1, 4)
