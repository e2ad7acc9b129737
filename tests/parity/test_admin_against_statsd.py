"""The reference server and ours get the same datagrams and the same admin commands, and answer alike to the byte."""

from __future__ import annotations

import re
import shlex
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from nilometer.testing.carbon import Carbon
from nilometer.testing.daemon import Command, Daemon
from nilometer.testing.javascript import statsd
from nilometer.testing.waiting import until

SAMPLES = [f"many:{number / 4}|ms" for number in range(130)]
LINES = [
    "a.b:1|c",
    "a.c:2.5|c|@0.1",
    "d:-3|c",
    "bad",
    "g:5|g",
    "g.h:-7|g",
    "g.h:+2|g",
    "a:1|ms:2|ms",
    "u/v w:1|c|#x:y,z",
    *SAMPLES,
]
COMMANDS = [
    "help\n",
    "help",
    "  health \r\n",
    "health DOWN\n",
    "health sideways\n",
    "health Up",
    "counters\n",
    "counters of mine",
    "gauges\n",
    "timers\n",
    "delcounters\n",
    "delcounters  a.b nothing\n",
    "delcounters a.* d.*\n",
    "delgauges g.h g\n",
    "gauges\n",
    "deltimers a many.*\n",
    "timers\n",
    "deltimers .* *\n",
    "deltimers many\n",
    "timers\n",
    "counters\n",
    "Stats\n",
    "\n",
    " \r\n",
    "nonsense at all",
    "config\n",
    "quit\n",
]
VOLATILE = re.compile(r"(uptime|last_msg_seen|last_flush|last_exception|lastFlush|lastException): \d+")
CONFIG = {
    "flushInterval": 3_600_000,
    "graphite": {"legacyNamespace": False, "prefixGauge": ""},
    "backends": ["./backends/graphite", "./backends/console"],
    "deleteIdleStats": False,
    "percentThreshold": [90, 99.5],
    "histogram": [{"metric": "x", "bins": [1, "inf"]}],
    "dumpMessages": False,
}

pytestmark = pytest.mark.timeout(120)


def play(command: str) -> list[str]:
    """Run a server, send it the lines, and return its answers."""
    carbon = Carbon()
    daemon = Daemon(CONFIG, Command(command), carbon)
    try:
        assert daemon.up.wait(30), "".join(daemon.output)
        assert not daemon.ended.is_set(), "".join(daemon.output)
        until(lambda: answers(daemon), "the admin interface answers")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto("\n".join(LINES).encode(), ("127.0.0.1", daemon.udp))
        until(lambda: "many" in daemon.admin("timers\n"), "the lines are taken in")
        return [daemon.admin(command) for command in COMMANDS] + [VOLATILE.sub(r"\1: N", daemon.admin("stats\n"))]
    finally:
        daemon.stop()
        carbon.close()


def answers(daemon: Daemon) -> bool:
    try:
        return "health" in daemon.admin("health\n")
    except ConnectionRefusedError:
        return False


def config(answer: str) -> list[str]:
    """Return the lines of `config` but the ports and those that statsd adds without a meaning."""
    return sorted(line for line in answer.split("\n") if not re.match(r"(graphite\w*P|mgmt_p|p)ort|delete\w+: false$", line))


@pytest.mark.parametrize("kernel", ["reference", "native"])
def test_the_same_commands_have_the_same_answers(kernel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NILOMETER_KERNEL", kernel)
    commands = [
        shlex.join(statsd()) + " {config}",
        shlex.join([sys.executable, "-m", "nilometer", "serve", "--statsd-config"]) + " {config}",
    ]
    with ThreadPoolExecutor(2) as pool:
        theirs, ours = pool.map(play, commands)
    for command, wanted, found in zip([*COMMANDS, "stats"], theirs, ours, strict=True):
        if command == "config\n":
            assert config(found) == config(wanted)
        else:
            assert found == wanted, command
